"""The tables of one run."""

from __future__ import annotations

from handin.tables import configuration, epochs_table, trials_table
from tests.handin.handin_runs import make_answers, replace_curve


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
