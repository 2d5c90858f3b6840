"""How the hand-in reads an answer, when it calls a difference one, and its tables."""

from __future__ import annotations

from math import nan

import pytest

from results.handin import Answer
from results.handin.answers import Curve
from results.handin.overview import overview
from results.handin.tables import configuration, epochs_table, trials_table
from results.handin.wording import Contender, compare, is_clear, two_standard_errors
from tests.results.handin_runs import BY_QUESTION, make_answers


def test_curve_reads_null_as_nan_and_finds_the_earliest_best():
    curve = Curve.from_json({"trial": 3, "epoch": [1, 2, 3], "a": [0.5, 0.7, 0.7], "b": [None] * 3})
    assert curve.best_epoch("a", "max") == 2
    assert curve.best_epoch("a", "min") == 1
    assert (curve.first("a"), curve.last("a"), curve.at("a", 2)) == (0.5, 0.7, 0.7)
    assert curve.metrics["b"] == pytest.approx((nan, nan, nan), nan_ok=True)


def test_late_range_needs_ten_epochs():
    values = [0.0] * 5 + [0.1, 0.5, 0.2, 0.3, 0.4]
    long = Curve(0, tuple(range(1, 11)), {"a": tuple(values)})
    short = Curve(0, tuple(range(1, 10)), {"a": tuple(values[1:])})
    assert long.late_range("a") == pytest.approx(0.4)
    assert short.late_range("a") is None


def test_answer_reads_times_failures_and_varied_parameters():
    answer = make_answers()["Q4.1"]
    assert answer.seconds == pytest.approx(90.5)
    assert answer.varied() == {"learning_rate": [0.001, 0.01, 0.1]}
    assert answer.failure == ""
    failed = Answer({**answer.job, "error": {"kind": "x", "message": "no disk"}}, {}, [], {})
    assert failed.failure == "no disk"
    never = Answer({**answer.job, "started_at": None}, {}, [], {})
    assert never.seconds is None


def flat(accuracy, late=0.0, epochs=20):
    """Return a curve at ``accuracy``, but for one dip by ``late`` in its last five epochs."""
    values = [accuracy] * epochs
    values[-min(3, epochs)] -= late
    return Curve(0, tuple(range(1, epochs + 1)), {"test_accuracy": tuple(values)})


def test_two_standard_errors_by_hand():
    # Two accuracies of 0.5: each has variance 0.25 / 10,000, so 2 sqrt(0.5 / 10,000) = 0.014142.
    assert two_standard_errors(0.5, 0.5) == pytest.approx(0.0141421, abs=1e-7)


@pytest.mark.parametrize(
    ("first", "second", "late", "clear"),
    [
        (0.80, 0.85, 0.0, True),
        (0.85, 0.80, 0.0, True),
        (0.80, 0.805, 0.0, False),
        (0.80, 0.85, 0.06, False),
    ],
)
def test_is_clear_weighs_sampling_error_and_late_movement(first, second, late, clear):
    assert is_clear(flat(first, late), flat(second), "test_accuracy") is clear
    assert is_clear(flat(first), flat(second, late), "test_accuracy") is clear


def test_compare_quotes_its_numbers():
    text = compare(Contender("A", flat(0.85)), Contender("B", flat(0.8, 0.012)), "test_accuracy")
    assert text == (
        "In test accuracy A ends at 0.8500, 5.0 points above B (0.8000). The difference exceeds "
        "both twice its standard error on 10,000 images (1.1 points) and the range of either curve "
        "over its last five epochs (0.0 points and 1.2 points)."
    )


def test_compare_does_not_rank_what_is_close_and_says_where_lengths_differ():
    close = compare(Contender("A", flat(0.8)), Contender("B", flat(0.801)), "test_accuracy")
    assert "0.1 points below B" in close
    assert close.endswith("one run with one seed does not rank them.")
    brief = Contender("A", flat(0.8, epochs=2))
    short = compare(brief, Contender("B", flat(0.8)), "test_accuracy")
    assert "A and B both end at 0.8000, although they ran for 2 and 20 epochs." in short
    assert "last five epochs" not in short


def test_epochs_table_has_landmarks_the_best_and_the_last():
    table = epochs_table(make_answers()["Q2.2a"])
    assert [row[0] for row in table.rows] == (
        ["1", "2", "5", "10", "15", "20", "36", "50", "75", "100", "125", "150"]
    )
    assert table.emphasized == (11,)
    assert table.header == ["epoch", "Training RMSE", "Test RMSE", "Distance to analytic"]
    assert table.rows[0][1] == "0.5000"


def test_trials_table_marks_the_selected_and_the_failed():
    answer = make_answers()["Q4.1"]
    answer.report["trials"][2].update(
        state="failed", metrics={}, seconds=None, error={"kind": "out_of_memory", "message": "x"}
    )
    table = trials_table(answer)
    assert table.emphasized == [0]
    assert table.rows[0][:3] == ["0", "0.001", "0.4000"]
    assert table.rows[2] == ["2", "0.1", "-", "-", "-", "-", "failed (out of memory)"]
    assert trials_table(make_answers()["Q3.1b"]) is None


def test_configuration_lists_settings_and_searched_values():
    rows = dict(configuration(make_answers()["Q4.2"]))
    assert rows["epochs"] == "20"
    assert rows["selected by"] == "Validation accuracy, last epoch"
    assert rows["learning rate"] == "0.01, 0.001, 0.1"
    assert rows["layers"] == "1"


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
        "90.5 s",
    ]
    assert rows["Q4.2"][2] == "learning rate 0.001, else defaults"
    assert rows["Q3.1a"][2:5] == ["single run", "20", "-"]
    assert rows["Q3.2b"][2:] == ["not run", *["-"] * 5]
    assert all(len(row) == len(images.header) for row in images.rows)
