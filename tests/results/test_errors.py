"""The tree of errors that the module's docstring draws is the one that its classes form."""

from __future__ import annotations

import re

import pytest

from results import errors
from results.errors import NoBestTrial, ResultsError


def test_the_drawn_tree_lists_every_error_under_its_base() -> None:
    drawn = re.findall(r"^  (\w+) +\S", errors.__doc__ or "", re.MULTILINE)
    classes = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert ["ResultsError", *drawn] == classes
    assert all(issubclass(getattr(errors, name), ResultsError) for name in drawn)


def test_an_error_has_its_message_and_a_hint() -> None:
    with pytest.raises(ResultsError, match=r"^no trial has succeeded$") as caught:
        raise NoBestTrial("no trial has succeeded", hint="wait")
    assert caught.value.hint == "wait"
    assert NoBestTrial("").hint == ""
