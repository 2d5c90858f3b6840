"""The page writes numbers, durations and times as results/formatting.py does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings, strategies
from playwright.sync_api import Page

from results import formatting

NUMBERS = [
    0.0, -0.0, 0.5, 0.03125, 0.78125, 0.84375, -0.3, 0.01, 0.009999999, 9.99995, 10.0, 12.5,
    -12.345, 99.995, 100.0, 1234.5, 1235.5, 12344.5, 12345.5, 999999.4, 999999.5, 1e6, 123456.7,
    1e-4, 9.9999e-5, 1e-5, 1.5e-300, 1e300,
]  # fmt: skip
DURATIONS = [
    0.0, 0.04, 0.05, 0.25, 0.35, 0.8, 9.94, 9.95, 42.0, 59.4, 59.5, 60.0, 125.0, 3599.4, 3599.5,
    3600.0, 3900.0, 86399.0, 86400.0, 273600.0, 1e6,
]  # fmt: skip
TIMES = [
    None, "2026-11-28T09:41:59Z", "2026-11-28T09:41:59.999999Z", "2026-01-02T03:04:05+02:00",
]  # fmt: skip
VALUES = ["adam", "", True, None, 3, 0, -7, 0.1, 0.001, 1.5, 1e-7, 123456.75, [64, 64], [0.5, "a"]]


def written(page: Page, name: str, calls: Sequence[Sequence[Any]]) -> list[str]:
    """Return what the page's function writes for each list of arguments."""
    script = (
        "async ([name, calls]) => { const format = await import('/page/parts/format.js');"
        " return calls.map((call) => format[name](...call)); }"
    )
    found: list[str] = page.evaluate(script, [name, calls])
    return found


def test_the_page_formats_as_reports_and_the_command_line_do(page: Page, url: str) -> None:
    page.goto(url)
    for name, function, values in (
        ("number", formatting.number, [*NUMBERS, None]),
        ("duration", formatting.duration, DURATIONS),
        ("moment", formatting.moment, TIMES),
        ("parameterValue", formatting.parameter_value, VALUES),
    ):
        expected = [function(value) for value in values]  # type: ignore[operator]
        assert written(page, name, [[value] for value in values]) == expected
    counts = [(0, "trial"), (1, "trial"), (2, "epoch")]
    assert written(page, "count", counts) == [formatting.count(*pair) for pair in counts]
    rounded = [(0.12345, 2), *((value, 0) for value in (0.0, 2.5, 12.5, 33.3, 100.0))]
    assert written(page, "number", rounded) == [formatting.number(*pair) for pair in rounded]
    assert written(page, "moment", [["2026-11-28T09:41:59Z"]]) == ["2026-11-28 09:41 UTC"]
    assert written(page, "duration", [[125]]) == ["2 min 05 s"]

    numbers = strategies.floats(allow_nan=False, allow_infinity=False)
    parts = strategies.integers(-(10**6), 10**6).map(lambda n: n / 4096)

    @given(strategies.lists(numbers | parts, min_size=200, max_size=300))
    @settings(max_examples=5)
    def test_any_numbers(values: list[float]) -> None:
        calls = [[value] for value in values]
        assert written(page, "number", calls) == [formatting.number(v) for v in values]
        times = [abs(value) for value in values if abs(value) < 1e12]
        assert written(page, "duration", [[t] for t in times]) == [
            formatting.duration(t) for t in times
        ]

    test_any_numbers()
