from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import SearchSpace
from service.cli.choosing import RandomSuggester, configuration


def space(**changes: Any) -> SearchSpace:
    declared = {
        "name": "t", "command": ["x", "{args}"], "metric": "m", "mode": "min",
        "parameters": {
            "a": {"values": [1, 2, 3]},
            "b": {"low": 0.1, "high": 0.5, "step": 0.1, "default": 0.3},
            "c": {"value": 7, "when": {"a": 2}},
        },
    }  # fmt: skip
    return SearchSpace.from_json(declared | changes)


def test_no_number_means_the_defaults() -> None:
    assert configuration(space(), None, 1) == {"a": 1, "b": 0.3}


def test_a_number_means_that_trial_of_a_grid() -> None:
    assert configuration(space(), 0, 1) == {"a": 1, "b": 0.1}
    assert configuration(space(), 6, 1) == {"a": 2, "b": 0.2, "c": 7}


def test_a_number_beyond_the_last_trial_is_refused() -> None:
    with pytest.raises(IndexError, match="15 trials, from 0 on"):
        configuration(space(), 15, 1)


def test_a_samplers_configurations_are_drawn_and_the_same_again() -> None:
    drawn = space(strategy="random", trials=3)
    found = [configuration(drawn, number, 1) for number in range(20)]
    assert found == [configuration(drawn, number, 1) for number in range(20)]
    assert len({str(one) for one in found}) > 5
    assert all(("c" in one) == (one["a"] == 2) for one in found)


@given(st.integers(0, 2**32), st.integers(1, 50), st.integers(0, 1000), st.booleans())
def test_whole_numbers_are_within_both_ends(seed: int, low: int, width: int, log: bool) -> None:
    suggester = RandomSuggester(random.Random(seed))
    assert low <= suggester.suggest_int("x", low, low + width, log=log) <= low + width


@given(st.integers(0, 2**32), st.booleans())
def test_numbers_are_within_both_ends(seed: int, log: bool) -> None:
    suggester = RandomSuggester(random.Random(seed))
    assert 0.001 <= suggester.suggest_float("x", 0.001, 0.1, log=log) <= 0.1 + 1e-15
    assert round(suggester.suggest_float("x", 1.0, 3.0, step=0.5) * 2) in range(2, 7)
