"""What users say about a file is read, and refused with a pointer to the query."""

from __future__ import annotations

import pytest

from trainables.own_data.options import Options, names_of_parts
from trainables.own_data.problems import BadData


def test_options_are_read_from_text() -> None:
    read = Options.from_text("price", "regression", "0.7,0,0.3", "7", ["a=number,b, c=ignore"])
    expected = {"a": "number", "b, c": "ignore"}
    assert read == Options("price", "regression", (0.7, 0.0, 0.3), 7, expected)
    assert names_of_parts((0.7, 0.0, 0.3)) == ("train", "test")
    assert Options.from_text() == Options("", None, None, 42, {})


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("task", "ranking", "enum"),
        ("split", "0.8,0.2", "wrong_type"),
        ("split", "a,b,c", "wrong_type"),
        ("split", "0.5,0.2,0.2", "out_of_range"),
        ("split", "nan,0.5,0.5", "out_of_range"),
        ("split", "1.5,-0.5,0", "out_of_range"),
        ("split", "0,0.5,0.5", "out_of_range"),
        ("split", "1,0,0", "out_of_range"),
        ("seed", "-1", "out_of_range"),
        ("seed", "4294967296", "out_of_range"),
        ("seed", "9" * 5000, "out_of_range"),
        ("seed", "1.5", "out_of_range"),
        ("types", ["a"], "invalid_value"),
        ("types", ["a=text"], "invalid_value"),
        ("types", ["=number"], "invalid_value"),
    ],
)
def test_what_cannot_be_is_refused(name: str, text: str, code: str) -> None:
    with pytest.raises(BadData) as caught:
        Options.from_text(**{name: text})
    (problem,) = caught.value.problems
    assert (problem.pointer, problem.code) == (f"/query/{name}", code)
    assert problem.hint
