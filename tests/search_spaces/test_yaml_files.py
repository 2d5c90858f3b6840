"""The part of YAML that declared spaces are written in."""

from __future__ import annotations

import math
import pickle
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.errors import Code, YamlError
from search_spaces.text import unprintable
from search_spaces.yaml_files import dump_yaml, load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1E+2", -100.0),
        ("010", 10),
        ("+7", 7),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2001-01-01", "2001-01-01"),
        ("on", "on"),
        ("yes", "yes"),
        ("=", "="),
        ("<<", "<<"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("-.inf", -math.inf),
        ("{a: [1, 2.0, x], b: {c: }}", {"a": [1, 2.0, "x"], "b": {"c": None}}),
    ],
)
def test_scalars_are_those_of_json(text: str, value: Any) -> None:
    read = load_yaml(text).value
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" comes twice'),
        ("a:\n  b: {c: 1, c: 2}\n", 2, 'the key "c" comes twice'),
        ("a: &x [1]\nb: *x\n", 1, "anchors and aliases are not read"),
        ("a: 1\nb: *x\n", 2, "anchors and aliases are not read"),
        ("a: !!python/object:os.system x\n", 1, "tags are not read"),
        ("a: !!int x\n", 1, "tags are not read"),
        ("'1': 1\n1: 2\n", 2, 'the key "1" comes twice'),
        ("a: 1\n[1, 2]: 2\n", 2, "a key is not text: put it in quotes"),
        ("a: 1\n? {b: 1}\n: 2\n", 2, "a key is not text: put it in quotes"),
        ("a: 1\n--- \nb: 2\n", 2, "but found another document"),
        ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']', but got ':'"),
        ("a: 1\n\tb: 2\n", 2, "found character '\\t' that cannot start any token"),
        ("a: 1\nb: \x07\n", 2, "YAML does not allow the character U+0007"),
        ("a: 1\nb: " + "[" * 500, 2, "the nesting is too deep"),
        ("a: 1\nb: " + "9" * 5000, 2, "a number of 5000 digits is too long"),
        ("x" * 70_000, 1, "a text of 70000 characters is too long"),
    ],
)
def test_what_is_refused_names_the_line(text: str, line: int, detail: str) -> None:
    with pytest.raises(YamlError) as caught:
        load_yaml(text)
    assert (caught.value.line, caught.value.problems[0].detail) == (line, detail)
    assert caught.value.problems[0].code is Code.BAD_FILE
    assert str(caught.value).startswith(f"line {line}: ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_bomb_of_aliases_does_not_go_off() -> None:
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    start = time.monotonic()
    with pytest.raises(YamlError):
        load_yaml("\n".join(rows))
    assert time.monotonic() - start < 5


def test_every_member_has_a_line() -> None:
    document = load_yaml("a: 1\nb:\n  c:\n    - 1\n    - {d/e: 2}\n")
    assert dict(document.lines) == {
        "": 1,
        "/a": 1,
        "/b": 2,
        "/b/c": 3,
        "/b/c/0": 4,
        "/b/c/1": 5,
        "/b/c/1/d~1e": 5,
    }
    assert document.line("/b/c/7/x") == 3
    assert document.line("/nowhere") == 1
    assert load_yaml("").line("/a") == 1


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        line = load_yaml(text).line("")
    except YamlError as error:
        line = error.line
    assert 1 <= line <= len(text.splitlines()) + 1


LOOK_LIKE_NUMBERS = ("1e-3", "1E5", "+1e5", "-.INF", ".NAN", "1_000", "on", "~", "12:30", "")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=200).filter(lambda text: not unprintable(text, several_lines=True))
    | st.sampled_from(LOOK_LIKE_NUMBERS)
)


@given(st.dictionaries(st.sampled_from("abc"), SCALARS | st.lists(SCALARS | st.lists(SCALARS))))
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    read = load_yaml(dump_yaml(value)).value
    assert repr(read) == repr(value)


def test_a_list_that_comes_twice_is_written_twice() -> None:
    sizes = [64, 64]
    declared = {"values": [sizes, [128]], "default": sizes}
    assert load_yaml(dump_yaml(declared)).value == declared


def test_keys_of_other_types_are_the_texts_that_json_has() -> None:
    document = load_yaml("flags:\n  amp: {True: '--amp', false: '', ~: x, 1: y, 0.5: z}\n")
    wanted = {"true": "--amp", "false": "", "null": "x", "1": "y", "0.5": "z"}
    assert document.value == {"flags": {"amp": wanted}}
    assert document.line("/flags/amp/true") == 2
    assert load_yaml(dump_yaml(document.value)).value == document.value
