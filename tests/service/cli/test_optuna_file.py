"""Optuna's own database files, read without Optuna."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import optuna
import pytest

from service.cli.optuna_file import read_study


def study(path: Path, name: str, directions: list[str]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=f"sqlite:///{path}", study_name=name, directions=directions,
        sampler=optuna.samplers.RandomSampler(seed=1),
    )  # fmt: skip


def train(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 8)
    kind = trial.suggest_categorical("kind", ["sgd", "adam", None, True, 3])
    if trial.number == 2:
        raise optuna.TrialPruned
    return float("inf") if trial.number == 3 else rate * layers + len(str(kind))


def test_complete_trials_are_those_that_optuna_has(tmp_path: Path) -> None:
    path = tmp_path / "50 % study.db"
    made = study(path, "one", ["minimize"])
    made.optimize(train, n_trials=12)
    before = path.read_bytes()
    name, trials, others = read_study(path, None)
    assert (name, others) == ("one", 1)
    assert trials == [
        {"parameters": trial.params, "values": [trial.value], "modes": ["min"]}
        for trial in made.trials
        if trial.number not in (2, 3)
    ]
    assert path.read_bytes() == before


def test_a_study_among_several_is_named(tmp_path: Path) -> None:
    path = tmp_path / "two.db"
    study(path, "first", ["minimize"]).optimize(lambda _: 1.0, n_trials=1)
    two = study(path, "second", ["maximize", "minimize"])
    two.optimize(lambda t: (t.suggest_float("x", 0, 1), 2.0), n_trials=1)
    (x,) = two.trials[0].params.values()
    assert read_study(path, "second") == (
        "second", [{"parameters": {"x": x}, "values": [x, 2.0], "modes": ["max", "min"]}], 0,
    )  # fmt: skip
    for name, message in ((None, "several studies.*first, second"), ("third", "no study 'third'")):
        with pytest.raises(ValueError, match=message):
            read_study(path, name)


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE pages (text)")
    with pytest.raises(ValueError, match="not a database of Optuna 3 or newer: no such table"):
        read_study(path, None)
    other.execute("CREATE TABLE studies (study_id, study_name)")
    with pytest.raises(ValueError, match="holds no study"):
        read_study(path, None)
    other.close()


def test_values_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    study(path, "one", ["minimize"]).optimize(train, n_trials=1)
    with sqlite3.connect(path) as odd:
        odd.execute("UPDATE trial_params SET distribution_json = '{}'")
    odd.close()
    with pytest.raises(ValueError, match="a parameter whose values cannot be read"):
        read_study(path, None)
