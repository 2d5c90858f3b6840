"""What may be stored: each refusal names the field and the rule."""

from __future__ import annotations

import math

import pytest

from results.records import Failure, NewTrial
from results.states import FailureKind
from results.store import values


def test_text_that_can_be_stored_is_kept() -> None:
    assert values.text("Näme ✓\n\x07", "name") == "Näme ✓\n\x07"
    assert values.optional_text(None, "name") is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\x00", "name holds the NUL character U+0000 at position 1, which cannot be stored"),
        ("\ud800", "name holds the lone surrogate U+D800 at position 0"),
        (7, "name must be a string, not int"),
    ],
)
def test_text_that_cannot_be_stored_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        values.text(value, "name")
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("value", [-1, 2**31, True, 1.0, "1", None])
def test_an_integer_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="n must be an integer from 0 to 2147483647, not "):
        values.integer(value, "n", low=0)
    assert values.integer(2**31 - 1, "n", low=0) == 2**31 - 1


def test_a_number_of_a_trial_is_one_that_the_database_holds() -> None:
    assert [values.is_number(value) for value in (0, 2**31 - 1, 2**31, -1, "0", 1.0)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"x must be finite, not .*: lower it"):
        values.finite(value, "x", fix="lower it")


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, True, "1", None])
def test_an_amount_is_a_finite_number_that_is_not_below_0(value: object) -> None:
    with pytest.raises(ValueError, match="cpu must be"):
        values.amount(value, "cpu")
    assert values.amount(3, "cpu") == 3.0


@pytest.mark.parametrize("value", [-0.5, 0, math.inf])
def test_a_duration_that_must_be_positive_is(value: float) -> None:
    with pytest.raises(ValueError, match="x must be"):
        values.duration(value, "x", positive=True)
    assert values.duration(0, "x") == 0.0


def test_json_is_copied_into_plain_values() -> None:
    value = {"a": (1, 2.5, None, True), "b": {"c": "✓"}}
    assert values.plain_json(value, "x") == {"a": [1, 2.5, None, True], "b": {"c": "✓"}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1.0, {"b": math.nan}]}, r"x\.a\[1\]\.b must be finite, not nan: JSON has no"),
        ({"a": {1, 2}}, r"x\.a must be a JSON value, not set"),
        ({1: 1}, "a key of x must be a string, not int"),
        ({"a\x00": 1}, "a key of x holds the NUL character"),
    ],
)
def test_what_is_not_json_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        values.plain_json(value, "x")


def test_metrics_are_plain_floats() -> None:
    assert values.metrics({"a": 1}, "metrics") == {"a": 1.0}
    with pytest.raises(ValueError, match=r"metrics\.a must be finite.*fail the trial as diverged"):
        values.metrics({"a": math.nan}, "metrics")


def test_a_new_trial_is_checked() -> None:
    assert values.new_trial(NewTrial(3, {"a": 1}, 2**63 - 1)) == {
        "number": 3, "parameters": {"a": 1}, "seed": 2**63 - 1, "purpose": "search",
        "configuration": 3, "parent": None, "start_epoch": 0,
    }  # fmt: skip
    with pytest.raises(ValueError, match="trial 3: seed"):
        values.new_trial(NewTrial(3, {}, 2**63))


def test_a_failure_is_escaped_rather_than_refused() -> None:
    failure = Failure(FailureKind.USER_ERROR, "a\x00", "b\ud800\n")
    assert values.failure_json(failure) == {
        "kind": "user_error", "message": "a\\u0000", "traceback": "b\\ud800\n",
    }  # fmt: skip
    assert values.failure_json(None) is None
