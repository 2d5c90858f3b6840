"""A job's configurations as an Optuna study."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from optuna.trial import TrialState as OptunaState

from results.analysis import JobResults
from results.ranking import Ranked
from results.study import make_study, numbers_of
from tests.results import fakes


def test_the_study_has_the_ranked_configurations_with_their_means() -> None:
    results = JobResults.of(*fakes.sampled())
    study = make_study(results.space, results.ranking.configurations)
    assert {trial.state for trial in study.trials} == {OptunaState.COMPLETE}
    assert numbers_of(study) == [trial.number for trial, _ in results.ranked]
    best, score = results.ranked[0]
    assert (study.best_value, study.direction.name) == (score, "MAXIMIZE")
    assert study.best_params == {k: v for k, v in best.parameters.items() if k != "batch_size"}
    assert [sorted(t.params) for t in study.trials] == [
        sorted(t.parameters.keys() - {"batch_size"}) for t, _ in results.ranked
    ]


def test_a_listed_job_with_repeats_has_a_study_of_means() -> None:
    results = JobResults.of(*fakes.repeated(fakes.grid(1), 2))
    study = make_study(results.space, results.ranking.configurations)
    assert [t.value for t in study.trials] == [score for _, score in results.ranked]
    assert len(study.trials) == len(results.trials) / 2


def test_configurations_that_the_space_cannot_have_drawn_are_left_out() -> None:
    fake = fakes.sampled(1)
    (trial,) = fake.trials
    strange: list[dict[str, object]] = [
        {},
        {**trial.parameters, "optimizer": "lion"},
        {**trial.parameters, "hidden_size": 10_000},
    ]
    trials = [trial, *(replace(trial, number=n, parameters=p) for n, p in enumerate(strange, 1))]
    study = make_study(fake.job.spec.space, [Ranked((t,), (0.5,), None) for t in trials])
    assert numbers_of(study) == [0]


def test_optuna_is_imported_only_for_a_study() -> None:
    code = "import sys, results.study; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
