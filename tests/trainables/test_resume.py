"""States that a built-in trainable cannot resume are refused with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainables.resume import array, check_names, check_state, whole
from trainables.state_files import StateError


def test_a_state_that_fits_passes() -> None:
    check_state({"trainable": "a", "epoch": 1, "w": 2}, "a", ["w"])
    check_names({"a": 1}, "a", "it")
    assert whole({"epoch": 0}, "epoch", 0) == 0
    assert array({"w": np.ones(2)}, "w", (2,), np.float64).tolist() == [1, 1]


@pytest.mark.parametrize("values", [None, [], "text", 3])
def test_something_else_than_a_mapping_is_refused(values: Any) -> None:
    with pytest.raises(StateError, match=f"it is of type {type(values).__name__}, but must be a d"):
        check_names(values, (), "it")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "it lacks 'a', 'b': it is of another configuration"),
        ({"a": 1, "b": 2, "c": 3, 4: 5}, "it has 'c', 4: it is of another configuration"),
        ({"a": 1, "c": 3}, "it lacks 'b' and has 'c': it is of another configuration"),
    ],
)
def test_missing_and_surplus_names_are_listed(values: Any, message: str) -> None:
    with pytest.raises(StateError, match=f"^{message}$"):
        check_names(values, "ab", "it")


@pytest.mark.parametrize("value", [-1, 4, 1.0, True, None, "1", 10**400])
def test_a_number_out_of_range_or_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(StateError, match=r"'n' of the state to resume is .* must be 0 to 3") as e:
        whole({"n": value}, "n", 3)
    assert len(str(e.value)) < 200


@pytest.mark.parametrize("value", [np.ones(3), np.ones((2, 1)), np.ones(2, "f4"), 1.0, None, "x"])
def test_an_array_of_another_shape_or_type_is_refused(value: Any) -> None:
    with pytest.raises(StateError, match=r"this configuration has float64 of shape \(2,\)"):
        array({"w": value}, "w", (2,), np.float64)
