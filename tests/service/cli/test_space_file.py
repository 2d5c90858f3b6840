from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.yaml_files import load_yaml
from service.cli.space_file import flow, rendered, write_new

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Co", "Cn"]), max_size=20)
NUMBERS = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_a_value_on_one_line_is_read_as_it_was(value: Any) -> None:
    assert load_yaml(f"x: {flow(value)}").value == {"x": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("relu", "relu"), ("true", "'true'"), ("1e-3", "'1e-3'"), ("it's", '"it\'s"'),
        ("--amp", "'--amp'"), ("{args}", "'{args}'"),
        ({"low": 1, "log": True}, "{low: 1, log: true}"),
    ],
)  # fmt: skip
def test_words_need_no_quotes(value: Any, text: str) -> None:
    assert flow(value) == text


def test_comments_stand_above_and_beside() -> None:
    space = {"name": "x", "parameters": {"lr": 0.1, "n": {"low": 1, "high": 3}}, "flags": {}}
    text = rendered(
        space,
        header=["head"],
        above={"name": ["the name"], "parameters/n": ["a\nguess"], "": ["end"]},
        beside={"parameters/lr": "a rate", "name": "id"},
    )
    assert text == (
        "# head\n# the name\nname: x  # id\nparameters:\n  lr: 0.1  # a rate\n  # a guess\n"
        "  n: {low: 1, high: 3}\nflags: {}\n# end\n"
    )
    assert load_yaml(text).value == space


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    write_new(path, "a")
    with pytest.raises(click.UsageError, match="is not overwritten"):
        write_new(path, "b")
    assert path.read_text() == "a"
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(click.UsageError, match="is not overwritten"):
        write_new(link, "b")
    with pytest.raises(click.UsageError, match="cannot write"):
        write_new(tmp_path / "none" / "x.yaml", "b")
