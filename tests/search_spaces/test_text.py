"""The rule on characters: what fits on a line, what fits on several, what can be stored."""

from __future__ import annotations

import sqlite3
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import printable, storable, unprintable, unstorable

GOOD = "plain, é, 中文, \u3000, a family \U0001f468\u200d\U0001f469, right to left \u05d0, \ufffd"


@pytest.mark.parametrize(
    ("character", "name", "on_lines", "stored"),
    [
        ("\0", "the NUL character U+0000", False, False),
        ("\ud800", "the lone surrogate U+D800", False, False),
        ("\udfff", "the lone surrogate U+DFFF", False, False),
        ("\a", "the control character U+0007", False, True),
        ("\x1b", "the control character U+001B", False, True),
        ("\r", "the control character U+000D", False, True),
        ("\x7f", "the control character U+007F", False, True),
        ("\x85", "the control character U+0085", False, True),
        ("\u2028", "the line separator U+2028", False, True),
        ("\u2029", "the paragraph separator U+2029", False, True),
        ("\uffff", "the noncharacter U+FFFF", False, True),
        ("\n", "the control character U+000A", True, True),
        ("\t", "the control character U+0009", True, True),
    ],
)
def test_each_question_names_the_character_and_its_position(
    character: str, name: str, on_lines: bool, stored: bool
) -> None:
    text = f"ab{character}c"
    assert unprintable(text) == f"{name} at position 2"
    assert unprintable(text, several_lines=True) == ("" if on_lines else f"{name} at position 2")
    assert unstorable(text) == ("" if stored else f"{name} at position 2")


def test_letters_of_all_languages_spaces_and_emoji_are_good() -> None:
    assert unprintable(GOOD) == unprintable(GOOD, several_lines=True) == unstorable(GOOD) == ""
    assert printable(GOOD) == storable(GOOD) == GOOD


def test_bad_characters_are_escaped() -> None:
    assert printable("a\n\0b\ud800") == "a\\u000a\\u0000b\\ud800"
    assert storable("a\n\0b\ud800") == "a\n\\u0000b\\ud800"


@given(st.text(st.characters()))
def test_a_printable_text_is_one_line_of_any_file_and_of_a_plot(text: str) -> None:
    line = printable(text)
    assert unprintable(line) == ""
    assert len(line.splitlines()) <= 1
    assert ET.fromstring("<a>" + line.replace("&", "").replace("<", "") + "</a>").tag == "a"


@given(st.text(st.characters()))
def test_a_storable_text_is_read_back_as_it_was_stored(text: str) -> None:
    kept = storable(text)
    assert unstorable(kept) == ""
    assert sqlite3.connect(":memory:").execute("SELECT ?", [kept]).fetchone() == (kept,)
