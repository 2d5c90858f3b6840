from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from results.analysis import JobResults
from results.diagnosis.rungs import compared_epochs, rungs_mislead
from results.states import TrialState
from tests.results import fakes
from tests.results.diagnosis.spaces import RATE, search, spread

CONFIGURATIONS = [{"rate": 10 ** (-4 + 4 * spread(n, 12))} for n in range(12)]
NONE = "A scheduler that compares trials early would mislead here: use none."


def rate(parameters: Mapping[str, Any]) -> float:
    return float(parameters["rate"])


def turned(until: int, **members: Any) -> JobResults:
    """A search whose order is turned round up to an epoch."""
    return search(
        CONFIGURATIONS, rate, {"rate": RATE}, early=lambda c: -rate(c), until=until, **members
    )


def test_the_first_rung_that_orders_the_trials_is_named() -> None:
    # ASHA compares after epochs 1, 3, 9 and 27; a third of the epochs, 17, is no rung.
    (found,) = rungs_mislead(turned(5, epochs=52))
    assert found.detail == (
        "The order of the 12 trials after epoch 3 says little about the one after epoch 52"
        " (Spearman's rank correlation -1.00); the one after epoch 9 says more (1.00)."
    )
    assert found.hint == (
        "A scheduler that compares trials earlier would mislead: set min_epochs to 9."
    )
    assert list(rungs_mislead(turned(0, epochs=52))) == []


def test_where_no_rung_orders_the_trials_stopping_would_mislead() -> None:
    (found,) = rungs_mislead(turned(3))
    assert "after epoch 3 says little about the one after epoch 6" in found.detail
    assert found.hint == NONE


def test_equal_values_order_nothing() -> None:
    flat = search(CONFIGURATIONS, rate, {"rate": RATE}, early=lambda _: 0.1, until=1)
    (found,) = rungs_mislead(flat)
    assert "after epoch 1 says little" in found.detail
    assert found.hint.endswith("set min_epochs to 3.")
    assert list(rungs_mislead(search(CONFIGURATIONS, lambda _: 0.5, {"rate": RATE}))) == []


def test_a_rung_that_orders_by_chance_before_one_that_misleads_does_not_count() -> None:
    results = turned(3, epochs=10)
    early = {t.number: {1: rate(t.parameters), 3: 0.1, 9: 0.1} for t in results.trials}
    (found,) = rungs_mislead(replace(results, curves={}, early=early))
    assert found.hint == NONE


def test_values_at_the_rungs_alone_are_enough_and_a_few_may_lack() -> None:
    whole = turned(3)
    early = {t.number: {1: -rate(t.parameters), 3: -rate(t.parameters)} for t in whole.trials}
    assert list(rungs_mislead(replace(whole, curves={}, early=early))) == list(rungs_mislead(whole))
    fewer = {number: early[number] for number in range(9)}
    (found,) = rungs_mislead(replace(whole, curves={}, early=fewer))
    assert found.detail.startswith("The order of 9 of the 12 trials after epoch 3")
    too_few = {number: early[number] for number in range(7)}
    assert list(rungs_mislead(replace(whole, curves={}, early=too_few))) == []


def test_the_best_half_alone_says_nothing_of_all() -> None:
    many = [{"rate": 10 ** (-4 + 4 * spread(n, 40))} for n in range(40)]
    whole = search(many, rate, {"rate": RATE}, early=lambda c: -rate(c))
    best = [trial.number for trial, _ in whole.ranked[:19]]
    assert list(rungs_mislead(whole.with_curves(whole.curves[n] for n in best))) == []


def test_a_search_with_a_scheduler_or_that_cannot_have_one_is_not_judged() -> None:
    assert compared_epochs(turned(3)) == (1, 3)
    # A scheduler keeps the best alone, which shows no order.
    assert list(rungs_mislead(turned(3, scheduler="asha"))) == []
    seeds = JobResults.of(*fakes.repeated(fakes.grid(6), 2))
    assert compared_epochs(seeds) == ()
    assert list(rungs_mislead(seeds)) == []


def test_trials_that_failed_are_not_compared() -> None:
    results = turned(3)
    failed = tuple(replace(trial, state=TrialState.FAILED) for trial in results.trials[:6])
    assert list(rungs_mislead(replace(results, trials=failed + results.trials[6:]))) == []
