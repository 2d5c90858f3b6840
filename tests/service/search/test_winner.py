"""Which trials confirm a search's winner, with trials as a former run left them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.states import FailureKind, Purpose, TrialState
from service.search.trials import Trial
from service.search.winner import Winner
from tests.service.stand_ins import spec

SPEC = spec(
    strategy="random", trials=3, confirm={"top": 1, "seeds": 2},
    parameters={"learning_rate": {"low": 0.001, "high": 0.1, "default": 0.001}},
)  # fmt: skip


def searched(*losses: float) -> dict[int, Trial]:
    """Trials of a search that trained for one epoch, with other than the default values."""
    return {
        n: Trial(n, {"learning_rate": 0.01 * (n + 1)}, 42, n, state=TrialState.SUCCEEDED, epochs=1,
                 metrics={"train_rmse": loss})
        for n, loss in enumerate(losses)
    }  # fmt: skip


def run(winner: Winner, trials: dict[int, Trial], most: int = 100) -> list[tuple[int, int, int]]:
    """Train what comes next; return each trial's number, configuration and seed."""
    ran = []
    while len(ran) < most and (trial := winner.next()) is not None:
        trials[trial.number] = trial
        trial.state, trial.epochs = TrialState.SUCCEEDED, 1
        trial.metrics = {"train_rmse": 0.5}
        winner.end(trial)
        ran.append((trial.number, trial.configuration, trial.seed))
    return ran


def test_the_best_and_the_default_run_with_the_seeds_after_the_searchs() -> None:
    trials = searched(0.9, 0.1, 0.5)
    winner = Winner(SPEC, trials)
    assert run(winner, trials) == [(3, 1, 43), (4, 4, 43), (5, 1, 44), (6, 4, 44)]
    assert trials[4].parameters == {"learning_rate": 0.001}
    assert {trials[n].purpose for n in (3, 4, 5, 6)} == {Purpose.CONFIRM}
    assert winner.is_over
    assert winner.planned == 7


def test_one_that_is_taken_over_goes_on_where_it_was() -> None:
    whole, broken = searched(0.9, 0.1, 0.5), searched(0.9, 0.1, 0.5)
    expected = run(Winner(SPEC, whole), whole)
    ran = run(Winner(SPEC, broken), broken, most=2)
    lost = Winner(SPEC, broken).next()  # given out, and lost before it has ended
    assert lost is not None
    broken[lost.number] = lost
    assert ran + run(Winner(SPEC, broken), broken) == expected


@pytest.mark.parametrize("state", [TrialState.STOPPED, TrialState.CANCELLED])
@pytest.mark.parametrize("which", [3, 4, 5])
def test_a_pair_whose_trial_was_stopped_halfway_runs_again(state: TrialState, which: int) -> None:
    """4 is the first trial of the default configuration, 3 and 5 are of the search's best."""
    whole = searched(0.9, 0.1, 0.5)
    run(Winner(SPEC, whole), whole)
    trials = {n: replace(trial) for n, trial in whole.items() if n <= which}
    trials[which].state, trials[which].metrics = state, {"train_rmse": 99.0}
    most = len(whole) + 1
    winner = Winner(SPEC, trials)
    first = winner.next()
    assert first is not None
    assert first.number == which + 1
    assert (first.configuration, first.seed) == (trials[which].configuration, trials[which].seed)
    assert winner.planned == most
    trials[first.number] = first  # given out, and lost before it has ended
    assert winner.planned == most
    ran = run(Winner(SPEC, trials), trials)
    assert ran[0] == (first.number, first.configuration, first.seed)
    counted = [t for t in trials.values() if t.number > 2 and t.state is TrialState.SUCCEEDED]
    pairs = sorted((t.configuration == 1, t.seed) for t in counted)
    assert pairs == [(False, 43), (False, 44), (True, 43), (True, 44)]
    assert len(trials) == most


def test_a_stopped_trial_has_no_part_in_the_race() -> None:
    trials = searched(0.9, 0.1, 0.5)
    winner = Winner(SPEC, trials)
    first = winner.next()
    assert first is not None
    trials[first.number] = first
    first.state, first.metrics = TrialState.STOPPED, {"train_rmse": 99.0}
    winner.end(first)
    assert winner.at_once == 2
    assert len({(c, s) for _, c, s in run(Winner(SPEC, trials), trials)}) == 4


def test_the_plan_counts_what_a_former_confirmation_ran_of_others() -> None:
    trials = searched(0.9, 0.1, 0.5)
    run(Winner(SPEC, trials), trials)
    trials[1].metrics = {"train_rmse": 1.0}
    winner = Winner(SPEC, trials)
    ran = run(winner, trials, most=1)
    assert winner.planned == 7 + 2  # the default has its two trials
    ran += run(winner, trials)
    assert ran == [(7, 2, 43), (8, 2, 44)]
    assert winner.planned == len(trials)


def test_the_best_that_ended_early_comes_before_what_was_stopped_later() -> None:
    trials = searched(0.9, 0.1, 0.5)
    trials[0].state, trials[0].epochs = TrialState.STOPPED, 3
    trials[2].epochs = 2
    winner = Winner(SPEC, trials)
    assert [configuration for _, configuration, _ in run(winner, trials, most=2)] == [1, 4]


def test_without_a_result_or_a_wish_nothing_is_confirmed() -> None:
    failed = searched(0.9)
    failed[0].state = TrialState.FAILED
    for winner in (Winner(SPEC, failed), Winner(spec(), searched(0.9))):
        assert winner.next() is None
        assert winner.is_over
        assert winner.planned == 1


@pytest.mark.parametrize("kind", list(FailureKind))
def test_only_failures_of_its_configuration_drop_a_candidate(kind: FailureKind) -> None:
    trials = searched(0.9, 0.1, 0.5)
    winner = Winner(SPEC, trials)
    first = winner.next()
    assert first is not None
    trials[first.number] = first
    first.state, first.failure = TrialState.FAILED, kind
    winner.end(first)
    ran = run(winner, trials)
    assert len(ran) == (1 if kind.is_of_configuration else 3)
    assert Winner(SPEC, trials).next() is None  # a driver that takes over decides the same
