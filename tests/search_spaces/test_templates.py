"""Placeholders of a command's arguments are found, filled, and doubled braces kept."""

from __future__ import annotations

import pytest

from search_spaces import templates
from search_spaces.templates import Placeholder


def test_a_text_is_cut_into_literals_and_placeholders() -> None:
    found = list(templates.parts("--lr={lr}{{x}}{a.b}"))
    assert found == ["--lr=", Placeholder("lr"), "{", "x", "}", Placeholder("a.b")]
    assert templates.names("--lr={lr}{{x}}{a.b}") == ("lr", "a.b")
    assert list(templates.parts("")) == []


def test_placeholders_are_filled_and_doubled_braces_are_single_ones() -> None:
    assert templates.filled('{{"lr": {lr}}}', {"lr": "0.5"}.__getitem__) == '{"lr": 0.5}'


@pytest.mark.parametrize(
    ("text", "name"),
    [("{args}", "args"), ("{a}{b}", None), ("x{a}", None), ("{{a}}", None), ("", None)],
)
def test_a_placeholder_can_be_a_whole_text(text: str, name: str | None) -> None:
    assert templates.whole(text) == name


@pytest.mark.parametrize(("text", "position"), [("a}", 1), ("{a", 0), ("{a{b}", 0), ("{}}", 2)])
def test_a_lone_brace_is_refused(text: str, position: int) -> None:
    with pytest.raises(ValueError, match=f"position {position}"):
        templates.names(text)
