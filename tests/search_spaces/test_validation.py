"""The check of a space against what its trainable takes, reports and trains on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from search_spaces import (
    Code,
    Range,
    SearchSpace,
    SearchSpaceError,
    check,
    configurations,
)
from search_spaces.strategies import defaults


class Kind(Enum):
    """A parameter declared by an enumeration, which the schema refers to."""

    PLAIN = "plain"
    FANCY = "fancy"


class Model(BaseModel):
    """One parameter of each shape that pydantic writes into a schema."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    rate: float = Field(0.1, gt=0, le=10)
    dropout: float = Field(0.3, ge=0, lt=1)
    size: int = Field(10, ge=1, le=4096)
    activation: Literal["relu", "tanh"] = "relu"
    width: Literal[8, 16, 32] = 8
    even: int = Field(2, multiple_of=2)
    decay: float | None = Field(None, ge=0)
    number: int | float = 1
    gap: Annotated[int, Field(le=0)] | Annotated[int, Field(ge=10)] = 0
    kind: Kind = Kind.PLAIN
    flag: bool = False
    free: Any = None


class Needy(BaseModel):
    """A trainable with a parameter that has no default."""

    size: int


METRICS = {"train_loss": "train", "validation_accuracy": "validation", "test_accuracy": "test"}


def space(parameters: Mapping[str, Any], **members: Any) -> SearchSpace:
    return SearchSpace.from_json(
        {
            "name": "tried",
            "trainable": "any",
            "dataset": "images",
            "epochs": 1,
            "metric": "validation_accuracy",
            "mode": "max",
            "strategy": "single",
            "parameters": parameters,
            **members,
        }
    )


def problems(
    declared: SearchSpace, model: type[BaseModel] = Model, **more: Any
) -> set[tuple[str, Code]]:
    """Return what the check finds."""
    try:
        check(
            declared,
            **{
                "schema": model.model_json_schema(),
                "metrics": METRICS,
                "datasets": ("images",),
                "max_trials": 100,
                **more,
            },
        )
    except SearchSpaceError as error:
        return {(problem.pointer, problem.code) for problem in error.problems}
    return set()


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("rate", 1),
        ("rate", {"values": [0.001, 10]}),
        ("rate", {"low": 1e-5, "high": 10.0, "log": True}),
        ("dropout", {"low": 0.0, "high": 0.9, "step": 0.1}),
        ("size", {"low": 1, "high": 4096, "log": True}),
        ("activation", {"values": ["tanh", "relu"]}),
        ("width", {"low": 8, "high": 32, "step": 24}),
        ("even", {"low": 2, "high": 8, "step": 2}),
        ("decay", {"values": [None, 0.1]}),
        ("decay", {"low": 0.0, "high": 1.0}),
        ("number", {"low": 1, "high": 3}),
        ("number", {"low": 1.5, "high": 3.5}),
        ("gap", {"low": -5, "high": 0}),
        ("kind", {"values": ["plain", "fancy"]}),
        ("flag", {"values": [True, False]}),
        ("free", {"values": [1, "x", None]}),
        ("free", {"low": 0.5, "high": 1.5}),
    ],
)
def test_valid_domains_pass(name: str, good: Any) -> None:
    assert problems(space({name: good})) == set()


@pytest.mark.parametrize(
    ("name", "bad", "pointers"),
    [
        ("rate", 0, [""]),
        ("rate", "0.1", [""]),
        ("rate", True, [""]),
        ("rate", None, [""]),
        ("rate", {"value": 11, "when": {}}, [""]),
        ("rate", {"values": [0.1, 11, 0.2, -1]}, ["/values/1", "/values/3"]),
        ("rate", {"low": 0.0, "high": 11.0}, ["/low", "/high"]),
        ("rate", {"low": 1, "high": 3}, ["/type"]),
        ("dropout", {"low": 0.0, "high": 1.0}, ["/high"]),
        ("size", 2.0, [""]),
        ("size", {"low": 1.0, "high": 4.0}, ["/type"]),
        ("size", {"low": 0, "high": 5000}, ["/low", "/high"]),
        ("activation", "rleu", [""]),
        ("activation", {"low": 0, "high": 1}, ["/type"]),
        ("width", {"low": 8, "high": 32}, [""]),
        ("even", {"low": 2, "high": 5000}, [""]),
        ("decay", {"low": -1.0, "high": 1.0}, ["/low"]),
        ("decay", {"values": [None, -1]}, ["/values/1"]),
        ("gap", {"low": -5, "high": 15}, ["/high"]),
        ("kind", {"values": ["plain", "plane"]}, ["/values/1"]),
        ("flag", 1, [""]),
        ("flag", "true", [""]),
    ],
)
def test_every_value_that_a_domain_can_take_must_be_valid(
    name: str, bad: Any, pointers: list[str]
) -> None:
    assert problems(space({name: bad})) == {
        (f"/parameters/{name}{pointer}", Code.INVALID_VALUE) for pointer in pointers
    }


NUMBERS = st.integers(-3, 12) | st.floats(-3, 12, allow_nan=False)
PROPERTIES = st.sampled_from(["rate", "dropout", "size", "width", "even", "decay", "gap", "kind"])


@settings(deadline=None)
@given(PROPERTIES, st.lists(NUMBERS, min_size=1, max_size=5, unique_by=lambda value: value))
def test_listed_values_are_judged_as_pydantic_judges_them(name: str, values: list[Any]) -> None:
    found = problems(space({name: {"values": values}}, strategy="grid"))
    wrong = {i for i, value in enumerate(values) if not accepted({name: value})}
    assert found == {(f"/parameters/{name}/values/{i}", Code.INVALID_VALUE) for i in wrong}


@settings(deadline=None)
@given(PROPERTIES, st.integers(-3, 12), st.integers(0, 6), st.sampled_from(["int", "float"]))
def test_a_range_that_passes_holds_only_values_that_pydantic_accepts(
    name: str, low: int, steps: int, kind: Literal["int", "float"]
) -> None:
    domain = Range(low, low + steps, low, step=1, type=kind)
    declared = space({name: domain.to_json()}, strategy="grid")
    if not problems(declared):
        assert all(accepted(config) for config in configurations(declared))


def accepted(config: Mapping[str, Any]) -> bool:
    try:
        Model.model_validate(config)
    except ValidationError:
        return False
    return True


def test_an_unknown_parameter_is_named_with_the_close_one() -> None:
    with pytest.raises(SearchSpaceError, match=r"/parameters/drop_out: .* did you mean dropout\?"):
        check(
            space({"drop_out": 0.5}),
            schema=Model.model_json_schema(),
            metrics=METRICS,
            datasets=("images",),
            max_trials=1,
        )


def test_a_bad_value_is_told_what_would_be_good() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        check(
            space({"rate": 0, "size": 1.5, "activation": "rleu"}),
            schema=Model.model_json_schema(),
            metrics=METRICS,
            datasets=("images",),
            max_trials=1,
        )
    assert [(problem.detail, problem.hint) for problem in caught.value.problems] == [
        ("0 is not valid for rate", "rate takes a number greater than 0 and at most 10"),
        ("1.5 is not valid for size", "size takes a whole number at least 1 and at most 4096"),
        ('"rleu" is not valid for activation', "did you mean relu?"),
    ]


def test_a_parameter_without_default_must_be_declared() -> None:
    missing = {("/parameters/size", Code.MISSING)}
    assert problems(space({}), Needy) == missing
    sometimes = {"size": {"values": [1, 2], "when": {"other": 1}}, "other": 1}
    assert problems(space(sometimes), Needy) == missing
    assert problems(space({"size": 1}), Needy) == set()


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"metric": "validation_acuracy"}, "/metric", Code.UNKNOWN_METRIC),
        ({"metric": "test_accuracy"}, "/metric", Code.TEST_METRIC),
        ({"dataset": "imges"}, "/dataset", Code.UNKNOWN_DATASET),
        ({"strategy": "random"}, "/strategy", Code.NOTHING_TO_VARY),
    ],
)
def test_metric_data_set_and_strategy(members: dict[str, Any], pointer: str, code: Code) -> None:
    assert problems(space({"size": {"values": [3]}}, **members)) == {(pointer, code)}


SIZES = {"size": {"low": 1, "high": 9}, "rate": {"low": 0.1, "high": 1.0}}


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"objectives": [{"metric": "validation_accuracy", "mode": "max"},
                         {"metric": "test_accuracy", "mode": "max"}]},
         "/objectives/1/metric", Code.TEST_METRIC),
        ({"objectives": [{"metric": "accuracy", "mode": "max"},
                         {"metric": "seconds", "mode": "min"}]},
         "/objectives/0/metric", Code.UNKNOWN_METRIC),
        ({"constraints": [{"metric": "seconds", "at_most": 9},
                          {"metric": "test_accuracy", "at_least": 0.5}]},
         "/constraints/1/metric", Code.TEST_METRIC),
        ({"constraints": [{"metric": "bytes", "at_most": 9}]},
         "/constraints/0/metric", Code.UNKNOWN_METRIC),
        ({"strategy": "cmaes", "parameters": {"size": {"values": [1, 2]}, "rate": SIZES["rate"]}},
         "/strategy", Code.NOT_APPLICABLE),
        ({"repeats": 100, "trials": 11}, "/trials", Code.TOO_MANY_TRIALS),
    ],
)  # fmt: skip
def test_what_the_search_is_after_and_how_it_goes_on(
    members: dict[str, Any], pointer: str, code: Code
) -> None:
    metric = {} if "objectives" in members else {"metric": "validation_accuracy", "mode": "max"}
    raw = {"name": "s", "trainable": "t", "dataset": "images", "epochs": 3, "strategy": "random",
           "parameters": SIZES, **metric, **members}  # fmt: skip
    assert problems(SearchSpace.from_json(raw)) == {(pointer, code)}


def test_every_trial_has_its_seconds_and_the_size_of_its_model() -> None:
    limits = [{"metric": "seconds", "at_most": 9}, {"metric": "model_bytes", "at_most": 10**6}]
    assert problems(space(SIZES, constraints=limits, strategy="random")) == set()
    assert problems(space(SIZES, metric="seconds", strategy="random")) == set()


def test_replaced_objectives_are_refused_in_their_list() -> None:
    replaced = space(SIZES, strategy="random").with_overrides(
        search={"objectives": [{"metric": "loss", "mode": "min"}]}
    )
    found = problems(replaced, pointer="/search_space", overridden=["/objectives"])
    assert found == {("/objectives/0/metric", Code.UNKNOWN_METRIC)}


def test_a_strategy_must_be_able_to_list_the_domains() -> None:
    open_range = {"rate": {"low": 0.1, "high": 1.0}}
    assert problems(space(open_range)) == set()
    assert problems(space(open_range, strategy="tpe")) == set()
    for strategy in ("grid", "one_at_a_time"):
        found = problems(space(open_range, strategy=strategy))
        assert found == {("/parameters/rate", Code.NOT_LISTABLE)}


def test_a_billion_trials_are_refused_at_once() -> None:
    size = {"values": list(range(1, 1001))}
    vast = {"size": size, "rate": size, "number": size}
    declared = space({**vast, "rate": {"low": 0.001, "high": 1.0, "step": 0.001}}, strategy="grid")
    assert problems(declared) == {("/parameters", Code.TOO_MANY_TRIALS)}
    sampled = space({"size": size}, strategy="random", trials=101)
    assert problems(sampled) == {("/trials", Code.TOO_MANY_TRIALS)}
    assert problems(space({"size": size}, strategy="random", trials=100)) == set()


def test_all_is_told_at_once_and_where_it_was_said() -> None:
    declared = space({"rate": 0, "size": {"low": 0, "high": 4}, "sze": 1}, metric="x", dataset="y")
    where = {"pointer": "/search_space", "overridden": ("/parameters/rate", "/dataset")}
    assert problems(declared, **where) == {
        ("/parameters/rate", Code.INVALID_VALUE),
        ("/search_space/parameters/size/low", Code.INVALID_VALUE),
        ("/search_space/parameters/sze", Code.UNKNOWN_PARAMETER),
        ("/search_space/metric", Code.UNKNOWN_METRIC),
        ("/dataset", Code.UNKNOWN_DATASET),
    }


def test_the_defaults_of_a_checked_space_are_valid() -> None:
    declared = space({"rate": {"low": 0.5, "high": 1.0}, "size": {"low": 2, "high": 3}})
    assert problems(declared) == set()
    assert accepted(defaults(declared))


class Ruled(BaseModel):
    """Parameters with rules that a bare type does not tell."""

    model_config = ConfigDict(strict=True, extra="allow")

    units: int = Field(8, ge=8, multiple_of=8)
    name: str = Field("a1", pattern="^[a-z][0-9]$")
    code: str = Field("ab", min_length=2, max_length=3)
    sizes: list[Annotated[int, Field(ge=1)]] = Field([64], min_length=1, max_length=3)
    rate: float = Field(0.5, gt=0, lt=1)
    only: Literal["x"] = "x"
    width: Literal[8, 16] = 8
    since: date = date(2020, 1, 1)


@pytest.mark.parametrize(
    ("name", "bad", "hint"),
    [
        ("units", 12, "units takes a whole number at least 8 and divisible by 8"),
        ("name", "A", 'name takes text matching the pattern "^[a-z][0-9]$"'),
        ("code", "abcd", "code takes text at least 2 long and at most 3 long"),
        ("rate", 1.0, "rate takes a number greater than 0 and less than 1"),
        ("only", "y", 'only takes "x"'),
        ("width", 9, "use one of 8, 16"),
        ("since", "soon", 'since takes text in the format "date"'),
        (
            "sizes",
            {"value": [0]},
            "sizes takes a list at least 1 long and at most 3 long and with each entry "
            "a whole number at least 1",
        ),
        ("units", {"low": 8, "high": 9000}, 'list them: {"values": [...]}'),
    ],
)
def test_a_hint_names_the_rule_that_was_broken(name: str, bad: Any, hint: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        check(
            space({name: bad}),
            schema=Ruled.model_json_schema(),
            metrics=METRICS,
            datasets=("images",),
            max_trials=100,
        )
    assert [problem.hint for problem in caught.value.problems] == [hint]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"sizes": {"values": [[64, 64], [128]]}}, {"sizes": {"values": [[64], [], [1, 2, 3, 4]]}}),
        ({"model.optimizer.lr": 0.1, "num-layers": {"low": 1, "high": 3}}, {"units": 9.5}),
    ],
)
def test_lists_and_dotted_names_are_checked_against_the_schema(good: Any, bad: Any) -> None:
    assert problems(space(good), Ruled) == set()
    assert {code for _, code in problems(space(bad), Ruled)} == {Code.INVALID_VALUE}


def test_a_number_of_trials_is_told_as_a_number() -> None:
    vast = {f"p{i}": {"values": list(range(1000))} for i in range(6)}
    with pytest.raises(SearchSpaceError, match=r"the search has 1000000000000000000 trials; at m"):
        check(
            space(vast, strategy="grid"),
            schema=Ruled.model_json_schema(),
            metrics=METRICS,
            datasets=("images",),
            max_trials=100,
        )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([{"at_most": 1}, {"at_least": 2}], {"/constraints/1/at_least"}),
        ([{"at_least": 2}, {"at_most": 1}], {"/constraints/1/at_most"}),
        ([{"at_least": 1, "at_most": 2}, {"at_least": 3, "at_most": 4}],
         {"/constraints/1/at_least"}),
        ([{"at_least": 0}, {"at_least": 2}, {"at_most": 1}], {"/constraints/2/at_most"}),
        ([{"at_most": 2}, {"at_least": 2}, {"at_most": 5}], set()),
    ],
)  # fmt: skip
def test_constraints_that_no_value_meets_together_are_refused(
    limits: list[dict[str, float]], expected: set[str]
) -> None:
    constraints = [{"metric": "seconds", **limit} for limit in limits]
    other = {"metric": "model_bytes", "at_least": 1e9}
    found = problems(space({}, constraints=[*constraints, other]))
    assert found == {(pointer, Code.OUT_OF_RANGE) for pointer in expected}
