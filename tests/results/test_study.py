"""A job's trials as an Optuna study."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pytest
from optuna.trial import TrialState as OptunaState

from results.analysis import JobResults
from results.records import TrialRecord
from results.states import TrialState
from results.study import make_study
from tests.results import fakes


def test_the_study_has_the_trials_as_they_ended() -> None:
    results = JobResults.of(*fakes.sampled())
    study = make_study(results.space, results.trials)
    assert [t.state is OptunaState.COMPLETE for t in study.trials] == [
        t.state is TrialState.SUCCEEDED for t in results.trials
    ]
    best, score = results.ranked[0]
    assert (study.best_value, study.direction.name) == (score, "MAXIMIZE")
    assert study.best_params == {k: v for k, v in best.parameters.items() if k != "batch_size"}
    assert [sorted(t.params) for t in study.trials] == [
        sorted(t.parameters.keys() - {"batch_size"}) for t in results.trials
    ]


def test_a_listed_job_has_a_study_too() -> None:
    results = JobResults.of(*fakes.grid(1))
    study = make_study(results.space, results.trials)
    assert [t.value for t in study.trials] == [results.score(t) for t in results.trials]


def test_a_score_that_is_not_finite_is_a_failure() -> None:
    fake = fakes.sampled(2)
    endless = replace(fake.trials[0], metrics={"validation_accuracy": math.inf})
    study = make_study(fake.job.spec.space, [endless, fake.trials[1]])
    assert [t.state for t in study.trials] == [OptunaState.FAIL, OptunaState.COMPLETE]


def test_unfinished_trials_come_next_with_their_number_and_seed() -> None:
    fake = fakes.sampled(4)
    waiting = replace(fake.trials[3], state=TrialState.QUEUED, metrics={}, seed=7)
    study = make_study(fake.job.spec.space, [*fake.trials[:3], waiting])
    trial = study.ask()
    assert trial.user_attrs == {"number": 3, "seed": 7}
    drawn = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
    assert drawn == waiting.parameters["learning_rate"]
    assert study.ask().user_attrs == {}


def test_stopped_trials_are_pruned_and_paused_ones_run() -> None:
    fake = fakes.sampled(3)
    states = (TrialState.SUCCEEDED, TrialState.STOPPED, TrialState.PAUSED)
    trials = [replace(t, state=s, epochs=3) for t, s in zip(fake.trials, states, strict=True)]
    study = make_study(fake.job.spec.space, trials)
    assert [t.state for t in study.trials] == [
        OptunaState.COMPLETE, OptunaState.PRUNED, OptunaState.RUNNING,
    ]  # fmt: skip
    last = [t.metrics["validation_accuracy"] for t in trials]
    assert [t.intermediate_values for t in study.trials] == [{}, {3: last[1]}, {3: last[2]}]
    assert [t.value for t in study.trials] == [last[0], None, None]


def test_trials_that_the_space_cannot_have_drawn_are_left_out() -> None:
    fake = fakes.sampled(1)
    strange = [
        TrialRecord(1, TrialState.SUCCEEDED, {}, 0, metrics={"validation_accuracy": 1.0}),
        replace(fake.trials[0], parameters={**fake.trials[0].parameters, "optimizer": "lion"}),
        replace(fake.trials[0], parameters={**fake.trials[0].parameters, "hidden_size": 10_000}),
    ]
    study = make_study(fake.job.spec.space, [*fake.trials, *strange])
    assert len(study.trials) == 1


def test_optuna_is_imported_only_for_a_study() -> None:
    code = "import sys, results.study; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unfinished_trial_that_the_space_cannot_have_drawn_is_an_error() -> None:
    fake = fakes.sampled(1)
    waiting = replace(fake.trials[0], state=TrialState.QUEUED, parameters={})
    with pytest.raises(ValueError, match="learning_rate"):
        make_study(fake.job.spec.space, [waiting])
