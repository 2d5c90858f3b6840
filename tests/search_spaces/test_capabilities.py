"""What strategies and schedulers cannot do is refused, with the member at fault and a way out."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import SAMPLERS, SCHEDULERS, SearchSpace
from search_spaces.capabilities import (
    SAMPLER_ABILITIES,
    SCHEDULER_ABILITIES,
    capable,
    refusals,
)

RANGES = {"rate": {"low": 0.001, "high": 0.1}, "layers": {"low": 1, "high": 3}}
LIST = {**RANGES, "activation": {"values": ["relu", "tanh"]}}
CONDITION = {**LIST, "width": {"low": 1, "high": 9, "when": {"layers": 2}}}
TWO = [{"metric": "accuracy", "mode": "max"}, {"metric": "seconds", "mode": "min"}]
KNOWN = [{"parameters": {"layers": 2}, "values": [0.5]}]
SPACE: dict[str, Any] = {
    "name": "any", "trainable": "mine", "dataset": "images", "epochs": 9, "metric": "accuracy",
    "mode": "max", "strategy": "random", "parameters": RANGES,
}  # fmt: skip


def refused(**members: Any) -> list[str]:
    space = SearchSpace.from_json({**SPACE, **members})
    return [str(problem) for problem in refusals(space)]


def pointers(**members: Any) -> list[str]:
    return [text.partition(":")[0] for text in refused(**members)]


def test_every_sampler_and_every_scheduler_has_a_row() -> None:
    assert tuple(SAMPLER_ABILITIES) == SAMPLERS
    assert tuple(SCHEDULER_ABILITIES) == SCHEDULERS


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_ranges_and_one_objective_suit_every_sampler(strategy: str) -> None:
    assert pointers(strategy=strategy) == []


@pytest.mark.parametrize(
    ("members", "able"),
    [
        ({"parameters": RANGES}, ("random", "sobol", "tpe", "gp", "cmaes", "nsga2")),
        ({"parameters": LIST}, ("random", "sobol", "tpe", "gp", "nsga2")),
        ({"parameters": CONDITION}, ("random", "tpe")),
        ({"parameters": {"rate": RANGES["rate"], "layers": 1}},
         ("random", "sobol", "tpe", "gp")),
        ({"objectives": TWO}, ("random", "sobol", "tpe", "gp", "nsga2")),
        ({"constraints": [{"metric": "seconds", "at_most": 1}]},
         ("random", "sobol", "tpe", "gp", "nsga2")),
    ],
)  # fmt: skip
def test_a_sampler_is_refused_exactly_what_it_cannot_do(
    members: dict[str, Any], able: tuple[str, ...]
) -> None:
    assert capable(SearchSpace.from_json({**SPACE, **members})) == able
    for strategy in SAMPLERS:
        expected = set() if strategy in (*able, "auto") else {"/strategy"}
        assert set(pointers(**members, strategy=strategy)) == expected


def test_a_refusal_names_the_parameter_and_the_samplers_that_can() -> None:
    assert refused(parameters=CONDITION, strategy="gp") == [
        "/strategy: gp cannot draw width, which exists under conditions; use one of: random, tpe"
    ]
    assert refused(parameters=LIST, strategy="cmaes") == [
        "/strategy: cmaes draws numbers of ranges only, and activation is a list of values; "
        "use one of: random, sobol, tpe, gp, nsga2"
    ]


@pytest.mark.parametrize("strategy", ["random", "sobol"])
def test_what_learns_nothing_takes_no_history(strategy: str) -> None:
    assert pointers(strategy=strategy, warm_start=["a"]) == ["/warm_start"]
    assert pointers(strategy=strategy, history=KNOWN) == ["/history"]
    assert pointers(strategy="tpe", warm_start=["a"], history=KNOWN) == []


def test_a_population_is_drawn_at_random_and_its_schedule_is_not_confirmed() -> None:
    pbt = {"scheduler": {"name": "pbt", "population": 2}}
    for strategy in SAMPLERS:
        expected = [] if strategy in ("random", "sobol") else ["/strategy"]
        assert pointers(strategy=strategy, **pbt, confirm=False) == expected
    assert pointers(confirm=True, **pbt) == ["/confirm"]
    patience = {"budget": {"trials_without_improvement": 3}}
    assert pointers(**patience, **pbt) == ["/budget/trials_without_improvement"]
    assert pointers(**patience, scheduler="asha") == []


@pytest.mark.parametrize("strategy", ["single", "one_at_a_time", "grid"])
def test_strategies_that_list_run_nothing_else(strategy: str) -> None:
    told = {"warm_start": ["a"], "history": KNOWN}
    members = {"strategy": strategy, "enqueue": [{"layers": 2}], **told}
    listed = {"rate": {"values": [0.1, 0.2]}, "layers": RANGES["layers"]}
    assert pointers(**members, parameters=listed) == ["/enqueue", "/warm_start", "/history"]
    assert pointers(strategy=strategy, parameters=listed, scheduler="asha") == []


@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name not in ("none", "auto")])
def test_schedulers_compare_single_trials_by_one_objective_that_changes(scheduler: str) -> None:
    assert pointers(scheduler=scheduler) == []
    assert pointers(scheduler=scheduler, objectives=TWO) == ["/scheduler"]
    assert pointers(scheduler=scheduler, metric="seconds", mode="min") == ["/scheduler"]
    assert pointers(scheduler=scheduler, repeats=2) == ["/repeats"]


@pytest.mark.parametrize("members", [{"scheduler": "none"}, {"strategy": "auto"}])
def test_without_a_scheduler_all_of_that_is_allowed(members: dict[str, Any]) -> None:
    assert pointers(objectives=TWO, repeats=3, **members) == []
    assert pointers(metric="seconds", mode="min", **members) == []


def test_a_scheduler_is_chosen_only_together_with_a_sampler() -> None:
    assert pointers(strategy="auto", scheduler="auto") == []
    assert pointers(strategy="random", scheduler="auto") == ["/scheduler"]


def test_what_is_confirmed_is_one_winner_among_several_of_one_seed() -> None:
    assert pointers(confirm=True) == pointers(confirm=True, scheduler="asha") == []
    assert pointers(confirm=True, repeats=2) == ["/confirm"]
    assert pointers(confirm=True, objectives=TWO) == ["/confirm"]
    assert pointers(confirm=True, strategy="single") == ["/confirm"]
