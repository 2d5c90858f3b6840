"""Non-domination: which of several points no other beats in every objective, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Points = npt.NDArray[np.float64]


def front_numbers(losses: Sequence[Sequence[float]]) -> list[int]:
    """Return the front of each point, 0 for those that no point dominates, 1 without these, ...

    ``losses`` has a row per point and a column per objective; lower is better, and all are finite.
    A point dominates another if it is nowhere worse and somewhere better, so equal points share a
    front. This is the efficient non-dominated sort (Zhang et al., "An efficient approach to
    nondominated sorting", IEEE Transactions on Evolutionary Computation 19(2), 2015, ENS-BS).
    """
    import numpy as np  # where there is one objective, nobody needs it

    if not losses:
        return []
    points = np.asarray(losses, dtype=np.float64)
    # In this order no point is dominated by a later one.
    order = np.lexsort(points.T[::-1])
    fronts: list[list[int]] = []
    found = [0] * len(points)
    for index in order:
        front = _first_fitting(points, fronts, int(index))
        if front == len(fronts):
            fronts.append([])
        fronts[front].append(int(index))
        found[index] = front
    return found


def _first_fitting(points: Points, fronts: Sequence[Sequence[int]], index: int) -> int:
    """Return the first front of which no member dominates the point, by bisection.

    A member of a later front is dominated by one of each front before it.
    """
    low, high = 0, len(fronts)
    while low < high:
        middle = (low + high) // 2
        if _is_dominated(points[index], points[fronts[middle]]):
            low = middle + 1
        else:
            high = middle
    return low


def _is_dominated(point: Points, others: Points) -> bool:
    nowhere_worse = (others <= point).all(axis=1)
    return bool((nowhere_worse & (others < point).any(axis=1)).any())


def hypervolume(losses: Iterable[tuple[float, float]], reference: tuple[float, float]) -> float:
    """Return the area that points dominate up to ``reference``, for two objectives.

    Lower is better. A point that does not beat the reference in both adds nothing (Zitzler and
    Thiele, "Multiobjective optimization using evolutionary algorithms", PPSN V, 1998).
    """
    total, lowest = 0.0, reference[1]
    for first, second in sorted(losses):
        if first < reference[0] and second < lowest:
            total += (reference[0] - first) * (lowest - second)
            lowest = second
    return total
