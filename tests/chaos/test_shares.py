"""The picture of the slots that jobs had."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.chaos.shares import Sample
from tests.chaos.shares_plot import draw


def test_the_slots_of_the_jobs_are_drawn_one_above_the_other(tmp_path: Path) -> None:
    samples = [
        Sample(0.0, (8, 0, 0), (8, 0, 0)),
        Sample(10.0, (4, 4, 0), (4, 4, 0)),
        Sample(20.0, (2, 2, 4), (2, 2, 4)),
    ]
    file = tmp_path / "shares.png"
    (axes,) = draw(samples, file, slots=8, priorities=(1, 1, 2)).axes
    assert file.read_bytes().startswith(b"\x89PNG")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "job 1, priority 1", "job 2, priority 1", "job 3, priority 2",
    ]  # fmt: skip
    highest = [np.asarray(area.get_paths()[0].vertices)[:, 1].max() for area in axes.collections]
    assert highest == [8, 8, 8]
    assert axes.get_xlim() == (0, 20)
