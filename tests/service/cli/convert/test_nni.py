from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.cli.convert.draft import NotConvertible
from tests.service.cli.convert.converting import converted


@pytest.mark.parametrize(
    ("kind", "values", "domain"),
    [
        ("choice", [1, 2], {"values": [1, 2]}),
        ("choice", ["only"], "only"),
        ("randint", [1, 10], {"low": 1, "high": 9}),
        ("uniform", [0, 1], {"low": 0.0, "high": 1.0}),
        ("quniform", [0, 10, 2.5], {"low": 0.0, "high": 10.0, "step": 2.5}),
        ("loguniform", [1e-4, 0.1], {"low": 1e-4, "high": 0.1, "log": True}),
        ("qloguniform", [1, 100, 2], {"low": 1, "high": 100, "log": True}),
        ("normal", [0, 1], {"low": -3.0, "high": 3.0}),
        ("qnormal", [1, 3, 0.5], {"low": -8.0, "high": 10.0, "step": 0.5}),
        ("lognormal", [0, 1], {"low": 0.0498, "high": 20.1, "log": True}),
        ("qlognormal", [0, 1, 1], {"low": 0.0498, "high": 20.1, "log": True}),
    ],
)
def test_every_kind_of_parameter(
    tmp_path: Path, kind: str, values: list[object], domain: object
) -> None:
    other = {"_type": "choice", "_value": [1, 2]}
    text = json.dumps({"x": {"_type": kind, "_value": values}, "y": other})
    found = converted(tmp_path, text, name="search_space.json")
    assert found.space["parameters"]["x"] == domain


def test_nested_choices_become_conditions(tmp_path: Path) -> None:
    conv = {"_name": "conv", "filters": {"_type": "choice", "_value": [16, 32]}}
    pool = {"_name": "pool", "size": {"_type": "randint", "_value": [2, 3]}}
    layer = {"_type": "choice", "_value": [conv, pool, {"_name": "none"}]}
    found = converted(tmp_path, json.dumps({"layer": layer}), name="s.json")
    assert found.space["parameters"] == {
        "layer": {"values": ["conv", "pool", "none"]},
        "layer.conv.filters": {"values": [16, 32], "when": {"layer": "conv"}},
        "layer.pool.size": {"value": 2, "when": {"layer": "pool"}},
    }
    assert found.space["command"] == ["python", "train.py", "{args}"]


def test_what_cannot_be_read_is_lost(tmp_path: Path) -> None:
    text = json.dumps(
        {
            "x": {"_type": "uniform", "_value": [0, 1]},
            "nas": {"_type": "layer_choice", "_value": [1]},
            "bad": {"_type": "uniform", "_value": ["a", 1]},
            "none": {"_type": "uniform", "_value": 3},
        }
    )
    found = converted(tmp_path, text)
    assert list(found.space["parameters"]) == ["x"]
    assert [one.partition(":")[0] for one in found.lost] == [
        "parameter nas", "parameter bad", "parameter none",
    ]  # fmt: skip


def test_an_experiment(tmp_path: Path) -> None:
    found = converted(
        tmp_path,
        """
experimentName: mnist
searchSpace:
  lr: {_type: loguniform, _value: [0.0001, 0.1]}
trialCommand: python3 mnist.py --data '{x}'
trialCodeDirectory: .
trialConcurrency: 4
maxTrialNumber: 30
maxExperimentDuration: 2h
tuner: {name: Evolution, classArgs: {optimize_mode: minimize, population_size: 100}}
assessor: {name: Medianstop, classArgs: {start_step: 3}}
trainingService: {platform: local}
""",
    )
    assert found.space | {"parameters": None} == {
        "name": "mnist",
        "title": "mnist",
        "command": ["python3", "mnist.py", "--data", "{{x}}", "{args}"],
        "code": ".",
        "early_end": True,
        "epochs": 100,
        "metric": "objective",
        "mode": "min",
        "strategy": "random",
        "trials": 30,
        "scheduler": {"name": "median", "min_epochs": 3},
        "budget": {"seconds": 7200},
        "parameters": None,
    }
    assert {"trainingService", "tuner Evolution: population_size"} <= {*found.lost}


def test_a_search_space_elsewhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotConvertible, match="convert that file"):
        converted(tmp_path, "searchSpaceFile: s.json\ntrialCommand: python t.py\n")
