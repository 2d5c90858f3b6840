from __future__ import annotations

from typing import Any

from results.analysis import JobResults
from results.diagnosis.parameters import best_on_bound, no_effect
from tests.results.diagnosis.spaces import RATE, SIZE, search, spread

CONFIGURATIONS: list[dict[str, Any]] = [
    {"rate": 10 ** (-4 + 4 * spread(n, 30)), "size": 10 + 3 * ((n * 11) % 30)} for n in range(30)
]
DOMAINS = {"rate": RATE, "size": SIZE}


def named(found: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.parameter) for finding in found]


def test_a_best_value_on_the_bound_of_a_range() -> None:
    rising = search(CONFIGURATIONS, lambda c: c["rate"], DOMAINS)
    (found,) = best_on_bound(rising)
    assert (found.rule, found.parameter) == ("best_on_bound", "rate")
    assert "at the highest value that was allowed (1)" in found.detail
    assert found.hint == "Search above it too, if that makes sense."
    falling = search(CONFIGURATIONS, lambda c: -c["rate"], DOMAINS)
    assert "lowest value that was allowed (0.0001)" in next(best_on_bound(falling)).detail


def test_a_best_value_inside_is_no_finding() -> None:
    inside = search(CONFIGURATIONS, lambda c: -abs(c["rate"] - 0.01) - abs(c["size"] - 50), DOMAINS)
    assert list(best_on_bound(inside)) == []


def test_one_lucky_trial_on_a_bound_is_no_trend() -> None:
    lucky = search(
        CONFIGURATIONS, lambda c: 1.0 if c["rate"] > 0.8 else -abs(c["rate"] - 0.01), {"rate": RATE}
    )
    assert lucky.ranked[0][0].parameters["rate"] > 0.8
    assert "rate" not in dict(named(best_on_bound(lucky))).values()


def listed(values: list[Any]) -> JobResults:
    configurations = [{"rate": value, "size": size} for value in values for size in (1, 2, 3, 4)]
    domains = {
        "rate": {"values": values, "default": values[0]},
        "size": {"values": [1, 2, 3, 4], "default": 1},
    }
    return search(
        configurations,
        lambda c: values.index(c["rate"]) - (c["size"] - 2.5) ** 2 / 10,
        domains,
        strategy="grid",
    )


def test_a_best_value_at_the_end_of_a_list_of_numbers() -> None:
    assert named(best_on_bound(listed([0.1, 0.2, 0.3]))) == [("best_on_bound", "rate")]
    # Of two values one is best; words have no bounds.
    assert list(best_on_bound(listed([0.1, 0.2]))) == []
    assert list(best_on_bound(listed(["a", "b", "c"]))) == []


def test_a_parameter_without_effect() -> None:
    found = list(no_effect(search(CONFIGURATIONS, lambda c: -abs(c["rate"] - 0.01), DOMAINS)))
    assert named(found) == [("no_effect", "size")]
    assert "Size made no difference that can be seen: its values order the 30" in found[0].detail
    both = search(CONFIGURATIONS, lambda c: c["size"] / 100 - abs(c["rate"] - 0.01), DOMAINS)
    assert list(no_effect(both)) == []


def test_few_trials_or_equal_scores_show_no_effect_of_nothing() -> None:
    assert list(no_effect(search(CONFIGURATIONS[:19], lambda c: c["rate"], DOMAINS))) == []
    assert list(no_effect(search(CONFIGURATIONS, lambda _: 0.5, DOMAINS))) == []
