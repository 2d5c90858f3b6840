from __future__ import annotations

from pathlib import Path

import pytest

from service.cli.convert.draft import NotConvertible
from tests.service.cli.convert.converting import converted

SECTION = "hydra:\n  sweeper:\n    direction: maximize\n    params:\n"


@pytest.mark.parametrize(
    ("sweep", "domain"),
    [
        ("3", 3),
        ("abc", "abc"),
        ("[1, 2]", {"values": [1, 2]}),
        ("mysql,postgresql", {"values": ["mysql", "postgresql"]}),
        ("choice(-5 ,0 ,5)", {"values": [-5, 0, 5]}),
        ("choice([1,2],[3])", {"values": [[1, 2], [3]]}),
        ("'choice(relu, \"a,b\", null)'", {"values": ["relu", "a,b", None]}),
        ("range(3)", {"low": 0, "high": 3}),
        ("range(1, 10, 3)", {"low": 1, "high": 10, "step": 3}),
        ("range(-5.5, 5.5, step=0.5)", {"low": -5.5, "high": 5.5, "step": 0.5}),
        ("range(start=1, stop=4)", {"low": 1, "high": 4}),
        ("interval(1, 5)", {"low": 1, "high": 5}),
        ("interval(0.5, 5)", {"low": 0.5, "high": 5.0}),
        ("interval(start=0.5, end=5)", {"low": 0.5, "high": 5.0}),
        ("tag(log, interval(1e-3, 1))", {"low": 1e-3, "high": 1.0, "log": True}),
        ("tag(t1, log, interval(1, 8))", {"low": 1, "high": 8, "log": True}),
        ("int(interval(1, 5.0))", {"low": 1, "high": 5}),
        ("float(interval(1, 5))", {"low": 1.0, "high": 5.0}),
        ("shuffle(range(3))", {"low": 0, "high": 3}),
        ("str(choice(1, 2))", {"values": ["1", "2"]}),
    ],
)
def test_every_kind_of_sweep(tmp_path: Path, sweep: str, domain: object) -> None:
    found = converted(tmp_path, f"{SECTION}      x: {sweep}\n      y: choice(1, 2)\n")
    assert found.space["parameters"] == {"x": domain, "y": {"values": [1, 2]}}
    assert found.space["mode"] == "max"


@pytest.mark.parametrize("sweep", ["glob(*)", "range(a, b)", "interval(1)", "choose(1)"])
def test_a_sweep_without_counterpart_is_lost(tmp_path: Path, sweep: str) -> None:
    found = converted(tmp_path, f"{SECTION}      x: {sweep}\n      y: choice(1, 2)\n")
    assert found.lost == (f"parameter x: {sweep}",)


def test_a_whole_configuration(tmp_path: Path) -> None:
    found = converted(
        tmp_path,
        """
defaults: [{override hydra/sweeper: optuna}, {override hydra/sweeper/sampler: random}, _self_]
hydra:
  sweeper:
    sampler: {seed: 7, n_startup_trials: 3}
    direction: [minimize, maximize]
    study_name: sphere
    storage: null
    n_trials: 20
    n_jobs: 2
    params:
      +model.rate: interval(0.1, 0.9)
      amp: choice(true, false)
      db@host: choice(a, b)
      seed: 3
rate: 1
""",
    )
    assert found.space == {
        "name": "sphere",
        "title": "sphere",
        "command": ["python", "my_app.py", "model.rate={model.rate}", "{amp}", "db@host={db_host}",
                    "seed={seed_}"],
        "code": ".",
        "flags": {"amp": {"true": "amp=true", "false": "amp=false"}},
        "early_end": True,
        "epochs": 100,
        "objectives": [{"metric": "objective_1", "mode": "min"},
                       {"metric": "objective_2", "mode": "max"}],
        "strategy": "random",
        "trials": 20,
        "parameters": {
            "model.rate": {"low": 0.1, "high": 0.9},
            "amp": {"values": [True, False]},
            "db_host": {"values": ["a", "b"]},
            "seed_": 3,
        },
    }  # fmt: skip
    assert set(found.lost) == {"sampler.n_startup_trials", "sweeper.storage"}
    assert any("--seed 7" in note for note in found.notes)


def test_the_older_form(tmp_path: Path) -> None:
    found = converted(
        tmp_path,
        """
sampler: {_target_: optuna.samplers.CmaEsSampler}
search_space:
  x: {type: float, low: 0, high: 1, step: 0.25}
  n: {type: int, low: 1, high: 64, log: true}
  c: {type: categorical, choices: [a, b]}
  bad: {type: colour}
""",
    )
    assert found.space["parameters"] == {
        "x": {"low": 0.0, "high": 1.0, "step": 0.25},
        "n": {"low": 1, "high": 64, "log": True},
        "c": {"values": ["a", "b"]},
    }
    assert found.space["strategy"] == "auto"  # CMA-ES draws no lists
    assert found.lost == ("parameter bad: colour",)


def test_a_sweeper_without_parameters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConvertible, match="neither params nor search_space"):
        converted(tmp_path, "hydra: {sweeper: {n_trials: 3}}\n")
