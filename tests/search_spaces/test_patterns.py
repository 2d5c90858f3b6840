"""Patterns find one number in linear time; what RE2 lacks is refused with what to write."""

from __future__ import annotations

import time

import pytest

from search_spaces.patterns import PatternError, compiled


def test_a_pattern_finds_a_number_in_a_line() -> None:
    found = compiled(r"val loss: ([0-9.]+)").search("epoch 3 | val loss: 0.25 | é")
    assert found is not None
    assert found[1] == "0.25"
    assert compiled(r"(?i)VAL=(\S+)").search("loss 3") is None


def test_a_pattern_that_would_hang_python_takes_no_time() -> None:
    start = time.process_time()
    assert compiled("(?:a+)+b(c)").search("a" * 60_000) is None
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("(?=x)(a)", "no regular expression", "lookarounds"),
        (r"(a)\1", "no regular expression", "backreferences"),
        ("(a", "missing )", "correct it"),
        ("a", "0 groups", "one group"),
        ("(a)(b)", "2 groups", "(?:...)"),
        ("(" + "a" * 500 + ")", "too long", "at most 500"),
        (r"((?:\pL{1,30}){1,30}x(?:\pL{1,30}){1,30})", "too large", "correct it"),
        ("(\ud800)", "surrogate", "remove it"),
        ("(a\n)", "control character", "remove it"),
    ],
)
def test_other_texts_are_refused(text: str, said: str, hint: str) -> None:
    with pytest.raises(PatternError, match=said.replace(")", r"\)")) as error:
        compiled(text)
    assert hint in error.value.hint
