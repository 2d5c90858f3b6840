"""Numbers, durations and times as text; the browser test compares the page with ``CASES``."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from results import formatting

#: Function, arguments (values that JSON can hold), text. Exact halves, such as 0.03125, are left
#: out: Python rounds them to the even digit, JavaScript up.
CASES: list[tuple[str, list[Any], str]] = [
    ("mean_text", [0.5, 0.25, 3], "0.5000 ± 0.2500 (n = 3)"),
    ("mean_text", [0.5, None, 1], "0.5000"),
    ("number", [0.88424], "0.8842"),
    ("number", [-0.0715], "-0.0715"),
    ("number", [9.99994], "9.9999"),
    ("number", [9.99996], "10.0000"),
    ("number", [0.01], "0.0100"),
    ("number", [1], "1.0000"),
    ("number", [10], "10"),
    ("number", [12.345], "12.35"),
    ("number", [12.5], "12.5"),
    ("number", [1234.4], "1234"),
    ("number", [9999.7], "10000"),
    ("number", [12345.6], "12346"),
    ("number", [-999999], "-999999"),
    ("number", [1000000], "1e+06"),
    ("number", [1.5e300], "1.5e+300"),
    ("number", [0.0099996], "0.01"),
    ("number", [0.0012345], "0.001234"),
    ("number", [0.0001], "0.0001"),
    ("number", [0.0000123456], "1.235e-05"),
    ("number", [0], "0"),
    ("number", [None], "n/a"),
    ("number", [0.1234567, 6], "0.123457"),
    ("number", [1234.567, 6], "1234.57"),
    ("number", [123.45, 2], "123"),
    ("parameter_value", [0.001], "0.001"),
    ("parameter_value", [0.00001], "1e-05"),
    ("parameter_value", [0.123456789], "0.123457"),
    ("parameter_value", [1234567.5], "1.23457e+06"),
    ("parameter_value", [200], "200"),
    ("parameter_value", [12345678], "12345678"),
    ("parameter_value", ["relu"], "relu"),
    ("parameter_value", [True], "true"),
    ("parameter_value", [None], "null"),
    ("parameter_value", [[1, 2]], "[1, 2]"),
    ("parameter_value", ["été"], "été"),
    ("duration", [0], "0.0 s"),
    ("duration", [0.83], "0.8 s"),
    ("duration", [9.94], "9.9 s"),
    ("duration", [9.96], "10 s"),
    ("duration", [42.4], "42 s"),
    ("duration", [59.6], "1 min 00 s"),
    ("duration", [125], "2 min 05 s"),
    ("duration", [3599.7], "1 h 00 min"),
    ("duration", [3900], "1 h 05 min"),
    ("duration", [7170], "2 h 00 min"),
    ("duration", [86399], "1 d 00 h"),
    ("duration", [273600], "3 d 04 h"),
    ("moment", [None], ""),
    ("moment", ["2026-11-28T09:41:59.9+00:00"], "2026-11-28 09:41 UTC"),
    ("moment", ["2026-11-28T09:41:00Z"], "2026-11-28 09:41 UTC"),
    ("count", [1, "trial"], "1 trial"),
    ("count", [0, "trial"], "0 trials"),
    ("count", [7, "epoch"], "7 epochs"),
]


@pytest.mark.parametrize(("function", "arguments", "text"), CASES)
def test_formatting(function: str, arguments: list[Any], text: str) -> None:
    assert getattr(formatting, function)(*arguments) == text


def test_cases_can_be_sent_to_a_browser() -> None:
    assert json.loads(json.dumps(CASES, allow_nan=False)) == [list(case) for case in CASES]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite(value: float) -> None:
    assert formatting.number(value) == "n/a"


def test_times_of_other_zones_are_written_in_utc() -> None:
    time = datetime(2026, 11, 28, 9, 41, tzinfo=UTC)
    assert formatting.moment(time) == "2026-11-28 09:41 UTC"
    assert formatting.moment(time.astimezone(timezone(timedelta(hours=5)))) == formatting.moment(
        time
    )
