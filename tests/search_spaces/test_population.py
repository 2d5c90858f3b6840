"""What a population may change, what a copy's values are, and what is refused."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from search_spaces import SearchSpace, changing, explored
from search_spaces.population import drawn, population_problems
from search_spaces.reading import read_domain

RATE = {"low": 0.001, "high": 0.1, "log": True}
SPACE: dict[str, Any] = {
    "name": "any", "trainable": "mine", "dataset": "images", "epochs": 9, "metric": "accuracy",
    "mode": "max", "strategy": "random",
    "parameters": {"rate": RATE, "width": {"values": [8, 16, 32]}, "fixed": 1},
    "scheduler": "pbt",
}  # fmt: skip


def space(perturb: list[str] | None = None, **members: Any) -> SearchSpace:
    scheduler = {"name": "pbt", "perturb": perturb, **members.pop("scheduler", {})}
    return SearchSpace.from_json({**SPACE, "scheduler": scheduler, **members})


def problems(declared: SearchSpace, **given: Any) -> list[str]:
    found = {"resumes": True, "changeable": ("rate", "fixed"), **given}
    return [str(problem) for problem in population_problems(declared, **found)]


def test_what_changes_is_named_or_all_that_varies_and_may() -> None:
    assert changing(space(), ("fixed", "rate", "other")) == ("rate",)
    assert changing(space(["width", "rate"]), None) == ("rate", "width")
    assert changing(space(), None) == ()


def test_what_the_trainable_can_do_is_not_refused() -> None:
    assert problems(space()) == problems(space(["rate"])) == []
    assert problems(space(["width"]), changeable=None) == []
    plain = SearchSpace.from_json({**SPACE, "scheduler": "asha"})
    assert problems(plain, resumes=False, changeable=None) == []


@pytest.mark.parametrize(
    ("perturb", "given", "text"),
    [
        (None, {"resumes": False}, "/scheduler: pbt hands the state of one trial to another, and "
         "mine cannot resume; use asha or median, or let the trainable resume"),
        (None, {"changeable": None}, "/scheduler/perturb: a program does not say which parameters "
         'may change while it trains; name them: "perturb": ["learning_rate"]'),
        (None, {"changeable": ("decay",)}, "/scheduler: no parameter that varies may change while "
         "mine trains; vary one of: decay"),
        (["rat"], {}, '/scheduler/perturb/0: the space has no parameter "rat"; did you mean rate?'),
        (["rate", "fixed"], {}, "/scheduler/perturb/1: fixed has one value"),
        (["width"], {}, "/scheduler/perturb/0: width may not change while mine trains: its state "
         "would not fit; leave it out; these may: rate"),
    ],
)  # fmt: skip
def test_what_cannot_change_is_refused(
    perturb: list[str] | None, given: dict[str, Any], text: str
) -> None:
    (found,) = problems(space(perturb), **given)
    assert found.startswith(text)


def test_a_population_needs_as_many_configurations() -> None:
    few = {"rate": {"values": [0.1, 0.2, 0.3]}}
    assert problems(space(parameters=few)) == [
        "/scheduler/population: the population has 8 trials, and there are only 3 different "
        "configurations; use a population of at most 3, or more values"
    ]
    assert problems(space(parameters=few, scheduler={"population": 3})) == []


def test_nothing_that_stays_depends_on_what_changes() -> None:
    width = {"low": 1, "high": 9, "when": {"rate": {"at_most": 0.01}}}
    (found,) = problems(space(["rate"], parameters={"rate": RATE, "width": width}))
    assert found.startswith("/parameters/width/when/rate: width depends on rate, which changes")
    both = {"changeable": ("rate", "width")}
    assert (
        problems(space(["rate", "width"], parameters={"rate": RATE, "width": width}), **both) == []
    )


def test_values_are_perturbed_within_their_domains() -> None:
    parameters = {
        "rate": RATE, "units": {"low": 1, "high": 100, "type": "int"},
        "decay": {"low": 0.0, "high": 0.5, "step": 0.1}, "width": {"values": [32, 8, 16]},
        "kind": {"values": ["a", "b", "c"]}, "size": {"low": 1, "high": 9},
    }  # fmt: skip
    declared = space(["rate", "units", "decay", "width", "kind"], parameters=parameters,
                     scheduler={"resample_probability": 0})  # fmt: skip
    start = {"rate": 0.01, "units": 2, "decay": 0.2, "width": 16, "kind": "a", "size": 5}
    seen: dict[str, set[Any]] = {name: set() for name in parameters}
    for seed in range(40):
        found = explored(declared, start, changing(declared, None), Random(seed))
        assert list(found) == list(parameters)
        for name, value in found.items():
            assert value in declared.parameters[name]
            seen[name].add(value)
    assert seen == {
        "rate": {0.01 * 0.8, 0.01 * 1.2}, "units": {1, 3}, "decay": {0.1, 0.3}, "width": {8, 32},
        "kind": {"a", "b", "c"}, "size": {5},
    }  # fmt: skip


def test_a_value_at_a_bound_stays_within() -> None:
    ends = {"rate": 0.1, "width": 32, "fixed": 1}
    declared = space(["rate", "width"], scheduler={"resample_probability": 0})
    found = [explored(declared, ends, ("rate", "width"), Random(seed)) for seed in range(20)]
    assert {one["rate"] for one in found} == {0.1, 0.1 * 0.8}
    assert {one["width"] for one in found} == {16, 32}


def test_what_is_drawn_anew_comes_from_the_whole_domain() -> None:
    declared = space(["rate", "width"], scheduler={"resample_probability": 1})
    start = {"rate": 0.01, "width": 16, "fixed": 1}
    found = [explored(declared, start, ("rate", "width"), Random(seed)) for seed in range(300)]
    widths = Counter(one["width"] for one in found)
    assert min(widths[width] for width in (8, 16, 32)) > 70
    below = sum(one["rate"] < 0.01 for one in found)  # type: ignore[operator]
    assert 110 < below < 190  # half of a logarithmic scale


def test_a_parameter_comes_and_goes_with_the_one_it_depends_on() -> None:
    decay = {"low": 0.1, "high": 0.2, "when": {"rate": {"at_least": 0.01}}}
    names = ("rate", "decay")
    declared = space(
        list(names), parameters={"rate": RATE, "decay": decay},
        scheduler={"resample_probability": 0},
    )  # fmt: skip
    for seed in range(20):
        low = explored(declared, {"rate": 0.009}, names, Random(seed))
        high = explored(declared, {"rate": 0.011, "decay": 0.15}, names, Random(seed))
        assert ("decay" in low) == (low["rate"] >= 0.01)  # type: ignore[operator]
        assert ("decay" in high) == (high["rate"] >= 0.01)  # type: ignore[operator]
        assert high.get("decay") in (None, 0.15 * 0.8, 0.15 * 1.2)
        assert low.get("decay") is None or 0.1 <= low["decay"] <= 0.2  # type: ignore[operator]


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ({"low": 1, "high": 4, "log": True, "type": "int"}, {1, 2, 3, 4}),
        ({"low": 0.0, "high": 1.0, "step": 0.5}, {0.0, 0.5, 1.0}),
        ({"values": ["a", None, [1]]}, ["a", None, [1]]),
        (7, {7}),
    ],
)
def test_every_value_of_a_domain_is_drawn(raw: Any, values: Any) -> None:
    domain, random = read_domain(raw), Random(0)
    found = [drawn(domain, random) for _ in range(200)]
    assert all(any(value == one for one in found) for value in values)
    assert all(value in list(values) for value in found)
