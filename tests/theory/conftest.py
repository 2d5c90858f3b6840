"""Fixtures of the theory tests: the Typst sources and central differences."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]
THEORY = Path(__file__).parents[2] / "docs" / "theory"


@pytest.fixture(scope="session")
def theory_text() -> Callable[[str], str]:
    """Return the source of one theory file with its line breaks folded into single spaces."""

    def read(name: str) -> str:
        return " ".join((THEORY / f"{name}.typ").read_text(encoding="utf-8").split())

    return read


@pytest.fixture(scope="session")
def matrices() -> Callable[[str], list[NDArray[np.int64]]]:
    """Return the ``mat`` (2-d) and ``vec`` (1-d) literals of a Typst text, in order."""

    def read(text: str) -> list[NDArray[np.int64]]:
        found = re.findall(r"\b(mat|vec)\(([-\d,; ]+)\)", text)
        return [
            np.array([[int(entry) for entry in row.split(",")] for row in body.split(";")])
            if kind == "mat"
            else np.array([int(entry) for entry in body.split(",")])
            for kind, body in found
        ]

    return read


@pytest.fixture(scope="session")
def central_difference() -> Callable[[Callable[[Array], Array], Array], Array]:
    """Return d f_i / d x_j (shape: f's shape, then x's) by central differences, step 1e-6."""

    def differentiate(f: Callable[[Array], Array], x: Array, step: float = 1e-6) -> Array:
        columns = []
        for j in range(x.size):
            nudge = np.zeros_like(x)
            nudge.flat[j] = step
            columns.append((np.asarray(f(x + nudge)) - np.asarray(f(x - nudge))) / (2 * step))
        return np.stack(columns, axis=-1).reshape(*np.shape(f(x)), *x.shape)

    return differentiate
