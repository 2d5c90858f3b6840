"""All trials of a job at once, and their curves, in few bytes: what a page of 10,000 trials reads.

Trials are columns of JSON instead of an object each. Curves are numbers of four bytes.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from results.ranking import Ranking
from results.records import Curve, TrialRecord
from service.schemas import ColumnsView, FailureView, ScoreView

#: Both are arrays of four bytes on every platform that Python supports.
_WHOLE, _FLOAT = "I", "f"
#: Members of a trial that need more than a list of their values.
_OTHERS = ("state", "purpose", "attempt", "started_at", "finished_at", "parameters", "metrics",
           "error")  # fmt: skip
_PLAIN = tuple(one.name for one in fields(TrialRecord) if one.name not in _OTHERS)


def columns(trials: Sequence[TrialRecord], ranking: Ranking, last: int) -> ColumnsView:
    """Return trials as columns; ``last`` is the id of the last event that they hold for sure."""
    values: dict[str, Callable[[TrialRecord], Any]] = {
        "state": lambda t: t.state.value,
        "purpose": lambda t: t.purpose.value,
        "attempts": lambda t: t.attempt,
        "started_at": lambda t: _moment(t.started_at),
        "finished_at": lambda t: _moment(t.finished_at),
        "rank": lambda t: ranking.ranks.get(t.number),
    }
    plain = {name: _column([getattr(t, name) for t in trials]) for name in _PLAIN}
    return ColumnsView(
        last=last,
        trials=len(trials),
        columns=plain | {name: _column(list(map(of, trials))) for name, of in values.items()},
        parameters=_members([trial.parameters for trial in trials]),
        metrics=_members([trial.metrics for trial in trials]),
        errors={
            trial.number: FailureView(kind=trial.error.kind, message=trial.error.message,
                                      traceback=None)
            for trial in trials if trial.error
        },
        violations={number: list(found) for number, found in ranking.violations.items()},
        scores={
            number: ScoreView.model_validate(one)
            for number, one in ranking.by_trial.items() if one.n > 1
        },
    )  # fmt: skip


def _column(values: list[Any]) -> Any:
    """Return the values, or ``{"all": value}`` where they are alike."""
    first = values[0] if values else None
    if values and all(value == first and type(value) is type(first) for value in values):
        return {"all": first}
    return values


def _members(objects: Sequence[Any]) -> dict[str, Any]:
    """Return a column for each key of the objects; null where an object lacks it."""
    names = dict.fromkeys(name for one in objects for name in one)
    return {name: _column([one.get(name) for one in objects]) for name in names}


def _moment(time: datetime | None) -> float | None:
    return None if time is None else round(time.timestamp(), 3)


def points(curves: Iterable[Curve], metrics: Sequence[str], every: int) -> Iterator[bytes]:
    """Yield each curve as words of four bytes, the least significant first.

    Three whole numbers: the trial, its first epoch, the number n of its points; then n floats for
    each metric. The epochs are ``every`` apart; a value that was not reported is NaN.
    """
    for curve in curves:
        if curve.epochs:
            yield _words(curve, metrics, every)


def _words(curve: Curve, metrics: Sequence[str], every: int) -> bytes:
    first, last = curve.epochs[0], curve.epochs[-1]
    n = (last - first) // every + 1
    is_whole = n == len(curve.epochs)
    parts: list[array[int] | array[float]] = [array(_WHOLE, (curve.trial, first, n))]
    for metric in metrics:
        values = curve.metrics.get(metric, ())
        numbers = array(_FLOAT, [_NAN]) * n
        known = [value for value in values if value is not None]
        if is_whole and len(known) == n:
            numbers = array(_FLOAT, _floats(known))
        else:
            for epoch, value in zip(curve.epochs, values, strict=bool(values)):
                if value is not None:
                    numbers[(epoch - first) // every] = _float(value)
        parts.append(numbers)
    if sys.byteorder == "big":
        for part in parts:
            part.byteswap()
    return b"".join(part.tobytes() for part in parts)


_NAN = float("nan")
_LARGEST = 3.4028234663852886e38


def _float(value: float) -> float:
    """Return what a float of four bytes can hold."""
    return max(-_LARGEST, min(_LARGEST, value))


def _floats(values: Sequence[float]) -> Iterable[float]:
    """Return what floats of four bytes can hold; nearly always those are the values."""
    if min(values) >= -_LARGEST and max(values) <= _LARGEST:
        return values
    return map(_float, values)
