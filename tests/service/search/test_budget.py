"""When a budget is spent, and the sentence that says so."""

from __future__ import annotations

import math
from typing import Any

import pytest

from search_spaces import Budget, Range, SearchSpace
from service.search.budget import BudgetTracker


def tracker(mode: Any = "min", elapsed: float = 0.0, **limits: Any) -> BudgetTracker:
    space = SearchSpace(
        name="a", title="A", trainable="q2_linear_regression", dataset="ames", epochs=10,
        metric="validation_score", mode=mode, strategy="random", budget=Budget(**limits),
        parameters={"learning_rate": Range(0.1, 1.0, default=0.5)},
    )  # fmt: skip
    return BudgetTracker(space, lambda: elapsed)


def test_without_a_budget_nothing_is_ever_spent() -> None:
    budget = tracker(elapsed=1e9)
    budget.trained(10**9)
    for number in range(100):
        budget.failed()
        budget.ended(number, None)
    assert budget.spent() == ""


@pytest.mark.parametrize(("mode", "target", "loss"), [("min", 0.25, 0.2), ("max", 0.9, -0.95)])
def test_the_target_is_reached_by_a_trial_that_has_ended(
    mode: str, target: float, loss: float
) -> None:
    budget = tracker(mode, target=target)
    budget.ended(3, loss + 0.2)
    budget.ended(4, None)
    assert budget.spent() == ""
    budget.ended(7, loss)
    value = abs(loss)
    said = f"trial 7 reached the target {target}: validation_score {value}"
    assert budget.spent() == said


def test_each_limit_is_said_in_a_sentence() -> None:
    assert tracker(elapsed=59.9, seconds=60).spent() == ""
    assert tracker(elapsed=60.0, seconds=60).spent() == "the budget of 60 seconds is spent"
    spent = tracker(epochs=5)
    spent.trained(4)
    assert spent.spent() == ""
    spent.trained(1)
    assert spent.spent() == "the budget of 5 epochs is spent"
    failing = tracker(failed_trials=2)
    failing.failed()
    failing.ended(1, 0.5)
    assert failing.spent() == ""
    failing.failed()
    assert failing.spent() == "2 trials failed"


def test_trials_without_improvement_are_counted_from_the_best_on() -> None:
    budget = tracker(trials_without_improvement=2)
    for number, loss in enumerate([3.0, 4.0, 2.0, math.inf]):
        budget.ended(number, loss)
        assert budget.spent() == ""
    budget.ended(4, 2.0)
    assert budget.spent() == "2 trials in a row brought no improvement"


def test_trials_that_wait_at_a_rung_count_once_and_improve_what_is_best_there() -> None:
    budget = tracker(trials_without_improvement=3)
    for number, loss in enumerate((0.5, 0.6, 0.7)):
        budget.paused(number, 1, loss)
    budget.paused(0, 3, 0.4)  # the first at this epoch, so the best
    budget.paused(3, 1, None)
    budget.paused(4, 1, 0.5)
    budget.paused(3, 3, 0.45)
    budget.ended(3, None)
    assert budget.spent() == ""
    budget.paused(5, 1, 0.55)
    assert budget.spent() == "3 trials in a row brought no improvement"
