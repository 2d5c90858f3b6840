"""The results at a glance."""

from __future__ import annotations

from handin.overview import overview
from tests.handin.handin_runs import BY_QUESTION, make_answers


def test_overview_has_a_row_for_every_run():
    answers = make_answers()
    del answers["Q3.2b"]
    houses, images = overview(answers)
    assert [row[0] for row in [*houses.rows, *images.rows]] == list(BY_QUESTION)
    rows = {row[0]: row for row in images.rows}
    assert rows["Q4.1"][2:] == [
        "learning rate 0.001",
        "20",
        "0.4000",
        "0.8450",
        "0.8350",
        "1 min 31 s",
    ]
    assert rows["Q4.2"][2] == "learning rate 0.001, else defaults"
    assert rows["Q3.1a"][2:5] == ["single run", "20", "-"]
    assert rows["Q3.2b"][2:] == ["not run", *["-"] * 5]
    assert all(len(row) == len(images.header) for row in images.rows)
