"""A journal is read back by Optuna."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from results.ranking import rank
from tests.results import fakes
from tests.results.exports.exporting import METRIC, exported


def test_optuna_reads_its_study(tmp_path: Path) -> None:
    fake = fakes.sampled(12)
    path = exported("optuna", tmp_path, fake)
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.user_attrs["objectives"] == [METRIC]
    assert [trial.user_attrs["number"] for trial in study.trials] == list(range(12))
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "FAIL"}
    found, best = study.best_trial, rank(fake.trials, fake.job.spec.space).configurations[0]
    assert found.value == best.value
    assert found.params["learning_rate"] == best.trial.parameters["learning_rate"]
    (curve,) = (one for one in fake.curves if one.trial == found.number)
    assert found.intermediate_values == dict(zip(curve.epochs, curve.metrics[METRIC], strict=True))
