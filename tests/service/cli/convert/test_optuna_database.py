from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path

import optuna
import pytest

from service.cli.convert import read
from service.cli.convert.draft import NotConvertible


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with parameters under conditions, and another one."""
    path = tmp_path_factory.mktemp("studies") / "study.db"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{path}"
    study = optuna.create_study(storage=storage, study_name="one", direction="maximize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(["accuracy"])
    for number in range(8):
        kind = ["svm", "forest", "neighbours"][number % 3]
        study.enqueue_trial({"kind": kind})
        trial = study.ask()
        trial.suggest_float("rate", 1e-5, 0.1, log=True)
        chosen = trial.suggest_categorical("kind", ["svm", "forest", "neighbours"])
        if chosen == "forest":
            trial.suggest_int("depth", 2, 32 + 2 * number, step=2)
        if number % 4 == 3:
            trial.suggest_float("odd", 0, 1)
        study.tell(trial, 0.5)
    optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"])
    return path


def test_a_study_with_its_conditions(database: Path) -> None:
    before = database.read_bytes()
    found = read(database, study="one")
    assert found.problems == ()
    assert found.space["parameters"] == {
        "rate": {"low": 1e-5, "high": 0.1, "log": True},
        "kind": {"values": ["svm", "forest", "neighbours"]},
        "depth": {"low": 2, "high": 46, "step": 2, "when": {"kind": ["forest"]}},
        "odd": {"low": 0.0, "high": 1.0},
    }
    assert (found.space["metric"], found.space["mode"]) == ("accuracy", "max")
    notes = "\n".join(found.notes)
    assert "depth: 3 different distributions" in notes
    assert "depth: when kind is one of" in notes
    assert "odd: not in all trials" in notes
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["study.db"]


@pytest.mark.parametrize(
    ("study", "said"),
    [(None, "--study: one, two"), ("three", "no study 'three'"), ("two", "no trial")],
)
def test_the_study_must_be_named_and_have_trials(
    database: Path, study: str | None, said: str
) -> None:
    with pytest.raises(NotConvertible, match=said):
        read(database, study=study)


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    with pytest.raises(NotConvertible, match="not the database of an Optuna study"):
        read(path)


def test_a_damaged_database_is_refused(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    content = bytearray(database.read_bytes())
    content[100:4000] = b"\xff" * 3900
    path.write_bytes(content)
    with pytest.raises(NotConvertible, match="not the database"):
        read(path)
