from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from results.analysis import JobResults
from results.diagnosis.divergence import diverges_beyond
from results.diagnosis.parameters import best_on_bound, no_effect
from results.states import TrialState
from tests.results import fakes
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


def of_a_grid(score: Callable[[Any], float], firsts: int, seconds: int) -> JobResults:
    """A grid of two lists of numbers, of which the second one changes faster."""
    domains = {
        "a": {"values": list(range(firsts)), "default": 0},
        "b": {"values": list(range(seconds)), "default": 0},
    }
    configurations = [{"a": a, "b": b} for a in range(firsts) for b in range(seconds)]
    return search(configurations, score, domains, strategy="grid")


def test_equal_scores_are_not_ordered_by_their_place_in_the_grid() -> None:
    # What the parity of b does, its thirds do not show.
    odd = of_a_grid(lambda c: 0.9 if c["b"] % 2 else 0.8, 3, 10)
    (found,) = no_effect(odd)
    assert (found.rule, found.parameter) == ("no_effect", "a")
    assert "(Kruskal-Wallis H 0 of 3 groups)" in found.detail


def test_equal_values_are_not_parted_by_their_scores() -> None:
    # Each value of b has the same scores, but the thirds of 300 trials would end within values.
    assert named(no_effect(of_a_grid(lambda c: c["a"], 30, 10))) == [("no_effect", "b")]


def test_a_trend_over_many_values_is_an_effect() -> None:
    trend = of_a_grid(lambda c: c["a"] % 2 + c["b"] / 10, 4, 12)
    assert "b" not in dict(named(no_effect(trend))).values()


def stopped_where(results: JobResults, is_hopeless: Callable[[Any], bool]) -> JobResults:
    """The same search, of which a scheduler has stopped some trials."""
    return replace(
        results,
        trials=tuple(
            replace(trial, state=TrialState.STOPPED) if is_hopeless(trial.parameters) else trial
            for trial in results.trials
        ),
    )


#: The score is the size: among any trials, those of one rate are no better than those of another.
SIXTY: list[dict[str, Any]] = [
    {"rate": 10 ** (-4 + 4 * spread(n, 60)), "size": 10 + (n * 13) % 60} for n in range(60)
]


def test_a_parameter_that_decides_who_is_stopped_has_an_effect() -> None:
    results = search(SIXTY, lambda c: c["size"], DOMAINS, scheduler="median")
    assert named(no_effect(results)) == [("no_effect", "rate")]
    stopped = stopped_where(results, lambda c: c["rate"] < 3e-3)
    assert len(stopped.ranked) == 38
    assert named(no_effect(stopped)) == []


def test_a_parameter_that_decides_which_trials_diverge_has_an_effect() -> None:
    failed = {n: fakes.DIVERGED for n, c in enumerate(SIXTY) if c["rate"] > 0.0316}
    results = search(SIXTY, lambda c: c["size"], DOMAINS, failed=failed)
    assert named(diverges_beyond(results)) == [("diverges", "rate")]
    assert named(no_effect(results)) == []


def test_trials_that_ended_early_by_chance_hide_nothing() -> None:
    scattered = dict.fromkeys(range(0, 30, 5), fakes.DIVERGED)
    results = search(CONFIGURATIONS, lambda c: -abs(c["rate"] - 0.01), DOMAINS, failed=scattered)
    (found,) = no_effect(results)
    assert found.parameter == "size"
    assert "order the 24 trials no better than chance" in found.detail
    assert found.detail.endswith("with the 6 unranked ones last).")
