"""The states of jobs and trials: what each is called, what has ended, where it may go."""

from __future__ import annotations

import pytest

from results.states import JOB_MOVES, FailureKind, JobState, TrialState


def test_every_job_state_has_its_moves_and_can_be_reached() -> None:
    assert set(JOB_MOVES) == set(JobState)
    assert set().union(*JOB_MOVES.values()) == set(JobState)
    assert all(state not in moves for state, moves in JOB_MOVES.items())


@pytest.mark.parametrize("state", JobState)
def test_a_job_that_has_not_ended_can_end(state: JobState) -> None:
    ways, found = [state], set[JobState]()
    while ways:
        now = ways.pop()
        found.add(now)
        ways += JOB_MOVES[now] - found
    assert any(reached.is_finished for reached in found)


def test_what_has_ended() -> None:
    assert {s.value for s in JobState if s.is_finished} == {"succeeded", "failed", "cancelled"}
    ended = {"succeeded", "stopped", "failed", "cancelled"}
    assert {s.value for s in TrialState if s.is_finished} == ended


def test_a_job_that_was_cancelled_runs_again_only_where_it_is_extended() -> None:
    moves = {state for state in JobState if JobState.CANCELLED.may_become(state)}
    assert moves == {JobState.QUEUED}
    assert JobState.SUCCEEDED.may_become(JobState.QUEUED)
    assert not JobState.SUCCEEDED.may_become(JobState.RUNNING)


def test_failures_that_would_come_again_are_not_retried() -> None:
    retried = {kind.value for kind in FailureKind if kind.is_retried}
    assert retried == {"user_error", "out_of_memory", "worker_lost"}


def test_failures_for_which_the_configuration_is_the_reason() -> None:
    own = {kind.value for kind in FailureKind if kind.is_of_configuration}
    assert own == {"diverged", "user_error", "out_of_memory", "time_limit", "worker_lost"}
