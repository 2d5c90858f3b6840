"""Draws the slots of jobs over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from tests.chaos.shares import Sample


def draw(samples: Sequence[Sample], file: Path, *, slots: int, priorities: Sequence[int]) -> Figure:
    """Draw each job's slots as steps, one above the other, and write the picture."""
    figure = Figure(figsize=(6, 2.6), layout="constrained")
    axes = figure.subplots()
    seconds = [sample.seconds for sample in samples]
    shares = [[sample.slots[n] for sample in samples] for n in range(len(priorities))]
    labels = [f"job {n + 1}, priority {priority}" for n, priority in enumerate(priorities)]
    axes.stackplot(seconds, *shares, labels=labels, step="post")
    axes.set(xlabel="seconds", ylabel="slots", ylim=(0, slots * 1.05), xlim=(0, seconds[-1]))
    axes.legend(loc="upper right", fontsize="small")
    figure.savefig(file, dpi=90)
    return figure
