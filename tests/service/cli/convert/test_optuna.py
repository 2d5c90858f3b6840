from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from tests.service.cli.convert.converting import converted


@pytest.mark.parametrize(
    ("distribution", "domain"),
    [
        (FloatDistribution(0, 1), {"low": 0.0, "high": 1.0}),
        (FloatDistribution(1e-3, 1, log=True), {"low": 1e-3, "high": 1.0, "log": True}),
        (FloatDistribution(0, 1, step=0.25), {"low": 0.0, "high": 1.0, "step": 0.25}),
        (IntDistribution(1, 9), {"low": 1, "high": 9}),
        (IntDistribution(1, 9, step=2), {"low": 1, "high": 9, "step": 2}),
        (IntDistribution(1, 64, log=True), {"low": 1, "high": 64, "log": True}),
        (IntDistribution(3, 3), 3),
        (CategoricalDistribution(["a", None, 3]), {"values": ["a", None, 3]}),
    ],
)
def test_what_optuna_writes_of_a_distribution(
    tmp_path: Path, distribution: BaseDistribution, domain: Any
) -> None:
    other = FloatDistribution(0, 1)
    texts = {"x": distribution_to_json(distribution), "y": distribution_to_json(other)}
    as_text = converted(tmp_path, json.dumps(texts), name="d.json")
    as_object = converted(tmp_path, json.dumps({k: json.loads(v) for k, v in texts.items()}))
    assert as_text.space == as_object.space
    assert as_text.space["parameters"]["x"] == domain


@pytest.mark.parametrize(
    ("name", "attributes", "domain"),
    [
        ("UniformDistribution", {}, {"low": 1.0, "high": 8.0}),
        ("LogUniformDistribution", {}, {"low": 1.0, "high": 8.0, "log": True}),
        ("DiscreteUniformDistribution", {"q": 3}, {"low": 1.0, "high": 7.0, "step": 3.0}),
        ("IntUniformDistribution", {"step": 1}, {"low": 1, "high": 8}),
        ("IntLogUniformDistribution", {"step": 1}, {"low": 1, "high": 8, "log": True}),
    ],
)
def test_distributions_of_older_versions(
    tmp_path: Path, name: str, attributes: dict[str, int], domain: Any
) -> None:
    members = {"low": 1, "high": 8, **attributes}
    text = json.dumps({"x": {"name": name, "attributes": members}})
    assert converted(tmp_path, text).space["parameters"] == {"x": domain}


def test_one_that_cannot_be_read_is_lost(tmp_path: Path) -> None:
    good = json.loads(distribution_to_json(optuna.distributions.IntDistribution(1, 2)))
    bad = {"name": "StrangeDistribution", "attributes": {}}
    found = converted(tmp_path, json.dumps({"x": good, "y": bad}))
    assert "parameter y: StrangeDistribution" in found.lost
    assert any("mode" in note for note in found.notes)
