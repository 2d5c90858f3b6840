"""What the store promises a client: jobs accepted once, listed in order, cancelled, deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from results.errors import (
    BadCursor,
    IdempotencyClash,
    IllegalMove,
    JobNotFound,
    StoreUnavailable,
)
from results.records import NewTrial, Progress
from results.states import JobState, TrialState
from results.store import Store, open_store
from search_spaces import Constant
from tests.results.store.samples import (
    SPACE,
    SPEC,
    UNKNOWN_IDS,
    accept,
    change,
    claim,
    remove_all_jobs,
    report,
)


def test_an_accepted_job_is_queued_and_complete(store: Store) -> None:
    spec = replace(
        SPEC,
        name="Näme ✓",
        trials=7,
        tags={"b": "✓", "a": ""},
        space=replace(SPACE, parameters={"b": Constant(1), "a": Constant(1e-300)}),
    )
    made = store.create_job(
        spec,
        fingerprint="abc",
        trials=[NewTrial(0, {"learning_rate": 0.1 + 0.2}, 2**63 - 1)],
    )
    assert store.job(made.id) == made
    assert (made.name, made.state, made.fingerprint) == ("Näme ✓", JobState.QUEUED, "abc")
    assert made.spec == replace(spec, space=replace(spec.space, trials=7))
    assert list(made.spec.space.parameters) == list(made.spec.tags) == ["b", "a"]
    assert made.progress == Progress(7, 0, 0, 0, 0, 21)
    assert (made.best, made.error, made.started_at, made.finished_at) == (None, None, None, None)
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(seconds=5)
    (trial,) = store.trials(made.id)
    assert (trial.number, trial.state, trial.attempt) == (0, TrialState.QUEUED, 0)
    assert trial.parameters == {"learning_rate": 0.1 + 0.2}
    assert trial.seed == 2**63 - 1


def test_the_same_request_makes_one_job(store: Store) -> None:
    first = accept(store, key="key")
    assert accept(store, key="key") == first
    assert accept(store).id != first.id
    assert len(store.jobs().items) == 2


def test_a_key_of_another_request_is_refused(store: Store) -> None:
    first = accept(store, key="key", name="job")
    with pytest.raises(IdempotencyClash, match="key"):
        accept(store, key="key", name="other")
    assert store.job_of_key("key", "digest of job") == first
    with pytest.raises(IdempotencyClash, match=first.id):
        store.job_of_key("key", "digest of other")
    assert store.job_of_key("other key", "digest of job") is None
    assert len(store.jobs().items) == 1


def test_a_job_deleted_while_its_request_is_repeated_is_made_again(migrated_url: str) -> None:
    store, other = open_store(migrated_url), open_store(migrated_url)
    remove_all_jobs(store)
    first = accept(store, key="key")
    store.request_cancel(first.id)
    insertions: list[str] = []

    def delete_the_first(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO jobs"):
            insertions.append(statement)
            if len(insertions) == 1:
                other.delete_job(first.id)

    sa.event.listen(store._database._engine, "after_cursor_execute", delete_the_first)
    second = accept(store, key="key")
    assert len(insertions) == 2
    assert store.jobs().items == (second,)
    store.close()
    other.close()


def test_deleting_a_job_frees_its_key(store: Store) -> None:
    first = accept(store, key="key")
    store.request_cancel(first.id)
    store.delete_job(first.id)
    assert accept(store, key="key").id != first.id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"spec": replace(SPEC, name="a\x00")},
            r"name holds the NUL character U\+0000",
        ),
        ({"fingerprint": "\udfff"}, r"fingerprint holds the lone surrogate U\+DFFF"),
        ({"idempotency_key": "\x00"}, "idempotency_key"),
        ({"request_digest": "\x00"}, "request_digest"),
        (
            {"spec": replace(SPEC, cpu=float("nan"))},
            r"resources_per_trial\.cpu must be finite",
        ),
        ({"spec": replace(SPEC, time_limit_s=float("inf"))}, r"spec\.time_limit_s must be finite"),
        ({"spec": replace(SPEC, tags={"\x00": ""})}, r"a key of spec\.tags"),
        ({"spec": replace(SPEC, tags={1: ""})}, r"a key of spec\.tags must be a string"),
        (
            {"spec": replace(SPEC, tags={"x": {1, 2}})},
            r"tags\.x must be a JSON value, not set",
        ),
        ({"spec": replace(SPEC, trials=0)}, "spec.trials must be an integer from 1"),
        ({"spec": replace(SPEC, trials=2**31)}, "spec.trials"),
        ({"spec": replace(SPEC, trials=True)}, "spec.trials"),
        ({"trials": [NewTrial(0, {}, 1), NewTrial(0, {}, 2)]}, "the same number"),
        ({"trials": [NewTrial(-1, {}, 1)]}, "trial.number"),
        ({"trials": [NewTrial(0, {}, 2**63)]}, "trial 0: seed"),
        ({"trials": [NewTrial(0, {"a": float("-inf")}, 1)]}, "trial 0: parameters.a"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    store: Store, change: dict[str, object], message: str
) -> None:
    request = {"spec": SPEC, "fingerprint": "f", "trials": [NewTrial(0, {}, 1)]}
    with pytest.raises(ValueError, match=message):
        store.create_job(**request | change)
    assert store.jobs().items == ()


@pytest.mark.parametrize("job_id", UNKNOWN_IDS)
def test_an_unknown_job_is_not_found(store: Store, job_id: str) -> None:
    for ask in (store.job, store.trials, store.curves, store.request_cancel, store.delete_job):
        with pytest.raises(JobNotFound):
            ask(job_id)
    for ask_trial in (store.trial, store.curve):
        with pytest.raises(JobNotFound):
            ask_trial(job_id, 0)


def test_pages_are_newest_first_and_stay_put_while_jobs_come_and_go(store: Store) -> None:
    old = [accept(store).id for _ in range(7)]
    first = store.jobs(limit=3)
    assert [job.id for job in first.items] == old[:-4:-1]
    accept(store)
    store.request_cancel(old[4])
    store.delete_job(old[4])  # the job at the cursor itself
    second = store.jobs(limit=3, cursor=first.next_cursor)
    assert [job.id for job in second.items] == [old[3], old[2], old[1]]
    last = store.jobs(limit=3, cursor=second.next_cursor)
    assert [job.id for job in last.items] == [old[0]]
    assert last.next_cursor is None


def test_a_full_last_page_has_no_next_one(store: Store) -> None:
    for _ in range(4):
        accept(store, trials=0)
    page = store.jobs(limit=2)
    assert store.jobs(limit=2, cursor=page.next_cursor).next_cursor is None


def test_jobs_are_listed_by_state_and_by_fingerprint(store: Store) -> None:
    first, second = accept(store), accept(store)
    store.request_cancel(first.id)
    assert [job.id for job in store.jobs(state=JobState.QUEUED).items] == [second.id]
    assert [job.id for job in store.jobs(state=JobState.CANCELLED).items] == [first.id]
    assert len(store.jobs(fingerprint="fingerprint").items) == 2
    assert store.jobs(fingerprint="other").items == ()
    expected = dict.fromkeys(JobState, 0) | {JobState.QUEUED: 1, JobState.CANCELLED: 1}
    assert store.counts() == expected


@pytest.mark.parametrize("cursor", ["", "x", "é", "\x00", "\ud800", "YWZ0ZXI6", "====", "A" * 999])
def test_a_cursor_of_another_making_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(BadCursor, match="next_cursor"):
        store.jobs(cursor=cursor)


def test_a_page_of_no_jobs_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.jobs(limit=0)


def test_only_a_finished_job_is_deleted_and_wholly(store: Store) -> None:
    job, other = accept(store, 1), accept(store, 1)
    with pytest.raises(IllegalMove, match="queued"):
        store.delete_job(job.id)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    store.write_reports(lease, [report(0, 1, 0.5)])
    for state in ("running", "cancelling"):
        with pytest.raises(IllegalMove, match=state):
            store.delete_job(job.id)
        store.request_cancel(job.id)
    store.finish_job(lease, JobState.CANCELLED)
    store.delete_job(job.id)
    with pytest.raises(JobNotFound):
        store.job(job.id)
    assert [left.id for left in store.jobs().items] == [other.id]
    with store._database.read() as connection:
        for table in ("trials", "reports"):
            query = f"SELECT count(*) FROM {table} WHERE job_id = '{job.id}'"
            assert connection.exec_driver_sql(query).scalar() == 0


def test_a_page_of_many_jobs_takes_as_many_queries_as_a_page_of_one(store: Store) -> None:
    for _ in range(30):
        accept(store)
    statements: list[str] = []
    sa.event.listen(
        store._database._engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statements.append(statement),
    )
    store.jobs(limit=1)
    one = len(statements)
    store.jobs(limit=30)
    assert len(statements) == 2 * one


def test_a_database_without_schema_is_unavailable(empty_store: Store) -> None:
    assert not empty_store.schema_is_current()
    with pytest.raises(StoreUnavailable):
        empty_store.jobs()
    with pytest.raises(StoreUnavailable):
        accept(empty_store)


def test_the_longest_wait_is_that_of_the_oldest_queued_job(store: Store) -> None:
    assert store.longest_wait() == 0.0
    older, newer = accept(store), accept(store)
    for job, age in ((older, 100), (newer, 50)):
        change(store, f"UPDATE jobs SET created_at = created_at - {age} WHERE id = '{job.id}'")
    assert store.longest_wait() >= 100
    store.request_pause(older.id)
    assert 50 <= store.longest_wait() < 100
    change(store, "UPDATE jobs SET created_at = created_at + 1000")
    assert store.longest_wait() == 0.0
