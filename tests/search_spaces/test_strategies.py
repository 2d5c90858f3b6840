"""Strategies: which configurations they list, in which order, and what samplers can reach."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import (
    Choice,
    Code,
    Constant,
    Domain,
    Range,
    SearchSpace,
    SearchSpaceError,
    Value,
    configurations,
    count,
    count_distinct,
    defaults,
    suggest,
    suggested,
)
from search_spaces.strategies import Label
from search_spaces.when import Bounds, Condition, When, holds

CONDITIONAL: dict[str, Any] = {
    "optimizer": {"values": ["sgd", "adam"]},
    "momentum": {"values": [0.0, 0.9], "when": {"optimizer": "sgd"}},
    "nesterov": {"values": [False, True], "when": {"momentum": 0.9}},
    "beta": {"values": [0.9, 0.99, 0.999], "when": {"optimizer": "adam"}},
    "batch_size": 1,
}


def space(parameters: Mapping[str, Any], strategy: str = "grid", **members: Any) -> SearchSpace:
    return SearchSpace.from_json(
        {
            "name": "tried",
            "trainable": "any",
            "dataset": "any",
            "epochs": 1,
            "metric": "loss",
            "mode": "min",
            "strategy": strategy,
            "parameters": parameters,
            **members,
        }
    )


class Ends:
    """A suggester that always answers one end: the first value and low, or the last and high."""

    def __init__(self, *, last: bool) -> None:
        self.last = last
        self.asked: list[str] = []

    def suggest_categorical(self, name: str, choices: Sequence[Label]) -> Label:
        self.asked.append(name)
        return choices[-1 if self.last else 0]

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        self.asked.append(name)
        return high if self.last else low

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        self.asked.append(name)
        return high if self.last else low


@st.composite
def conditional_parameters(draw: st.DrawFn, *, listed: bool = True) -> dict[str, Domain]:
    """Up to six parameters, each with conditions on any of those before it in a hidden order."""
    names = draw(st.permutations("abcdef"))[: draw(st.integers(1, 6))]
    parameters: dict[str, Domain] = {}
    for name in names:
        when = {}
        for parent in (
            draw(st.lists(st.sampled_from([*parameters]), unique=True, max_size=2))
            if (parameters)
            else []
        ):
            when[parent] = draw(conditions(parameters[parent]))
        parameters[name] = draw(domains(when, listed=listed))
    return {name: parameters[name] for name in draw(st.permutations(names))}


def conditions(parent: Domain) -> st.SearchStrategy[Condition]:
    """Some of the parent's values, or bounds with one of its numbers inside."""
    some = list(parent.listed()) if parent.size is not None else [parent.default]
    unique = st.lists(st.sampled_from(some), min_size=1, max_size=2, unique_by=repr)
    values = unique.map(tuple)
    numbers = [value for value in some if isinstance(value, int | float)]
    if not numbers:
        return values
    number = st.sampled_from(numbers)
    above = st.tuples(st.just("at_least"), number) | st.tuples(
        st.just("greater_than"), number.map(lambda n: n - 0.05)
    )
    below = st.tuples(st.just("at_most"), st.just(max(numbers))) | st.tuples(
        st.just("less_than"), st.just(max(numbers) + 0.05)
    )
    bounds = above.map(lambda a: [a]) | below.map(lambda b: [b]) | st.tuples(above, below)
    return values | bounds.map(dict).map(Bounds)


def domains(when: When, *, listed: bool) -> st.SearchStrategy[Domain]:
    some: list[st.SearchStrategy[Domain]] = [
        st.integers(0, 3).map(lambda value: Constant(value, when=when)),
        st.integers(1, 3).map(
            lambda n: Choice(("x", "y", None)[:n], ("x", "y", None)[n - 1], when=when)
        ),
        st.integers(1, 3).map(lambda n: Choice(([1, 2], "[1, 2]", [])[:n], [1, 2], when=when)),
        st.integers(0, 3).map(lambda high: Range(0, high, high, type="int", when=when)),
        st.integers(1, 3).map(lambda n: Range(0.1, n / 10, 0.1, step=0.1, when=when)),
    ]
    if not listed:
        some += [
            st.booleans().map(lambda log: Range(0.5, 8.0, 1.5, log=log, when=when)),
            st.just(Range(1, 9, 2, log=True, type="int", when=when)),
        ]
    return st.one_of(some)


def assert_valid(config: Mapping[str, Value], parameters: Mapping[str, Domain]) -> None:
    """Each value lies in its domain, and exactly those parameters are there that exist."""
    for name, domain in parameters.items():
        assert (name in config) == holds(domain.when, config)
        assert name not in config or config[name] in domain
    assert list(config) == [name for name in parameters if name in config]


def keyed(config: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    return tuple((name, repr(value)) for name, value in sorted(config.items()))


@settings(deadline=None)
@given(conditional_parameters(), st.sampled_from(["single", "one_at_a_time", "grid"]))
def test_listed_configurations_are_as_many_as_counted_all_different_and_valid(
    parameters: dict[str, Domain], strategy: str
) -> None:
    declared = as_space(parameters, strategy)
    listed = list(configurations(declared))
    assert len(listed) == count(declared)
    assert len({keyed(config) for config in listed}) == len(listed)
    for config in listed:
        assert_valid(config, declared.parameters)
    assert defaults(declared) in listed


def as_space(parameters: Mapping[str, Domain], strategy: str) -> SearchSpace:
    raw = {name: domain.to_json() for name, domain in parameters.items()}
    return space(raw, strategy)


@settings(deadline=None)
@given(conditional_parameters())
def test_the_grid_holds_every_valid_configuration(parameters: dict[str, Domain]) -> None:
    """Against an oracle without any cleverness: all combinations, absent values included."""
    declared = as_space(parameters, "grid")
    partial: list[dict[str, Value]] = [{}]
    for name, domain in declared.parameters.items():
        partial = [
            {**config, **more}
            for config in partial
            for more in [{}, *({name: value} for value in domain.listed())]
        ]
    valid = {
        keyed(config)
        for config in partial
        if all((n in config) == holds(d.when, config) for n, d in declared.parameters.items())
    }
    assert {keyed(config) for config in configurations(declared)} == valid
    assert count_distinct(declared) == len(valid)


@settings(deadline=None)
@given(conditional_parameters(listed=False), st.booleans())
def test_suggested_configurations_are_valid_and_reach_both_ends(
    parameters: dict[str, Domain], last: bool
) -> None:
    declared = as_space(parameters, "random")
    config = suggest(declared, Ends(last=last))
    assert_valid(config, declared.parameters)
    for name, domain in declared.parameters.items():
        if isinstance(domain, Range) and name in config:
            assert config[name] == (domain.high if last else domain.low)


def test_one_at_a_time_starts_with_the_defaults() -> None:
    parameters = {
        "rate": {"values": [0.1, 0.2, 0.3], "default": 0.2},
        "size": {"values": [100, 200], "default": 200},
        "batch": 1,
    }
    assert [tuple(c.values()) for c in configurations(space(parameters, "one_at_a_time"))] == [
        (0.2, 200, 1),
        (0.1, 200, 1),
        (0.3, 200, 1),
        (0.2, 100, 1),
    ]


def test_one_at_a_time_gives_what_comes_into_being_its_default() -> None:
    assert list(configurations(space(CONDITIONAL, "one_at_a_time"))) == [
        {"optimizer": "sgd", "momentum": 0.0, "batch_size": 1},
        {"optimizer": "adam", "beta": 0.9, "batch_size": 1},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "batch_size": 1},
    ]


def test_the_last_parameter_of_a_grid_varies_fastest() -> None:
    parameters = {"a": {"values": [1, 2]}, "b": {"low": 0, "high": 4, "step": 2}}
    assert [tuple(c.values()) for c in configurations(space(parameters))] == [
        (1, 0),
        (1, 2),
        (1, 4),
        (2, 0),
        (2, 2),
        (2, 4),
    ]


def test_conditional_parameters_are_left_out_of_a_grid() -> None:
    assert list(configurations(space(CONDITIONAL))) == [
        {"optimizer": "sgd", "momentum": 0.0, "batch_size": 1},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "batch_size": 1},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "batch_size": 1},
        {"optimizer": "adam", "beta": 0.9, "batch_size": 1},
        {"optimizer": "adam", "beta": 0.99, "batch_size": 1},
        {"optimizer": "adam", "beta": 0.999, "batch_size": 1},
    ]


def test_the_order_of_declaration_does_not_matter_to_conditions() -> None:
    turned = dict(reversed(CONDITIONAL.items()))
    listed = {keyed(config) for config in configurations(space(turned))}
    assert listed == {keyed(config) for config in configurations(space(CONDITIONAL))}
    asked = Ends(last=True)
    suggest(space(turned, "tpe"), asked)
    assert asked.asked == ["optimizer", "beta"]


def test_a_vast_grid_is_counted_and_started_without_building_it() -> None:
    parameters = {f"p{i}": {"values": list(range(1000))} for i in range(50)}
    parameters["last"] = {"values": [1, 2], "when": {"p0": 3}}
    vast = space(parameters)
    assert count(vast) == 999 * 1000**49 + 2 * 1000**49
    assert next(configurations(vast))["p49"] == 0


def test_conditions_too_interwoven_to_count_are_refused() -> None:
    """Each of 30 parameters is ruled out by its own parent alone: 2^30 sets to keep apart."""
    parameters: dict[str, Any] = {f"p{i}": {"values": [0, 1]} for i in range(30)}
    parameters |= {f"q{i}": {"values": [0, 1], "when": {f"p{i}": 1}} for i in range(30)}
    with pytest.raises(SearchSpaceError) as caught:
        count(space(parameters))
    assert caught.value.problems[0].code is Code.TOO_MANY


def test_a_range_without_step_is_not_listed() -> None:
    parameters = {"a": {"low": 0.0, "high": 1.0}, "b": {"low": 1, "high": 9, "log": True}}
    for strategy in ("grid", "one_at_a_time"):
        for listing in (count, configurations):
            with pytest.raises(SearchSpaceError) as caught:
                listing(space(parameters, strategy))
            found = {(problem.pointer, problem.code) for problem in caught.value.problems}
            assert found == {
                ("/parameters/a", Code.NOT_LISTABLE),
                ("/parameters/b", Code.NOT_LISTABLE),
            }
    assert list(configurations(space(parameters, "single"))) == [{"a": 0.0, "b": 1}]


def test_a_sampler_counts_its_trials_and_lists_nothing() -> None:
    sampled = space({"a": {"values": [1, 2]}}, "tpe", trials=7)
    assert count(sampled) == 7
    with pytest.raises(SearchSpaceError) as caught:
        configurations(sampled)
    assert caught.value.problems[0].code is Code.NOT_LISTABLE


def test_a_space_without_parameters_has_one_configuration() -> None:
    for strategy in ("single", "one_at_a_time", "grid"):
        assert list(configurations(space({}, strategy))) == [{}]
        assert count(space({}, strategy)) == 1


SAMPLED = {
    "rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.1, "high": 0.7, "step": 0.1},
    "size": {"low": 50, "high": 200, "step": 50},
    "layers": {"low": 1, "high": 3, "log": True},
    **CONDITIONAL,
}


@pytest.mark.parametrize("end", ["low", "high"])
def test_optuna_takes_both_ends_of_every_range(end: str) -> None:
    declared = space(SAMPLED, "random")
    fixed = {
        name: raw[end] for name, raw in SAMPLED.items() if isinstance(raw, dict) and end in raw
    }
    fixed |= {"optimizer": "sgd", "momentum": 0.9, "nesterov": True}
    config = suggest(declared, optuna.trial.FixedTrial(fixed))
    assert config == {**fixed, "batch_size": 1}
    assert_valid(config, declared.parameters)


@pytest.mark.parametrize(
    "sampler",
    [
        optuna.samplers.RandomSampler(seed=42),
        optuna.samplers.TPESampler(seed=42, n_startup_trials=10),
    ],
    ids=["random", "tpe"],
)
def test_optunas_samplers_stay_inside_and_reach_the_ends(
    sampler: optuna.samplers.BaseSampler,
) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    declared = space(SAMPLED, "random")
    study = optuna.create_study(sampler=sampler)
    seen: list[dict[str, Value]] = []
    for _ in range(60):
        trial = study.ask()
        seen.append(suggest(declared, trial))
        study.tell(trial, len(seen) % 7)
    for config in seen:
        assert_valid(config, declared.parameters)
    assert {c["size"] for c in seen} == {50, 100, 150, 200}
    assert {c["layers"] for c in seen} == {1, 2, 3}
    assert {c["dropout"] for c in seen} == {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}
    assert {c.get("beta") for c in seen} == {None, 0.9, 0.99, 0.999}


#: Ranges of which binary fractions miss steps by more than Optuna allows.
FINE: dict[str, dict[str, float]] = {
    "many steps": {"low": 0.0, "high": 1000.0, "step": 1e-7},
    "far from 0": {"low": 1e5, "high": 2e5, "step": 0.001},
    "few steps far from 0": {"low": 1e6, "high": 1000001.0, "step": 0.001},
    "eleven values": {"low": 1e9, "high": 1e9 + 1, "step": 0.1},
    "below 0": {"low": -2e6, "high": -1e6, "step": 0.01},
    "almost all doubles": {"low": 0.0, "high": 1.0, "step": 1e-15},
    "vast": {"low": -8e307, "high": 8e307, "step": 1e293},
    "one value": {"low": 5.0, "high": 5.0, "step": 1e-8},
}


@pytest.mark.parametrize("raw", FINE.values(), ids=FINE)
def test_optuna_holds_every_value_of_a_fine_range(raw: dict[str, float]) -> None:
    """What a model is told is a trial that Optuna checks against its distribution."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    declared = space({"x": raw}, "random")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=42))
    for _ in range(40):
        trial = study.ask()
        config = suggest(declared, trial)
        assert_valid(config, declared.parameters)
        again = optuna.trial.FixedTrial(suggested(declared, config))
        assert suggest(declared, again) == config
        for one in (trial, again):
            optuna.trial.create_trial(params=one.params, distributions=one.distributions, value=0)


def test_the_ends_of_a_fine_range_are_drawn_as_often_as_its_other_values() -> None:
    declared = space({"x": FINE["eleven values"]}, "random")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=42))
    drawn = [suggest(declared, study.ask())["x"] for _ in range(550)]
    assert min(drawn.count(end) for end in (1e9, 1e9 + 1)) > 30
    assert len(set(drawn)) == 11


def test_other_ranges_have_their_steps_in_optuna() -> None:
    trial = optuna.create_study().ask()
    suggest(space({"x": {"low": 0.0, "high": 1.0, "step": 1e-6}}, "random"), trial)
    assert trial.distributions["x"] == optuna.distributions.FloatDistribution(0, 1, step=1e-6)


LISTS: dict[str, Any] = {
    "model.hidden-sizes": {"values": [[64, 64], [128], [], "[128]"]},
    "model.dropout": {"values": [None, 0.5], "when": {"model.hidden-sizes": [[64, 64], [128]]}},
    "decay": {"value": 0.1, "when": {"model.dropout": None}},
}


def test_lists_are_values_of_a_grid_and_null_is_a_value_too() -> None:
    assert list(configurations(space(LISTS))) == [
        {"model.hidden-sizes": [64, 64], "model.dropout": None, "decay": 0.1},
        {"model.hidden-sizes": [64, 64], "model.dropout": 0.5},
        {"model.hidden-sizes": [128], "model.dropout": None, "decay": 0.1},
        {"model.hidden-sizes": [128], "model.dropout": 0.5},
        {"model.hidden-sizes": []},
        {"model.hidden-sizes": "[128]"},
    ]
    assert count(space(LISTS)) == 6
    assert [c["model.hidden-sizes"] for c in configurations(space(LISTS, "one_at_a_time"))] == [
        [64, 64], [128], [], "[128]", [64, 64],
    ]  # fmt: skip


def test_conditions_with_bounds_are_counted_and_listed() -> None:
    parameters = {
        "layers": {"low": 1, "high": 4},
        "second": {"values": [64, 128], "when": {"layers": {"at_least": 2}}},
        "third": {"values": [1, 2, 3], "when": {"layers": {"greater_than": 2, "less_than": 4}}},
    }
    listed = [tuple(config.values()) for config in configurations(space(parameters))]
    assert listed == [
        (1,), (2, 64), (2, 128), (3, 64, 1), (3, 64, 2), (3, 64, 3),
        (3, 128, 1), (3, 128, 2), (3, 128, 3), (4, 64), (4, 128),
    ]  # fmt: skip
    assert count(space(parameters)) == len(listed)


def test_a_vast_range_with_bounds_is_counted_without_listing_it() -> None:
    parameters = {
        "size": {"low": 0, "high": 10**12},
        "a": {"values": [1, 2, 3], "when": {"size": {"at_least": 10**6}}},
        "b": {"values": [1, 2], "when": {"size": [5, 10**12]}},
    }
    # Those without either, with b (5), with a, and with both (the end).
    assert count(space(parameters)) == (10**6 - 1) + 2 + 3 * (10**12 - 10**6) + 6


@settings(deadline=None)
@given(conditional_parameters(listed=False), st.booleans())
def test_what_was_suggested_can_be_suggested_again(
    parameters: dict[str, Domain], last: bool
) -> None:
    declared = as_space(parameters, "random")
    config = suggest(declared, Ends(last=last))
    stored = json.loads(json.dumps(config))
    answers = suggested(declared, stored)
    assert all(isinstance(answer, str | int | float | None) for answer in answers.values())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert suggest(declared, optuna.trial.FixedTrial(answers)) == config


@pytest.mark.parametrize(
    "strange", [{"model.hidden-sizes": [64]}, {"model.hidden-sizes": 64}, {"other": 1}]
)
def test_what_cannot_have_been_suggested_is_refused(strange: dict[str, Value]) -> None:
    with pytest.raises(ValueError, match="cannot have been drawn from tried"):
        suggested(space(LISTS, "random"), strange)


def test_optuna_draws_lists_and_keeps_them_in_its_storage() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=5))
    declared = space(LISTS, "tpe")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Optuna warns of choices that it cannot store
        drawn = []
        for number in range(40):
            trial = study.ask()
            drawn.append(suggest(declared, trial))
            study.tell(trial, number % 7)
    sizes = [json.dumps(config["model.hidden-sizes"]) for config in drawn]
    assert set(sizes) == {"[64, 64]", "[128]", "[]", '"[128]"'}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 1),
        ({"b": {"values": [True, False]}}, 2),
        ({"b": {"low": 1, "high": 5, "log": True}, "c": {"values": [1, [2]]}}, 10),
        ({"a": {"values": [None, 1]}, "b": {"values": [1, 2], "when": {"a": None}}}, 3),
        ({"a": {"low": 0.0, "high": 1.0}}, None),
        ({"a": {"low": 0.0, "high": 0.0}}, 1),
        ({f"p{i}": {"values": list(range(1000))} for i in range(6)}, None),  # above 2**53
    ],
)
def test_the_configurations_that_a_sampler_can_draw_are_counted(
    parameters: dict[str, Any], expected: int | None
) -> None:
    assert count_distinct(space(parameters, "random")) == expected


def test_conditions_too_interwoven_to_count_leave_the_number_open() -> None:
    parameters: dict[str, Any] = {f"p{i}": {"values": [0, 1]} for i in range(30)}
    parameters |= {f"q{i}": {"values": [0, 1], "when": {f"p{i}": 1}} for i in range(30)}
    assert count_distinct(space(parameters, "random")) is None
