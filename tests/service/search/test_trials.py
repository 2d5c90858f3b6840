"""The trials of a former run as a search knows them, and their losses."""

from __future__ import annotations

import math
from dataclasses import replace

from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import Constraint, SearchSpace
from service.search.levels import Values
from service.search.scheduler import FORBIDDEN
from service.search.trials import (
    Trial,
    compared_loss,
    final_loss,
    loss_in,
    mean_loss,
    trials_of,
    values_of,
)
from tests.service.stand_ins import spec


def space(mode: str = "min", *constraints: Constraint) -> SearchSpace:
    return replace(spec(mode=mode).space, constraints=constraints)


def trial(state: TrialState, **metrics: float) -> Trial:
    return Trial(0, {}, 42, 0, state=state, metrics=metrics)


def test_records_become_trials_in_order_with_the_metrics_of_every_trial() -> None:
    records = [
        TrialRecord(3, TrialState.PAUSED, {"x": 1}, 43, {"loss": 0.5}, epochs=2, seconds=7.0,
                    model_bytes=9, purpose=Purpose.CONFIRM, configuration=1),
        TrialRecord(1, TrialState.QUEUED, {"x": 2}, 42),
    ]  # fmt: skip
    assert trials_of(records) == {
        1: Trial(1, {"x": 2}, 42, 1, metrics={"seconds": 0.0}),
        3: Trial(3, {"x": 1}, 43, 1, Purpose.CONFIRM, TrialState.PAUSED, 2,
                 {"loss": 0.5, "seconds": 7.0, "model_bytes": 9.0}),
    }  # fmt: skip
    assert list(trials_of(records)) == [1, 3]


def test_losses_are_lower_where_a_trial_is_better() -> None:
    assert loss_in(space("min"), {"train_rmse": 0.5}) == 0.5
    assert loss_in(space("max"), {"train_rmse": 0.5}) == -0.5
    assert loss_in(space(), {"seconds": 1.0}) is None


def test_trials_that_failed_or_break_a_constraint_have_no_final_loss() -> None:
    limited = space("min", Constraint("model_bytes", at_most=10))
    for state in TrialState:
        has_ended = state in (TrialState.SUCCEEDED, TrialState.STOPPED)
        expected = 0.5 if has_ended else None
        assert final_loss(limited, trial(state, train_rmse=0.5, model_bytes=9)) == expected
    assert final_loss(limited, trial(TrialState.SUCCEEDED, train_rmse=0.5, model_bytes=11)) is None
    assert final_loss(limited, trial(TrialState.SUCCEEDED, train_rmse=0.5)) is None


def test_a_sampler_is_told_means_over_repeats_and_by_how_much_limits_are_exceeded() -> None:
    limited = space("max", Constraint("model_bytes", at_most=10))
    repeats = [{"train_rmse": 0.5, "model_bytes": 14.0}, {"train_rmse": 1.0, "model_bytes": 12.0}]
    assert values_of(limited, repeats, has_ended=True) == Values((-0.75,), (3.0,))
    assert values_of(limited, [{"model_bytes": 1.0}], has_ended=False) is None


def test_a_constrained_metric_that_is_missing_is_violated_only_at_the_end() -> None:
    limited = space("max", Constraint("model_bytes", at_most=10))
    none = [{"train_rmse": 0.5}]
    assert values_of(limited, none, has_ended=False) == Values((-0.5,), (0.0,))
    assert values_of(limited, none, has_ended=True) == Values((-0.5,), (math.inf,))
    one_lacks_it = [*none, {"train_rmse": 0.5, "model_bytes": -math.inf}]
    assert values_of(limited, one_lacks_it, has_ended=True) == Values((-0.5,), (math.inf,))
    assert compared_loss(limited, none[0]) == -0.5


def test_trials_that_violate_a_constraint_are_compared_behind_all_others() -> None:
    limited = space("min", Constraint("seconds", at_most=10), Constraint("size", at_least=5))
    found = [
        compared_loss(limited, {"train_rmse": loss, **metrics})
        for loss, metrics in (
            (9.0, {}),
            (1e150, {"seconds": 10.0, "size": 5.0}),
            (0.1, {"seconds": 10.5}),
            (0.2, {"seconds": 9.0, "size": 4.0}),
            (0.1, {"seconds": math.inf, "size": 4.0}),
        )
    ]
    assert found[0] == 9.0
    assert sorted(found) == found
    assert [loss >= FORBIDDEN for loss in found if loss is not None] == [False] * 2 + [True] * 3
    assert all(math.isfinite(loss) for loss in found if loss is not None)
    assert compared_loss(limited, {"seconds": 11.0}) is None


def test_means_of_very_large_values_are_numbers() -> None:
    large = [trial(TrialState.SUCCEEDED, train_rmse=1e308, other=1e308) for _ in range(2)]
    assert mean_loss(space(), large) == 1e308
    metrics = [one.metrics for one in large]
    assert values_of(space(), metrics, has_ended=True) == Values((1e308,))
    below = [trial(TrialState.SUCCEEDED, train_rmse=value) for value in (math.inf, 0.5)]
    assert mean_loss(space(), below) is None
    assert final_loss(space(), below[0]) is None
