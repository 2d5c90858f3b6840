"""A JSON Schema in words: each rule that a value can break is named."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from search_spaces.schema import described, resolved


class Sizes(BaseModel):
    """One parameter of each rule."""

    units: int = Field(8, ge=8, multiple_of=8)
    name: str = Field("a1", pattern="^[a-z][0-9]$", max_length=2)
    sizes: list[Annotated[int, Field(ge=1)]] = Field([64], min_length=1, max_length=3)
    betas: tuple[float, float] = (0.9, 0.999)
    only: Literal["x"] = "x"
    kind: Literal["a", "b"] = "a"
    maybe: Annotated[float, Field(gt=0)] | None = None
    anything: Any = None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("units", "a whole number at least 8 and divisible by 8"),
        ("name", 'text matching the pattern "^[a-z][0-9]$" and at most 2 long'),
        ("sizes", "a list at least 1 long and at most 3 long and with each entry "
                  "a whole number at least 1"),
        ("betas", "a list at least 2 long and at most 2 long and of a number then a number"),
        ("only", '"x"'),
        ("kind", 'one of "a", "b"'),
        ("maybe", "a number greater than 0 or null"),
        ("anything", "a value"),
    ],
)  # fmt: skip
def test_rules_are_told_in_words(name: str, words: str) -> None:
    assert described(Sizes.model_json_schema()["properties"][name], {}) == words


def test_a_rule_without_words_of_its_own_is_named() -> None:
    assert described({"type": "string", "contentEncoding": "x"}, {}) == (
        "text as its rule contentEncoding asks"
    )


def test_references_are_followed_and_annotations_left_out() -> None:
    rule = {"$ref": "#/$defs/Kind", "default": 1}
    assert resolved(rule, {"Kind": {"title": "Kind", "type": "integer"}}) == {"type": "integer"}
