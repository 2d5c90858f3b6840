from __future__ import annotations

import pytest

from service.cli.convert.scalars import number, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", 0.01),
        ("3", 3),
        ("sgd", "sgd"),
        ("null", None),
        (2, 2),
        ("[1", "[1"),
        ("&a b", "&a b"),
    ],
)
def test_a_text_stands_for_a_value(text: object, value: object) -> None:
    assert scalar(text) == value


@pytest.mark.parametrize(("text", "value"), [("1e-3", 1e-3), ("true", None), ("x", None), (4, 4)])
def test_a_text_may_be_a_number(text: object, value: float | None) -> None:
    assert number(text) == value
