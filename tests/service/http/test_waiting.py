"""A job waits for a controller, a turn, another job's slot or a node, or does not wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from results.records import JobRecord, Progress
from results.states import JobState
from service.http.waiting import Fleet, Share, waiting
from tests.service.stand_ins import spec


def job(
    *,
    state: JobState = JobState.RUNNING,
    slots: int | None = 1,
    running: int = 0,
    finished: int = 0,
    paused: int = 0,
    key: str = "this",
    **changes: Any,
) -> JobRecord:
    """A job of ten trials."""
    return JobRecord(
        id=key, name="job", state=state, spec=spec(**changes), fingerprint="",
        progress=Progress(10, finished, 0, running, 0, 10, paused=paused), best=None, error=None,
        created_at=datetime.now(UTC), started_at=None, finished_at=None, slots=slots,
    )  # fmt: skip


def reason(one: JobRecord, *others: JobRecord) -> str | None:
    running = [found for found in (one, *others) if found.state is JobState.RUNNING]
    return waiting(one, Fleet.of(running, max_jobs=3))


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.QUEUED])
def test_a_job_that_uses_its_slots_or_may_not_run_does_not_wait(state: JobState) -> None:
    assert reason(job(state=state, running=1)) is None
    assert reason(job(state=state, slots=None)) is None
    if state is not JobState.RUNNING:
        assert reason(job(state=state, slots=0)) is None


def test_a_job_whose_trials_wait_for_their_scheduler_waits_for_nothing_else() -> None:
    assert reason(job(finished=4, paused=6)) is None
    assert reason(job(finished=4, paused=5)) is not None


def test_a_queued_job_waits_behind_as_many_as_a_controller_runs() -> None:
    queued = job(state=JobState.QUEUED, slots=None)
    others = [job(key=f"{number}") for number in range(3)]
    assert str(reason(queued, *others[:2])).startswith("for a controller to take it")
    assert reason(queued, *others) == (
        "behind 3 running jobs: a controller runs 3 at once (ARGBEST_MAX_CONCURRENT_JOBS)"
    )


def test_a_queued_job_waits_for_a_slot_where_all_are_taken() -> None:
    queued = job(state=JobState.QUEUED, slots=None)
    fleet = Fleet.of([job(key=f"{number}", running=1) for number in range(2)], 3, is_full=True)
    assert waiting(queued, fleet) == "for its turn: 2 jobs share 2 slots"


def test_a_job_without_a_slot_waits_for_its_turn() -> None:
    others = [job(key=f"{number}", running=1) for number in range(2)]
    assert reason(job(slots=0), *others) == "for its turn: 3 jobs share 2 slots"
    # What it still runs is given back; what is left has no slot.
    assert reason(job(slots=0, running=1), *others) is None
    assert reason(job(slots=0)) == "for a node: the cluster has no room for any trial now"


def test_a_job_waits_for_the_slot_of_one_that_has_more_than_its_share() -> None:
    expected = "for a slot that a trial of another job gives back at its next checkpoint"
    assert reason(job(slots=2, running=1), job(key="other", slots=1, running=2)) == expected
    assert reason(job(slots=2, running=2), job(key="other", slots=1, running=2)) is None


def test_a_job_of_which_nothing_runs_waits_for_a_node() -> None:
    other = job(key="other", slots=1, running=1)
    assert reason(job(slots=2), other) == (
        "for a node with room for a trial (1 CPU), or for its process to start"
    )
    assert reason(job(slots=2, running=1), other) is None
    assert "(0.5 CPU, 2 GPU)" in str(reason(job(cpu=0.5, gpu=2.0)))


def test_a_job_with_nothing_left_to_start_does_not_wait() -> None:
    assert reason(job(slots=4, running=2, finished=8)) is None
    assert reason(job(slots=4, running=2, max_concurrent_trials=2)) is None


def test_a_fleet_counts_slots_of_jobs_that_have_a_share() -> None:
    fleet = Fleet.of([job(slots=None), job(key="other", slots=3, running=2)], max_jobs=1)
    assert fleet.shares == {"this": Share(0, 0), "other": Share(3, 2)}
    assert fleet.slots == 3
