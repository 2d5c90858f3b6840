"""Wide ranges of steps have none for the Gaussian process, and its values lie on steps."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import GPSampler

from service.search.gaussian import MOST_STEPS, WideGPSampler

SPACE: dict[str, BaseDistribution] = {
    "units": IntDistribution(16, 512, log=True),
    "width": IntDistribution(0, 170, step=10),
    "rate": FloatDistribution(0.0, 1.0, step=0.05),
    "layers": IntDistribution(1, MOST_STEPS),
    "momentum": FloatDistribution(0.0, 0.9),
    "kind": CategoricalDistribution(("a", "b")),
}


@pytest.mark.parametrize(
    ("suggested", "drawn"),
    [
        ({"units": 15.5, "width": -5.0, "rate": -0.025}, {"units": 16, "width": 0, "rate": 0.0}),
        ({"units": 99.6, "width": 94.9, "rate": 0.52}, {"units": 100, "width": 90, "rate": 0.5}),
        ({"units": 512.5, "width": 175.0, "rate": 1.025}, {"units": 512, "width": 170, "rate": 1}),
        ({}, {}),
    ],
)
def test_a_suggestion_lies_on_the_nearest_step(
    monkeypatch: pytest.MonkeyPatch, suggested: dict[str, Any], drawn: dict[str, Any]
) -> None:
    searched: dict[str, BaseDistribution] = {}

    def suggest(_: object, __: object, ___: object, space: dict[str, BaseDistribution]) -> Any:
        searched.update(space)
        return {**suggested, "layers": 3} if suggested else {}

    monkeypatch.setattr(GPSampler, "sample_relative", suggest)
    study = optuna.create_study(sampler=(sampler := WideGPSampler(seed=1)))
    study.ask()
    found = sampler.sample_relative(study, study.get_trials()[0], SPACE)
    assert found == ({**drawn, "layers": 3} if drawn else {})
    assert {type(found[name]) for name in found.keys() & {"units", "width"}} <= {int}
    smooth = {name for name, one in searched.items() if one != SPACE[name]}
    assert smooth == {"units", "width", "rate"}
    assert searched["units"] == FloatDistribution(15.5, 512.5, log=True)


def test_a_study_draws_within_a_wide_space() -> None:
    study = optuna.create_study(sampler=WideGPSampler(seed=1, n_startup_trials=4))
    for _ in range(7):
        trial = study.ask(SPACE)
        params = trial.params
        loss = abs(params["units"] - 100) / 100 + abs(params["width"] - 90) / 100 + params["rate"]
        study.tell(trial, loss)
    for past in study.trials:
        for name, distribution in SPACE.items():
            assert distribution._contains(distribution.to_internal_repr(past.params[name]))
