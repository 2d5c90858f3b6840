from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from search_spaces import read_domain
from service.cli.convert import domains


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.mark.parametrize(
    ("ends", "options", "domain", "said"),
    [
        ((5, 1), {"whole": True}, {"low": 1, "high": 5}, ""),
        ((1.0, 1.0), {}, 1.0, ""),
        ((2, 2), {"whole": True}, 2, ""),
        ((0, 1), {"log": True}, {"low": 0.0, "high": 1.0}, "cannot begin"),
        ((1, 9), {"log": True, "step": 2}, {"low": 1.0, "high": 9.0, "log": True}, "not rounded"),
        ((0, 1), {"step": 0.3}, {"low": 0.0, "high": 0.9, "step": 0.3}, "ends at 0.9"),
        ((0, 1), {"step": 5}, 0.0, "ends at 0"),
        ((0, 1), {"step": -1}, {"low": 0.0, "high": 1.0}, ""),
        ((0, 5), {"step": 1, "whole": True}, {"low": 0, "high": 5}, ""),
    ],
)
def test_an_interval_is_a_domain(
    notes: list[str], ends: tuple[float, float], options: dict[str, Any], domain: Any, said: str
) -> None:
    found = domains.interval(*ends, notes.append, **options)
    assert found == domain
    read_domain(found)
    assert said in " ".join(notes)
    assert bool(notes) == bool(said)


@pytest.mark.parametrize(
    ("values", "domain", "said"),
    [
        ([1, 1.0, True, 2], {"values": [1, 2]}, "twice"),
        ([float("nan"), 1, 2], {"values": [1, 2]}, "no number"),
        ([2**60, 1, 2], {"values": [1, 2]}, "2^53"),
        (["x" * 300, "y"], "y", "too long"),
        ([{"a": 1}], '{"a": 1}', "JSON text"),
        ([[1]], {"value": [1]}, ""),
    ],
)
def test_a_choice_has_only_what_a_parameter_can_take(
    notes: list[str], values: list[Any], domain: Any, said: str
) -> None:
    found = domains.choice(values, notes.append)
    assert found == domain
    read_domain(found)
    assert said in " ".join(notes)


@pytest.mark.parametrize("make", [domains.normal, domains.log_normal])
def test_huge_normal_distributions_are_domains(notes: list[str], make: Callable[..., Any]) -> None:
    read_domain(make(1e6, 1e6, notes.append))
    assert len(notes) == 1


def test_a_range_rounds_as_the_other_system_does(notes: list[str]) -> None:
    assert domains.rounded(0.04, 1, 0.1, notes.append) == {"low": 0.0, "high": 1.0, "step": 0.1}
    assert domains.rounded(1, 9, 4, notes.append) == {"low": 0, "high": 8, "step": 4}


def test_values_of_a_domain() -> None:
    assert domains.values_of({"values": [1, None]}) == [1, None]
    assert domains.values_of({"value": [1]}) == [[1]]
    assert domains.values_of(True) == [True]
    assert domains.values_of({"low": 1, "high": 2}) == []
    assert domains.constants({"a": 1, "b": {"low": 1, "high": 2}}) == {"a": 1}
