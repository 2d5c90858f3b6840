"""Whatever a client sends, it is either a space that can be run or a list of problems."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import (
    PROGRAM_KEYS,
    Library,
    SearchSpace,
    SearchSpaceError,
    check,
    configurations,
    count,
    defaults,
)
from trainables import registry
from trainables.programs import trainable_of

KEYS = st.sampled_from(
    ["values", "value", "low", "high", "log", "step", "type", "default", "when", "optimizer"]
) | st.text(st.characters(), max_size=4)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=6)
    | st.sampled_from(["grid", "tpe", "max", "adam", "sgd", 1, 0.5, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["learning_rate", "hidden_size", "optimizer", "layers", "x"])
PARAMETERS = st.dictionaries(NAMES, JSON, max_size=4) | JSON
MEMBERS = st.sampled_from([*Library().get("q4_grid").to_json(), "trials", "description"])


def run(space: SearchSpace) -> None:
    """Check the space, and list what passes."""
    trainable = registry.get("torch_feedforward")
    check(
        space,
        schema=trainable.schema(),
        metrics={metric.name: metric.split for metric in trainable.metrics},
        datasets=trainable.datasets,
        max_trials=1000,
    )
    trainable.parameters.model_validate(defaults(space))
    if not space.is_sampled:
        for config in configurations(space):
            trainable.parameters.model_validate(config)
    assert count(space) <= 1000


def is_run_or_told(act: Any) -> None:
    try:
        space = act()
        assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
        run(space)
    except SearchSpaceError as error:
        told = [(p.pointer, p.detail, p.code, p.hint) for p in error.problems]
        json.dumps(told, ensure_ascii=False).encode("utf-8")


@settings(deadline=None)
@given(JSON)
def test_any_json_as_a_space(raw: Any) -> None:
    is_run_or_told(lambda: SearchSpace.from_json(raw))


@settings(deadline=None)
@given(st.dictionaries(MEMBERS, JSON, max_size=3), PARAMETERS)
def test_a_space_with_some_members_replaced(members: dict[str, Any], parameters: Any) -> None:
    raw = {**Library().get("q4_grid").to_json(), "parameters": parameters, **members}
    is_run_or_told(lambda: SearchSpace.from_json(raw))


@settings(deadline=None)
@given(PARAMETERS, JSON, JSON, JSON)
def test_a_job_with_any_overrides(parameters: Any, strategy: Any, epochs: Any, trials: Any) -> None:
    space = Library().get("q4_feedforward")
    is_run_or_told(lambda: space.with_overrides(parameters, strategy, epochs, trials))


# Each a domain that suits the parameter, or nearly: about a third of the drawn jobs can be run.
NEARLY_RIGHT: dict[str, list[Any]] = {
    "learning_rate": [
        0.1,
        {"values": [0.1, 1]},
        {"low": 0.1, "high": 1.0, "step": 0.1},
        {"low": 0.1, "high": 10.0, "log": True, "when": {"optimizer": ["sgd", "adam"]}},
        {"low": 0, "high": 1},
    ],
    "dropout": [0, {"low": 0.0, "high": 0.9, "step": 0.3}, {"low": 0.0, "high": 1.0}],
    "optimizer": ["adam", {"values": ["adam", "sgd"], "when": {"layers": [1, 2]}}],
    "layers": [
        2,
        {"low": 1, "high": 3},
        {"values": [1, 2], "when": {"hidden_size": 100}},
        {"values": [1, 2], "when": {"optimizer": "adam"}},
    ],
    "hidden_size": [{"low": 100, "high": 300, "step": 100}, {"values": [100, 200], "default": 3}],
}


@settings(deadline=None)
@given(
    st.fixed_dictionaries({}, optional={n: st.sampled_from(d) for n, d in NEARLY_RIGHT.items()}),
    st.sampled_from(["grid", "one_at_a_time", "tpe", "single"]),
)
def test_a_job_with_nearly_right_overrides(parameters: dict[str, Any], strategy: str) -> None:
    space = Library().get("q4_feedforward")
    is_run_or_told(lambda: space.with_overrides(parameters, strategy))


TEXTS = st.sampled_from(
    ["{args}", "{x}", "{layers}", "{", "}}", "{seed}", "--a {x}", "p", "", "a(b)", "(", "true", "."]
)
PROGRAM_JSON = JSON | st.lists(TEXTS | JSON, max_size=4) | st.dictionaries(TEXTS, TEXTS, max_size=3)
PROGRAMS = st.dictionaries(st.sampled_from(PROGRAM_KEYS), PROGRAM_JSON, max_size=4)


@settings(deadline=None)
@given(PROGRAMS, PARAMETERS, st.sampled_from(["command", "a.py:f", "grid"]))
def test_any_program(program: dict[str, Any], parameters: Any, trainable: str) -> None:
    raw = {
        "name": "mine", "trainable": trainable, "metric": "b", "mode": "min",
        "parameters": parameters, **program,
    }  # fmt: skip
    try:
        space = SearchSpace.from_json(raw)
    except SearchSpaceError as error:
        json.dumps([str(problem) for problem in error.problems])
        return
    assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
    assert SearchSpace.from_stored(space.fixed_at(defaults(space)).to_json()).program is not None
    found = trainable_of(space)
    assert found.schema()["type"] == "object"
