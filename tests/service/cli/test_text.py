"""Values from the server as text."""

from __future__ import annotations

from typing import Any

import pytest

from results.formatting import number
from service.cli.text import cells, clean, pairs, setting, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.1234567, "0.123457"),
        (1e-9, "1e-09"),
        ("a\nb", "a b"),
        ("\x1b[0m", "\\x1b[0m"),
        ("relu", "relu"),
        ([64, 32], "[64, 32]"),
    ],
)
def test_parameter_values(value: Any, text: str) -> None:
    assert setting(value) == text


@pytest.mark.parametrize("text", ["null", "true", "7", "1e-3", "[1]", "-", ""])
def test_text_that_looks_like_another_value_is_quoted(text: str) -> None:
    assert setting(text) == f'"{text}"'


def test_null_and_absent_are_told_apart() -> None:
    values = {"dropout": None, "momentum": 0.9}
    assert cells(values, ["dropout", "momentum", "nesterov"], setting) == ["null", "0.9", "-"]
    assert cells({"rmse": 0.5}, ["rmse", "loss"], number) == ["0.5000", "-"]


def test_pairs() -> None:
    assert pairs({"a\x07": 1, "b": None}, setting) == "a\\x07=1 b=null"


def test_control_characters_are_written_out() -> None:
    assert clean("a\x1b[0m\x07é\n") == "a\\x1b[0m\\x07é\n"


def test_sizes() -> None:
    assert [size(count) for count in (999, 30_900_000, 2.5e12)] == ["999 B", "30.9 MB", "2.5 TB"]
