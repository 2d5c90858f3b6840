"""Files of users, and what becomes of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces import Problem
from trainables.own_data.making import Made, make
from trainables.own_data.options import Options
from trainables.own_data.problems import BadData


def table(rows: int = 200, seed: int = 0) -> str:
    """Return a CSV of flats: a price that its size, rooms and city explain; some sizes missing."""
    random = np.random.RandomState(seed)
    lines = ["size,rooms,city,price"]
    for index in range(rows):
        size, rooms = random.uniform(30, 200), random.randint(1, 6)
        city = ("Oslo", "Bergen", "Voss")[random.randint(3)]
        price = 2000 * size + 10_000 * rooms + 50_000 * (city == "Oslo") + 100 * random.randn()
        shown = "" if index % 20 == 7 else f"{size:.1f}"
        lines.append(f"{shown},{rooms},{city},{price:.2f}")
    return "\n".join(lines) + "\n"


def npz(**arrays: Any) -> bytes:
    """Return an NPZ file with these arrays."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def made(folder: Path, content: bytes | str, **options: Any) -> Made:
    """Make a data set of a file with this content."""
    path = folder / "sent"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return make(path, Options(**options))


def problems(folder: Path, content: bytes | str, **options: Any) -> tuple[Problem, ...]:
    """Return what is wrong with a file."""
    with pytest.raises(BadData) as caught:
        made(folder, content, **options)
    assert all(problem.hint for problem in caught.value.problems)
    return caught.value.problems


def column(result: Made, name: str) -> Mapping[str, Any]:
    """Return a column of a card."""
    found: Mapping[str, Any] = next(c for c in result.card["columns"] if c["name"] == name)
    return found
