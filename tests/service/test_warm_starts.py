"""What the jobs that a search learns from tell it, and which are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from results.errors import JobNotFound
from results.records import JobRecord, Progress, TrialRecord
from results.states import JobState, TrialState
from search_spaces import SearchSpace, SearchSpaceError
from service.warm_starts import read_warm_starts
from tests.service.stand_ins import spec

DONE, RUNNING, OTHER = "a" * 16, "b" * 16, "c" * 16
TRIALS = {
    DONE: [
        TrialRecord(0, TrialState.SUCCEEDED, {"x": 0.5}, 42, metrics={"score": 1.0}),
        TrialRecord(1, TrialState.SUCCEEDED, {"x": 7.0}, 42, metrics={"score": 2.0}),
    ],
    OTHER: [
        TrialRecord(0, TrialState.FAILED, {"x": 0.5}, 42),
        TrialRecord(1, TrialState.FAILED, {"y": 0.25}, 42),
        TrialRecord(2, TrialState.CANCELLED, {"x": 0.25}, 42),
        TrialRecord(3, TrialState.SUCCEEDED, {"x": 0.125}, 42),
        TrialRecord(4, TrialState.STOPPED, {"x": 0.75}, 42),
        TrialRecord(5, TrialState.FAILED, {"x": 0.7}, 42),
        TrialRecord(6, TrialState.SUCCEEDED, {"y": 0.5}, 42, metrics={"score": 1.0}),
    ],
}


class Jobs:
    """The two questions that are asked of a store."""

    def job(self, job_id: str) -> JobRecord:
        if job_id not in (DONE, RUNNING, OTHER):
            raise JobNotFound(f"there is no job {job_id}")
        state = JobState.RUNNING if job_id == RUNNING else JobState.SUCCEEDED
        progress = Progress(2, 2, 0, 0, 2, 2)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return JobRecord(
            job_id, "job", state, spec(), "f", progress, None, None, now, now, None
        )  # fmt: skip

    def trials(self, job_id: str) -> list[TrialRecord]:
        return TRIALS[job_id]


def space(*warm_start: str) -> SearchSpace:
    return SearchSpace.from_json({
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 1, "metric": "score",
        "mode": "max", "strategy": "tpe", "parameters": {"x": {"low": 0.0, "high": 1.0}},
        "warm_start": list(warm_start),
    })  # fmt: skip


def read(declared: SearchSpace) -> Any:
    return read_warm_starts(Jobs(), declared)  # type: ignore[arg-type]


def test_finished_jobs_tell_what_fits() -> None:
    assert read(space()) is None
    found = read(space(DONE))
    assert [past.configuration for past in found.past] == [{"x": 0.5}]
    assert [(left.source, left.trials) for left in found.left_out] == [(f"job {DONE}", 1)]


@pytest.mark.parametrize(
    ("job", "detail"),
    [
        ("d" * 16, "there is no job"),
        (RUNNING, "is running"),
        (
            OTHER,
            r"no trial of job \w+ fits this space: the space has no parameter y \(2 trials\); "
            r"they failed \(2 trials\); they were cancelled \(1 trial\); "
            r"they have no finite value of score \(1 trial\); 1 more reason; leave",
        ),
    ],
)
def test_jobs_that_tell_nothing_are_refused_where_they_stand(job: str, detail: str) -> None:
    with pytest.raises(SearchSpaceError, match=detail) as caught:
        read(replace(space(), warm_start=(DONE, job)))
    assert [problem.pointer for problem in caught.value.problems] == ["/warm_start/1"]


def test_a_history_of_which_nothing_fits_is_refused() -> None:
    raw = space().to_json()
    fits = {"parameters": {"x": 0.25}, "values": [3.0]}
    wide = {"parameters": {"x": 7.0}, "values": [3.0]}
    found = read(SearchSpace.from_json({**raw, "history": [fits, wide]}))
    assert [past.configuration for past in found.past] == [{"x": 0.25}]
    assert [(left.source, left.trials) for left in found.left_out] == [("the history", 1)]
    with pytest.raises(SearchSpaceError, match="no trial of the history fits this space") as caught:
        read(SearchSpace.from_json({**raw, "history": [wide]}))
    assert [problem.pointer for problem in caught.value.problems] == ["/history"]
