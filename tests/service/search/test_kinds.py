"""The table of what samplers can do, held against Optuna itself."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.samplers import BaseSampler

import search_spaces
from search_spaces import SearchSpace
from search_spaces.capabilities import SAMPLER_ABILITIES
from service.search.kinds import KINDS

NUMBERS = {name: {"low": 0.0, "high": 1.0} for name in ("x", "y")}
MIXED = {**NUMBERS, "c": {"values": ["a", "b"]}}
CONDITIONAL = {**NUMBERS, "n": {"low": 1, "high": 2}, "z": {"low": 0.0, "high": 1.0,
                                                           "when": {"n": 1}}}  # fmt: skip


def alone(strategy: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the parameters that Optuna's sampler draws by itself at random, not with its rule."""
    space = SearchSpace.from_json({
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 1, "metric": "score",
        "mode": "max", "strategy": strategy, "trials": 20, "parameters": parameters,
    })  # fmt: skip
    sampler = KINDS[strategy].make(space, 1, [])
    drawn: set[str] = set()
    draw = type(sampler).sample_independent

    def noted(self: BaseSampler, study: Any, trial: Any, name: str, domain: Any) -> Any:
        drawn.add(name)
        return draw(self, study, trial, name, domain)

    monkeypatch.setattr(type(sampler), "sample_independent", noted)
    study = optuna.create_study(sampler=sampler)
    for number in range(18):
        if number <= 12:  # the first ten are random, and the next one is the first of a model
            drawn.clear()
        trial = study.ask()
        search_spaces.suggest(space, trial)
        study.tell(trial, (number - 3) ** 2)
    return drawn


def test_every_sampler_has_a_row_and_a_kind() -> None:
    assert set(SAMPLER_ABILITIES) == {*KINDS, "auto"} == set(search_spaces.SAMPLERS)


@pytest.mark.parametrize("strategy", ["sobol", "gp", "cmaes"])
def test_ranges_are_drawn_together(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alone(strategy, NUMBERS, monkeypatch) == set()


@pytest.mark.parametrize("strategy", ["sobol", "gp", "cmaes"])
def test_who_draws_categories(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    can = SAMPLER_ABILITIES[strategy].categories
    assert alone(strategy, MIXED, monkeypatch) == (set() if can else {"c"})


@pytest.mark.parametrize("strategy", ["gp", "cmaes"])
def test_who_draws_under_conditions(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not SAMPLER_ABILITIES[strategy].conditions
    assert alone(strategy, CONDITIONAL, monkeypatch) == {"z"}


@pytest.mark.parametrize("strategy", [name for name in SAMPLER_ABILITIES if name != "auto"])
def test_who_takes_several_objectives(strategy: str) -> None:
    space = SearchSpace.from_json({
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 1, "strategy": strategy,
        "objectives": [{"metric": "a", "mode": "min"}, {"metric": "b", "mode": "min"}],
        "parameters": NUMBERS,
    })  # fmt: skip
    study = optuna.create_study(
        directions=["minimize"] * 2, sampler=KINDS[strategy].make(space, 1, [])
    )

    def run() -> None:
        for _ in range(3):
            trial = study.ask()
            search_spaces.suggest(space, trial)
            study.tell(trial, [0.5, 0.5])

    if SAMPLER_ABILITIES[strategy].objectives:
        run()
    else:
        with pytest.raises(ValueError, match="multi-objective"):
            run()
