"""A schema that a function's owner sends is reduced to rules that can be checked safely."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from search_spaces import SearchSpace, SearchSpaceError, check
from search_spaces.given_schema import read_schema


class Optimizer(BaseModel):
    """A model within the model."""

    kind: Literal["adam", "sgd"] = "adam"


class Parameters(BaseModel, extra="forbid"):
    """What a function takes."""

    learning_rate: float = Field(0.1, gt=0, le=1, description="step size")
    layers: list[int] = Field([64], min_length=1)
    name: str = Field("x", pattern="^(a+)+$")
    optimizer: Optimizer = Optimizer()
    depth: int | None = None
    width: int


def test_a_pydantic_model_becomes_rules_without_references() -> None:
    schema = read_schema(Parameters.model_json_schema(), "")
    rules = schema["properties"]
    assert rules["learning_rate"]["exclusiveMinimum"] == 0
    assert rules["learning_rate"]["description"] == "step size"
    assert rules["layers"]["items"] == {"type": "integer"}
    assert "pattern" not in rules["name"]
    assert rules["optimizer"]["type"] == "object"
    assert rules["depth"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert (schema["required"], schema["additionalProperties"]) == (["width"], False)
    assert read_schema(schema, "") == schema


def test_spaces_are_checked_against_the_schema() -> None:
    raw = {
        "name": "mine", "trainable": "a.py:f", "code": ".", "metric": "loss", "mode": "min",
        "parameters": {"learning_rate": 2, "width": 1},
        "parameters_schema": Parameters.model_json_schema(),
    }  # fmt: skip
    space = SearchSpace.from_json(raw)
    assert space.program is not None
    assert space.program.parameters_schema is not None
    with pytest.raises(SearchSpaceError, match="learning_rate takes a number"):
        check(
            space, schema=space.program.parameters_schema, metrics={"loss": "none"},
            datasets=("none",), max_trials=10,
        )  # fmt: skip


LOOP = {"$ref": "#/$defs/loop"}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ([], ""),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": 1}}, "/properties/a"),
        ({"properties": {"a": {"minimum": "x"}}}, "/properties/a/minimum"),
        ({"properties": {"a": {"type": ["integer"]}}}, "/properties/a/type"),
        ({"properties": {"a": {"multipleOf": 0}}}, "/properties/a/multipleOf"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "/properties/a/$ref"),
        ({"properties": {"a": {"$ref": "http://x"}}}, "/properties/a/$ref"),
        ({"properties": {"a": LOOP}, "$defs": {"loop": LOOP}}, "/properties/a"),
        ({"required": ["a"]}, "/required"),
        ({"required": [[]]}, "/required"),
    ],
)
def test_broken_schemas_are_refused(schema: Any, pointer: str) -> None:
    with pytest.raises(SearchSpaceError) as error:
        read_schema(schema, "/s")
    assert error.value.problems[0].pointer == "/s" + pointer


def test_a_schema_that_grows_without_end_is_refused() -> None:
    defs = {
        f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 20} for n in range(6)
    } | {"d6": {"type": "integer"}}  # fmt: skip
    schema = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs}
    with pytest.raises(SearchSpaceError, match="too many rules"):
        read_schema(schema, "")
