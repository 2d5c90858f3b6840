"""Whole numbers of float parameters become floats, wherever they stand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from search_spaces import SearchSpace, with_floats


class Model(BaseModel):
    """Parameters that take floats, whole numbers, or either."""

    rate: float = 0.1
    decay: float | None = Field(None, ge=0)
    size: int = 1
    either: int | float = 1
    betas: list[float] = []
    pair: tuple[int, float] = (1, 1.0)
    text: str = ""


def converted(**parameters: Any) -> dict[str, Any]:
    raw = {
        "name": "tried", "trainable": "any", "dataset": "any", "epochs": 1, "metric": "loss",
        "mode": "min", "strategy": "random", "parameters": parameters,
    }  # fmt: skip
    space = with_floats(SearchSpace.from_json(raw), Model.model_json_schema())
    declared: dict[str, Any] = space.to_json()["parameters"]
    return declared


def test_constants_choices_and_lists_are_converted() -> None:
    found = converted(
        rate=1, decay={"values": [0, None]}, size=2, either=3, text="4",
        betas={"values": [[0, 1], []]}, pair={"value": [1, 2]}, unknown=5,
    )  # fmt: skip
    assert repr(found) == repr(
        {
            "rate": 1.0,
            "decay": {"values": [0.0, None], "default": 0.0},
            "size": 2,
            "either": 3,
            "text": "4",
            "betas": {"values": [[0.0, 1.0], []], "default": [0.0, 1.0]},
            "pair": {"value": [1, 2.0]},
            "unknown": 5,
        }
    )


def test_conditions_are_converted_as_their_parameters() -> None:
    found = converted(
        rate={"values": [1, 2]},
        size={"values": [1, 2], "when": {"rate": [1, 2]}},
        text={"value": "x", "when": {"rate": {"at_least": 2}, "size": {"at_least": 2}}},
    )
    assert repr(found["size"]["when"]) == repr({"rate": [1.0, 2.0]})
    assert repr(found["text"]["when"]) == repr({"rate": {"at_least": 2.0}, "size": {"at_least": 2}})


def test_a_range_keeps_its_own_type() -> None:
    assert repr(converted(rate={"low": 0, "high": 1})["rate"]["high"]) == "1"
