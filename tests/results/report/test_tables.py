"""The facts and tables of a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.analysis import JobResults
from results.records import Curve, TrialRecord
from results.report.tables import (
    Table,
    curves_table,
    facts,
    failures_table,
    front_table,
    schedule_table,
    tables,
    trials_table,
)
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)] for row in table.rows]


def test_the_trials_table_is_ranked_and_stresses_the_best() -> None:
    table = trials_table(results_of(fakes.feedforward(failed={2: DIVERGED})))
    assert [row[1] for row in table.rows] == ["1", "0", "4", "5", "3", "6", "2"]
    assert table.rows[0][:4] == ("1", "1", "succeeded", "0.001")
    assert table.rows[-1][:3] == ("", "2", "failed")
    assert table.highlight == 0
    assert len(table.columns) == len(table.numeric) == len(table.rows[0])


def test_repeats_have_their_mean_and_one_rank() -> None:
    table = trials_table(results_of(fakes.repeated(fakes.with_scores(3.0, 4.0, 1.0, 2.0), 2)))
    assert column(table, "Rank") == ["1", "1", "2", "2"]
    assert column(table, "Trial") == ["2", "3", "0", "1"]
    assert column(table, "Mean ± standard deviation") == [
        "1.5000 ± 0.7071 (n = 2)", "1.5000 ± 0.7071 (n = 2)",
        "3.5000 ± 0.7071 (n = 2)", "3.5000 ± 0.7071 (n = 2)",
    ]  # fmt: skip


def test_a_trial_that_breaks_a_constraint_says_so_in_its_row() -> None:
    fake = fakes.with_scores(1.0, 2.0)
    limit = {"metric": "model_bytes", "at_most": 100}
    trials = tuple(replace(t, model_bytes=200 - 100 * t.number) for t in fake.trials)
    job = fakes.with_spec(fake.job, constraints=[limit])
    table = trials_table(results_of(fake._replace(job=job, trials=trials)))
    assert column(table, "Trial") == ["1", "0"]
    assert column(table, "Model size") == ["100", "200"]
    assert column(table, "Not ranked") == ["", "model_bytes is 200, and may be at most 100"]


def test_the_front_is_listed_for_several_objectives() -> None:
    fake = fakes.with_scores(1.0, 2.0, 3.0)
    objectives = [{"metric": "m", "mode": "min"}, {"metric": "seconds", "mode": "min"}]
    trials = [replace(t, seconds=s) for t, s in zip(fake.trials, (9.0, 1.0, 5.0), strict=True)]
    job = fakes.with_spec(fake.job, objectives=objectives)
    table = front_table(results_of(fake._replace(job=job, trials=tuple(trials))))
    assert table.rows == (("0", "1", "1.0000", "9.0000"), ("1", "2", "2.0000", "1.0000"))
    assert front_table(results_of(fake)).rows == ()


def test_all_tables_are_rectangular() -> None:
    for fake in (fakes.sampled(), fakes.regression(), fakes.feedforward(2, failed={2: DIVERGED})):
        for table in tables(results_of(fake)):
            assert {len(row) for row in table.rows} == {len(table.columns)} == {len(table.numeric)}


def test_of_many_trials_only_the_best_curve_is_listed() -> None:
    assert {row[0] for row in curves_table(results_of(fakes.grid(1))).rows} == {"26"}


def test_of_many_trials_the_best_are_listed() -> None:
    failed = dict.fromkeys(range(0, 500, 2), DIVERGED)
    many = fakes.sampled(1000, 1)
    fake = fakes.make(
        many.job.spec, [t.parameters for t in many.trials], fakes.classification_curve,
        fakes.CLASSIFICATION, failed,
    )  # fmt: skip
    results = JobResults.of(*fake)
    numbers = [trial.number for trial in results.shown]
    shown = replace(results, curves={n: results.curves[n] for n in numbers})
    table = trials_table(shown)
    assert table.title.startswith("Trials with their last values, best first, 200 of 1000;")
    assert [int(row[1]) for row in table.rows] == numbers
    failures = failures_table(shown)
    assert (failures.title, len(failures.rows)) == ("Failures, the first 200 of 250", 200)


def test_titles_say_what_is_no_figure_of_the_model_at_the_epochs_end() -> None:
    made = results_of(fakes.feedforward(1))
    note = "; training loss: mean over the epoch as it is trained"
    assert trials_table(made).title == f"Trials with their last values, best first{note}"
    assert curves_table(made).title == f"Curves: value (epoch){note}"
    assert (
        trials_table(results_of(fakes.regression(1))).title
        == "Trials with their last values, best first"
    )


def test_test_figures_are_the_selected_trials_only() -> None:
    made = results_of(fakes.feedforward())
    assert "Test accuracy" not in trials_table(made).columns
    rows = curves_table(made).rows
    assert len(rows) == 7 * 2 + 1
    (tested,) = [row for row in rows if row[1] == "Test accuracy"]
    # Nothing may be chosen by it, so no epoch of it is called best.
    assert (tested[0], tested[3]) == ("1", "")
    assert all(row[3] for row in rows if row is not tested)
    assert all("test_accuracy" in trial.metrics for trial in made.trials)


def test_a_single_trial_shows_its_test_figure() -> None:
    made = results_of(fakes.regression())
    assert "Test RMSE" in trials_table(made).columns
    assert [row[3] for row in curves_table(made).rows if row[1] == "Test RMSE"] == [""]


def test_facts_have_times_in_utc_and_constants() -> None:
    found = dict(facts(results_of(fakes.feedforward(1))))
    assert found["Created at"] == "2026-03-01 11:59 UTC"
    assert (found["layers"], found["Seed"]) == ("1", "42")


def test_an_engine_is_a_fact_or_a_column() -> None:
    fake = fakes.feedforward(1)
    assert "Engine" not in dict(facts(results_of(fake)))
    trials = [replace(trial, engine="numba") for trial in fake.trials]
    same = results_of(fake._replace(trials=(*trials[:-1], fake.trials[-1])))
    assert dict(facts(same))["Engine"] == "numba"
    assert "Engine" not in trials_table(same).columns
    mixed = results_of(fake._replace(trials=(*trials[:-1], replace(trials[-1], engine="eager"))))
    assert "Engine" not in dict(facts(mixed))
    assert column(trials_table(mixed), "Engine") == ["numba"] * 6 + ["eager"]


def test_null_is_told_from_a_parameter_that_did_not_apply() -> None:
    fake = fakes.feedforward(1)
    configurations = [
        {"learning_rate": 0.01, "decay": None} | extra
        for extra in ({"clip": None}, {"clip": 1.5}, {})
    ]
    made = fakes.make(
        fake.job.spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION
    )
    results = results_of(made)
    assert sorted(column(trials_table(results), "Clip")) == ["", "1.5", "null"]
    assert dict(facts(results))["decay"] == "null"
    clip = next(table for table in tables(results) if table.columns[0] == "Clip")
    assert [row[0] for row in clip.rows] == ["null (default)", "1.5"]


def test_a_metric_of_some_epochs_has_its_last_value() -> None:
    fake = fakes.regression(3)
    curve = Curve(0, (1, 2, 3), {"train_rmse": (3.0, 2.0, 1.0), "lr": (0.5, 0.25, None)})
    trial = replace(fake.trials[0], metrics={"train_rmse": 1.0, "lr": 0.25})
    results = results_of(fake._replace(curves=(curve,), trials=(trial,)))
    table = trials_table(results)
    assert (column(table, "Lr"), column(table, "Training RMSE")) == (["0.2500"], ["1.0000"])
    assert ("0", "Lr", "0.5000 (1)", "", "0.2500 (2)") in curves_table(results).rows


def test_of_very_many_metrics_the_first_and_the_declared_have_a_column() -> None:
    fake = fakes.regression(1)
    names = [f"extra_{n}" for n in range(30)]
    curve = Curve(0, (1,), {**dict.fromkeys(names, (1.0,)), "train_rmse": (1.0,)})
    results = results_of(fake._replace(curves=(curve,), metrics={}))
    labels = [f"Extra {n}" for n in range(8)]
    assert trials_table(results).columns[3:-2] == (*labels, "Train rmse")


@pytest.mark.parametrize("state", [TrialState.QUEUED, TrialState.RUNNING, TrialState.CANCELLED])
def test_a_trial_without_a_report_is_listed(state: TrialState) -> None:
    fake = fakes.feedforward(1)
    trials = (*fake.trials, TrialRecord(7, state, {"learning_rate": 1.0}, 42))
    row = trials_table(results_of(fake._replace(trials=trials))).rows[-1]
    assert row[:4] == ("", "7", state.value, "1")
    assert row[-4:] == ("n/a", "n/a", "0", "0.0 s")


def test_a_population_shows_from_where_trials_went_on_and_the_best_one_s_schedule() -> None:
    results = results_of(fakes.population())
    table = trials_table(results)
    origins = dict(zip(column(table, "Trial"), column(table, "Went on from"), strict=True))
    assert origins["5"] == "trial 4, epoch 4"
    assert origins["0"] == ""
    found = schedule_table(results)
    assert found.columns == ("Epochs", "Trial", "Learning rate")
    assert found.rows == (("1 to 2", "0", "0.1"), ("3 to 4", "4", "0.12"), ("5 to 6", "5", "0.15"))
    assert schedule_table(results_of(fakes.feedforward())).rows == ()


def test_facts_say_what_the_search_declares() -> None:
    fake = fakes.sampled(12, 5)
    plain = dict(facts(results_of(fake)))
    assert not {"Chosen by auto", "Scheduler", "Constraints", "Budget", "Warm start"} & set(plain)
    job = fakes.with_spec(
        fake.job, strategy="gp", chosen="gp, because; asha, because",
        scheduler={"name": "asha", "min_epochs": 2}, budget={"epochs": 100, "target": 0.9},
        constraints=[{"metric": "model_bytes", "at_most": 100}], warm_start=["0a" * 8],
        history=[{"parameters": {"learning_rate": 0.01}, "values": [0.5]}],
    )  # fmt: skip
    found = dict(facts(results_of(fake._replace(job=job))))
    assert found["Strategy"] == "gp"
    assert found["Chosen by auto"] == "gp, because; asha, because"
    assert found["Scheduler"] == "asha (reduction factor 3, min epochs 2, stops false)"
    assert found["Constraints"] == "model_bytes at most 100"
    assert found["Budget"] == "epochs 100, target 0.9"
    assert found["Warm start"] == f"job {'0a' * 8}"
    assert found["History"] == "1 trial from elsewhere"


def test_nothing_is_compared_where_no_trial_meets_the_constraints() -> None:
    fake = fakes.feedforward(2)
    limits = [{"metric": "train_loss", "at_most": 0.0001}]
    job = replace(fakes.with_spec(fake.job, constraints=limits), best=None)
    titles = [table.title for table in tables(results_of(fake._replace(job=job)))]
    assert not [title for title in titles if title.startswith("Effect")]
    assert [table.title for table in tables(results_of(fake)) if "Effect" in table.title]
