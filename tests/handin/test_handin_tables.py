"""How the hand-in reads an answer, when it calls a difference one, and its tables."""

from __future__ import annotations

from math import isnan, nan

import pytest

from handin import Answer
from handin.answers import at, best_epoch, last, late_range
from handin.overview import overview
from handin.tables import configuration, epochs_table, trials_table
from handin.wording import Contender, compare, is_clear, two_standard_errors
from results.analysis import summarize
from results.records import Curve
from tests.handin.handin_runs import BY_QUESTION, make_answers, replace_curve


def test_curves_read_null_as_nan_which_is_never_best():
    curve = replace_curve(make_answers(), "Q3.1b", test_accuracy=[None, 0.7, 0.7, *[0.1] * 17])
    (read,) = curve["Q3.1b"].results.curves.values()
    assert isnan(at(read, "test_accuracy", 1))
    assert (at(read, "test_accuracy", 3), last(read, "test_accuracy")) == (0.7, 0.1)
    assert best_epoch(read, "test_accuracy", "max") == 2
    assert best_epoch(read, "test_accuracy", "min") == 4
    none = Curve(0, (1, 2), {"a": (nan, nan)})
    assert best_epoch(none, "a", "min") is None


def test_late_range_needs_ten_epochs():
    values = [0.0] * 5 + [0.1, 0.5, 0.2, 0.3, 0.4]
    long = Curve(0, tuple(range(1, 11)), {"a": tuple(values)})
    short = Curve(0, tuple(range(1, 10)), {"a": tuple(values[1:])})
    assert late_range(long, "a") == pytest.approx(0.4)
    assert late_range(short, "a") is None


def test_an_answer_is_read_as_records():
    answer = make_answers()["Q4.1"]
    results = answer.results
    assert summarize(results).wall_seconds == pytest.approx(90.5)
    assert results.varied == ("learning_rate",)
    assert [trial.parameters["learning_rate"] for trial in results.trials] == [0.001, 0.01, 0.1]
    assert results.best is not None
    assert results.best.number == 0
    assert results.info("train_loss").measured == "during"
    assert answer.failure == ""
    error = {"kind": "worker_lost", "message": "no disk"}
    failed = Answer({**answer.job, "error": error}, {}, [], {})
    assert failed.failure == "no disk"
    never = Answer({**answer.job, "started_at": None}, {}, [], {})
    assert summarize(never.results).wall_seconds is None


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
    assert (
        "A (0.8000) and B (0.8000) end less than 0.1 points apart, although they ran for 2 and 20"
        " epochs."
    ) in short
    assert "last five epochs" not in short


def test_epochs_table_has_landmarks_the_best_and_the_last():
    table = epochs_table(make_answers()["Q2.2a"])
    assert [row[0] for row in table.rows] == (
        ["1", "2", "5", "10", "15", "20", "36", "50", "75", "100", "125", "150"]
    )
    assert table.emphasized == [11]
    assert table.header == ["epoch", "Training RMSE", "Test RMSE", "Distance to analytic"]
    assert table.rows[0][1] == "0.5000"
    assert table.caption.endswith("in bold the one with the lowest training RMSE")


def test_epochs_table_has_no_landmark_by_test_data_beside_validation_data():
    peak = [0.5, 0.5, 0.99, *[0.5] * 17]
    answers = replace_curve(make_answers(), "Q3.1b", test_accuracy=peak)
    assert [row[0] for row in epochs_table(answers["Q3.1b"]).rows] == [
        "1",
        "2",
        "5",
        "10",
        "15",
        "20",
    ]


def test_trials_table_marks_the_selected_and_the_failed():
    answer = make_answers()["Q4.1"]
    answer.report["trials"][2].update(
        state="failed", metrics={}, error={"kind": "out_of_memory", "message": "x"}
    )
    table = trials_table(answer)
    assert table.emphasized == [0]
    assert table.caption == (
        "Trials at their last epoch; the selected one in bold; training loss: mean over the epoch"
        " as it is trained"
    )
    assert table.rows[0][:3] == ["0", "0.001", "0.4000"]
    assert table.rows[2] == ["2", "0.1", "-", "-", "1 min 02 s", "failed (out of memory)"]
    assert trials_table(make_answers()["Q3.1b"]) is None


def test_configuration_lists_settings_and_searched_values():
    rows = dict(configuration(make_answers()["Q4.2"]))
    assert rows["epochs"] == "20"
    assert rows["selected by"] == "validation accuracy, last epoch"
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
        "1 min 31 s",
    ]
    assert rows["Q4.2"][2] == "learning rate 0.001, else defaults"
    assert rows["Q3.1a"][2:5] == ["single run", "20", "-"]
    assert rows["Q3.2b"][2:] == ["not run", *["-"] * 5]
    assert all(len(row) == len(images.header) for row in images.rows)
