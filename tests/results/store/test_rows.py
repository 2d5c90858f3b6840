"""Specifications as this version reads them, and those that it cannot read."""

from __future__ import annotations

import json
import logging

import pytest

from results.errors import IllegalMove, UnreadableJob
from results.records import Failure, JobRecord
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from results.store.rows import read_spec
from tests.results.store.samples import SPEC, accept, change, claim, expire, started

NEWER = SPEC.to_json() | {"strategy": "telepathy"}


def newer(store: Store, job: JobRecord) -> None:
    """Let a job be one that a newer version accepted, with a strategy unknown here."""
    text = json.dumps(NEWER)
    with store._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET spec = '{text}' WHERE id = '{job.id}'")


def test_a_specification_is_read_as_it_was_written() -> None:
    text = json.dumps(SPEC.to_json())
    assert read_spec("0", text) == SPEC
    assert read_spec("1", text) is read_spec("0", text)
    assert read_spec("0", json.dumps(SPEC.to_json() | {"from_the_future": [1]})) == SPEC


@pytest.mark.parametrize("spec", [NEWER, {}, {**NEWER, "strategy": None}, [], None, 7])
def test_a_specification_of_another_version_may_be_unreadable(spec: object) -> None:
    with pytest.raises(UnreadableJob, match=r"this version of argbest cannot read .* job 0"):
        read_spec("0", json.dumps(spec))


def test_an_unreadable_job_is_left_out_of_pages(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [accept(store) for _ in range(5)]
    newer(store, jobs[3])
    with caplog.at_level(logging.WARNING):
        page = store.jobs(limit=3)
        assert store.jobs(limit=3) == page
    assert [job.id for job in page.items] == [jobs[4].id, jobs[2].id]
    assert [job.id for job in store.jobs(limit=3, cursor=page.next_cursor).items] == [
        jobs[1].id, jobs[0].id,
    ]  # fmt: skip
    (warning,) = caplog.messages
    assert jobs[3].id in warning
    assert '"telepathy" is not a strategy' in warning


def test_an_unreadable_job_says_so_and_stays_as_it_is(store: Store) -> None:
    job = accept(store, key="key")
    newer(store, job)
    for ask in (
        store.job, store.request_cancel, store.request_pause, store.resume_job,
        store.retry_failed, store.curves, lambda _: store.job_of_key("key", "digest of job"),
    ):  # fmt: skip
        with pytest.raises(UnreadableJob, match='"telepathy" is not a strategy') as raised:
            ask(job.id)
        assert "newer" in raised.value.hint
    assert store.counts()[JobState.QUEUED] == 1
    assert len(store.trials(job.id)) == 2
    with pytest.raises(IllegalMove):
        store.delete_job(job.id)


def test_an_unreadable_job_is_left_to_a_version_that_can_read_it(store: Store) -> None:
    lease = started(store)
    first, second, third = store.job(lease.job_id), accept(store), accept(store)
    newer(store, first)
    newer(store, second)
    expire(store, lease)
    assert claim(store).job_id == third.id
    assert store.claim_job("controller", 60) is None
    assert store.leased_jobs()[first.id].lease == lease


def test_an_unreadable_job_can_be_deleted_once_it_has_finished(store: Store) -> None:
    lease = started(store)
    store.finish_trial(lease, 0, TrialState.FAILED)
    job = store.job(lease.job_id)
    newer(store, job)
    store.finish_job(lease, JobState.FAILED)
    store.delete_job(job.id)
    assert store.counts() == dict.fromkeys(JobState, 0)


def test_a_kind_of_failure_of_a_newer_version_reads_as_internal(store: Store) -> None:
    lease = started(store, 1)
    store.finish_trial(lease, 0, TrialState.FAILED, Failure(FailureKind.DIVERGED, "why"))
    change(
        store,
        "UPDATE trials SET error = replace(CAST(error AS TEXT), 'diverged', 'bored')::json"
        if store.url.startswith("postgresql")
        else "UPDATE trials SET error = replace(error, 'diverged', 'bored')",
    )
    assert store.trial(lease.job_id, 0).error == Failure(FailureKind.INTERNAL, "why")


def test_a_state_of_a_newer_version_is_no_error_of_ours(store: Store) -> None:
    lease = started(store, 1)
    other = accept(store)
    change(store, f"UPDATE trials SET state = 'dreaming' WHERE job_id = '{lease.job_id}'")
    with pytest.raises(UnreadableJob, match="no TrialState 'dreaming'"):
        store.trials(lease.job_id)
    change(store, f"UPDATE jobs SET state = 'dreaming' WHERE id = '{lease.job_id}'")
    for ask in (store.job, store.request_cancel, store.request_pause, store.delete_job):
        with pytest.raises(UnreadableJob, match="no JobState 'dreaming'"):
            ask(lease.job_id)
    assert [job.id for job in store.jobs().items] == [other.id]
