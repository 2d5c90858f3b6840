from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from results.analysis import JobResults
from results.confirmation import Confirmed, Lost, confirmed, default_configuration
from results.records import Failure
from results.states import FailureKind, JobState, TrialState
from search_spaces import Constraint
from tests.results import fakes


def found(values: Mapping[int, Sequence[float | None]], **changes: object) -> Confirmed:
    """Confirm trials of Q4.2, where trial 0 has the defaults and trial 1 is the search's best."""
    job = fakes.confirming(fakes.feedforward(2), values)
    confirmation = confirmed(JobResults.of(replace(job.job, **changes), *job[1:]))  # type: ignore[arg-type]
    assert confirmation is not None
    return confirmation


CLEAR = {1: [0.88, 0.89, 0.87], 2: [0.85, 0.86, 0.84], 0: [0.82, 0.83, 0.80]}


def test_a_job_without_further_seeds_has_no_confirmation() -> None:
    assert confirmed(JobResults.of(*fakes.feedforward(2))) is None


def test_a_clear_winner_by_hand() -> None:
    clear = found(CLEAR)
    assert (clear.winner, clear.together, clear.is_clear) == (1, (1,), True)
    assert clear.seeds == (43, 44, 45)
    assert [one.configuration for one in clear.candidates] == [1, 2, 0]
    assert [one.is_left for one in clear.candidates] == [True, False, False]
    best = clear.candidates[0].value
    assert best is not None
    assert best.mean == pytest.approx(0.88)
    assert best.standard_deviation == pytest.approx(0.01)
    # Half the width: t(0.975, 2) * 0.01 / sqrt(3) = 4.3027 * 0.0057735.
    assert best.high == pytest.approx(0.88 + 0.024841, abs=1e-6)


def test_differences_are_paired_and_positive_for_better() -> None:
    clear = found(CLEAR)
    assert clear.to_second is not None
    assert clear.to_second.other == 2
    assert clear.to_second.difference.mean == pytest.approx(0.03)
    assert clear.to_second.difference.low == pytest.approx(0.03)  # the same with each seed
    assert clear.to_default is not None
    assert clear.to_default.other == 0
    # 0.06, 0.06, 0.07: half the width 4.3027 * 0.0057735 / sqrt(3).
    assert clear.to_default.difference.low == pytest.approx(0.0633333 - 0.014342, abs=1e-5)


def test_of_a_lower_is_better_metric_the_lower_mean_wins() -> None:
    job = fakes.confirming(fakes.with_scores(3.0, 1.0), {0: [3.0, 3.1, 3.2], 1: [1.0, 1.2, 1.1]})
    low = confirmed(JobResults.of(*job))
    assert low is not None
    assert low.winner == 1
    assert low.to_second is not None
    assert low.to_second.difference.mean == pytest.approx(2.0)


def test_close_candidates_cannot_be_told_apart() -> None:
    close = found({1: [0.88, 0.89, 0.87], 2: [0.87, 0.90, 0.86], 0: [0.80, 0.81, 0.79]})
    assert close.winner == 1
    assert close.together == (1, 2)
    assert not close.is_clear


def test_what_the_search_measured_does_not_count() -> None:
    """Trial 1 was the search's best, and is last with further seeds."""
    luck = found({1: [0.80, 0.81, 0.79], 2: [0.85, 0.86, 0.84]})
    assert luck.winner == 2
    assert luck.candidates[1].searched is not None
    assert luck.candidates[1].searched == pytest.approx(0.8314, abs=1e-4)  # of one seed


def test_one_that_failed_with_a_seed_is_behind_all_others() -> None:
    failed = found({1: [0.95, None, 0.95], 2: [0.85, 0.86, 0.84]})
    assert failed.winner == 2
    assert failed.together == (2,)
    assert failed.candidates[1].failed == 1
    assert found({1: [None], 2: [None]}).winner is None


def test_two_pairs_tell_nobody_apart() -> None:
    assert found({1: [0.9, 0.9], 2: [0.1, 0.1]}).together == (1, 2)


def test_one_that_dropped_out_is_compared_on_the_seeds_it_has() -> None:
    rounds = found({1: [0.88, 0.89, 0.87, 0.88, 0.9], 2: [0.8, 0.81, 0.79]})
    assert rounds.to_second is not None
    assert rounds.to_second.difference.n == 3


def test_test_metrics_are_read_for_the_winner_once_the_job_has_ended() -> None:
    test = found(CLEAR).test
    assert list(test) == ["test_accuracy"]
    assert test["test_accuracy"].mean == pytest.approx(0.87)
    assert test["test_accuracy"].n == 3
    running = found(CLEAR, state=JobState.RUNNING)
    assert running.test == {}
    assert not running.is_over


def test_one_that_breaks_a_constraint_with_a_seed_drops_out() -> None:
    spec = fakes.feedforward(2).job.spec
    limit = Constraint("validation_accuracy", at_most=0.875)
    limited = found(CLEAR, spec=replace(spec, space=replace(spec.space, constraints=(limit,))))
    assert limited.winner == 2
    left = {one.configuration: (one.is_left, dict(one.lost)) for one in limited.candidates}
    broken = {43: Lost.CONSTRAINT, 44: Lost.CONSTRAINT}
    assert left == {2: (True, {}), 1: (False, broken), 0: (False, {})}
    assert [one.failed for one in limited.candidates] == [0, 0, 0]


def test_cancelled_trials_say_nothing() -> None:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.88, 0.87], 2: [0.85, 0.9]})
    last = replace(job.trials[-1], state=TrialState.CANCELLED, metrics={})
    cancelled = confirmed(JobResults.of(job.job, [*job.trials[:-1], last], *job[2:]))
    assert cancelled is not None
    assert cancelled.together == (1, 2)
    assert [one.failed for one in cancelled.candidates] == [0, 0]


def test_a_trial_that_was_stopped_says_nothing_beside_the_one_that_ran_its_seed_again() -> None:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.88, 0.87], 2: [0.85, 0.9]})
    whole = confirmed(JobResults.of(*job))
    number = len(fakes.feedforward(2).trials)
    old = next(trial for trial in job.trials if trial.number == number)
    stopped = replace(old, state=TrialState.STOPPED, metrics={"validation_accuracy": 0.1})
    again = replace(old, number=len(job.trials))
    others = [trial for trial in job.trials if trial.number != number]
    assert confirmed(JobResults.of(job.job, [*others, stopped, again], *job[2:])) == whole


def test_what_the_engine_takes_for_a_failure_is_one() -> None:
    huge = found({1: [0.95, 1e150, 0.95], 2: [0.85, 0.86, 1e100]})
    lost = [(one.configuration, dict(one.lost)) for one in huge.candidates]
    assert lost == [(2, {}), (1, {44: Lost.TOO_LARGE})]
    assert [one.is_left for one in huge.candidates] == [True, False]


def test_a_default_that_the_search_did_not_run() -> None:
    job = fakes.confirming(fakes.sampled(12), {1: [0.88, 0.87]}, defaults=[0.7, 0.7])
    results = JobResults.of(*job)
    own = confirmed(results)
    assert own is not None
    default = own.candidates[1]
    assert (default.configuration, default.is_default, default.searched) == (14, True, None)
    assert own.to_default is not None
    assert default_configuration(results.space, results.trials) is None


def unfinished(
    state: JobState, last: TrialState, values: Mapping[int, Sequence[float | None]]
) -> Confirmed:
    """Confirm with a job in that state, whose last trial has not come to a result."""
    job = fakes.confirming(fakes.feedforward(2), values)
    waiting = replace(job.trials[-1], state=last, metrics={}, attempt=0, epochs=0)
    results = JobResults.of(replace(job.job, state=state), [*job.trials[:-1], waiting], *job[2:])
    found = confirmed(results)
    assert found is not None
    return found


ENDS = [
    (JobState.RUNNING, TrialState.QUEUED),
    (JobState.RUNNING, TrialState.RUNNING),
    (JobState.CANCELLED, TrialState.CANCELLED),
    (JobState.FAILED, TrialState.CANCELLED),
]


@pytest.mark.parametrize(("state", "last"), ENDS)
def test_a_candidate_without_a_result_is_not_beaten(state: JobState, last: TrialState) -> None:
    early = unfinished(state, last, {1: [0.88], 2: [0.85]})
    assert early.together == (1, 2)
    assert (early.is_complete, early.is_clear) == (False, False)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.CANCELLED, JobState.FAILED])
def test_nothing_is_clear_while_trials_without_a_record_are_to_come(state: JobState) -> None:
    job = fakes.feedforward(2).job
    to_come = replace(job.progress, trials=len(fakes.feedforward(2).trials) + 6)
    early = found({1: [0.88]}, state=state, progress=to_come)
    assert (early.winner, early.is_complete, early.is_clear) == (1, False, False)


@pytest.mark.parametrize(("state", "last"), ENDS)
def test_only_seeds_with_a_trial_that_succeeded_count(state: JobState, last: TrialState) -> None:
    assert unfinished(state, last, {2: [0.85], 1: [0.88, 0.87]}).seeds == (43,)
    assert found({1: [0.88, None], 2: [0.85, None]}).seeds == (43,)


def test_the_second_is_the_best_of_those_that_a_failure_did_not_drop() -> None:
    """Trial 1 has the best value, and failed; trial 2 is the best that is left beside trial 0."""
    failed = found({1: [0.95, None], 2: [0.85, 0.84, 0.86], 0: [0.9, 0.91, 0.89]})
    assert failed.winner == 0
    assert failed.to_second is not None
    assert failed.to_second.other == 2
    assert failed.candidates[1].fall == (44, Lost.FAILED)
    assert found({0: [0.95, None], 2: [0.85, 0.84]}).to_default is None


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_drops_its_candidate_only_where_the_configuration_is_the_reason(
    kind: FailureKind,
) -> None:
    job = fakes.confirming(fakes.feedforward(2), {2: [0.85, 0.86], 1: [0.88, None]})
    last = replace(job.trials[-1], error=Failure(kind, "why", ""))
    one = confirmed(JobResults.of(job.job, [*job.trials[:-1], last], *job[2:]))
    assert one is not None
    own = next(each for each in one.candidates if each.configuration == 1)
    assert own.is_left is not kind.is_of_configuration
    assert own.failed == 1
    assert (1 in one.together) is own.is_left
