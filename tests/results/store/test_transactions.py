"""What all writes share: the lock on the job, and the lease that is checked under it."""

from __future__ import annotations

import pytest

from results.errors import JobNotFound, LeaseLost
from results.states import JobState, TrialState
from results.store import Store
from results.store.transactions import hold, is_id, job_row
from tests.results.store.samples import UNKNOWN_IDS, accept, claim, claim_expired


def test_an_id_is_sixteen_hexadecimal_digits(store: Store) -> None:
    assert is_id(accept(store).id)
    assert [job_id for job_id in UNKNOWN_IDS if is_id(job_id)] == ["0123456789abcdef"]


@pytest.mark.parametrize("job_id", UNKNOWN_IDS)
def test_a_job_that_is_not_there_is_not_found(store: Store, job_id: str) -> None:
    with (
        store._database.read() as connection,
        pytest.raises(JobNotFound, match="no job has"),
    ):
        job_row(connection, job_id)


def test_only_the_newest_lease_holds_a_job(store: Store) -> None:
    job = accept(store)
    old = claim_expired(store)
    with store._database.write() as connection:
        assert hold(connection, old) is JobState.RUNNING  # expired, but nobody has taken the job
    new = claim(store)
    with store._database.write() as connection:
        assert hold(connection, new) is JobState.RUNNING
        with pytest.raises(LeaseLost, match=f"lease {old.token} of 'controller' on job {job.id}"):
            hold(connection, old)


def test_a_write_that_fails_changes_nothing(store: Store) -> None:
    job = accept(store)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    before = store.job(job.id), store.trials(job.id), store.trial_outcomes()

    def fail() -> None:
        with store._held(lease) as (changes, _):
            changes.connection.exec_driver_sql("UPDATE jobs SET finished = 9, running = 9")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail()
    assert (store.job(job.id), store.trials(job.id), store.trial_outcomes()) == before
    assert store.trial(job.id, 0).state is TrialState.RUNNING
