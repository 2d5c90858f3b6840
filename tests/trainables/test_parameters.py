"""Configurations are JSON; the parameter models read them strictly."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from pydantic import Field, ValidationError

from trainables.parameters import Parameters, TorchFeedforwardParameters


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Example(Parameters):
    color: Color = Color.RED
    other: Color | None = None
    sizes: tuple[int, ...] = (64, 64)
    rate: float = Field(0.1, gt=0)
    count: int = 3


CONFIG = {"color": "blue", "other": "red", "sizes": [128], "rate": 1, "count": 2}


@pytest.mark.parametrize("read", [Example.model_validate, lambda config: Example(**config)])
def test_enums_and_tuples_are_read_from_json_values(read: Any) -> None:
    found = read(CONFIG)
    assert (found.color, found.other, found.sizes) == (Color.BLUE, Color.RED, (128,))
    assert (found.rate, found.count) == (1.0, 2)
    assert read({}) == Example()
    assert Example().color is Color.RED


def test_python_values_are_read_too() -> None:
    assert Example(color=Color.BLUE, sizes=(1, 2)).color is Color.BLUE


def test_what_the_schema_allows_the_model_reads() -> None:
    schema = Example.model_json_schema()
    assert schema["$defs"]["Color"]["enum"] == ["red", "blue"]
    assert schema["properties"]["sizes"]["default"] == [64, 64]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"color": "green"}, "enum"),
        ({"rate": "1"}, "float_type"),
        ({"rate": float("nan")}, "finite_number"),
        ({"rate": float("inf")}, "finite_number"),
        ({"rate": 0.0}, "greater_than"),
        ({"count": 2.0}, "int_type"),
        ({"count": True}, "int_type"),
        ({"sizes": [1.5]}, "int_type"),
        ({"unknown": 1}, "extra_forbidden"),
    ],
)
def test_other_values_are_refused(config: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Example.model_validate(config)
    (error,) = raised.value.errors()
    assert error["type"] == kind
    assert error["loc"][0] in config


def test_floats_keep_every_bit() -> None:
    rate = 0.1 + 0.2
    assert TorchFeedforwardParameters.model_validate({"learning_rate": rate}).learning_rate == rate
