"""Jobs and reports for the store's tests to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from results.records import EpochReport, JobRecord, Lease, NewTrial
from results.spec import DataRef, JobSpec
from results.store import Store
from search_spaces import Range, SearchSpace

#: What is no id of a job.
UNKNOWN_IDS = ["0123456789abcdef", "", "x" * 10_000, "a\x00b", "\ud800", "0123456789ABCDEF"]
SPACE = SearchSpace(
    name="space",
    title="Space",
    trainable="trainable",
    dataset="dataset",
    epochs=3,
    metric="validation_accuracy",
    mode="max",
    strategy="random",
    trials=2,
    parameters={"learning_rate": Range(0.001, 1.0, default=0.1)},
)
SPEC = JobSpec(name="job", space=SPACE, trials=2, seed=42)


def accept(
    store: Store,
    trials: int = 2,
    *,
    key: str | None = None,
    mode: Literal["min", "max"] = "max",
    name: str = "job",
    data: DataRef | None = None,
) -> JobRecord:
    """Accept a job of so many trials (of one that is still to come, if none)."""
    planned = max(1, trials)
    return store.create_job(
        replace(
            SPEC,
            name=name,
            trials=planned,
            space=replace(SPACE, mode=mode, trials=planned),
            data=data,
        ),
        fingerprint="fingerprint",
        trials=[NewTrial(number, {"learning_rate": 0.1}, 42) for number in range(trials)],
        idempotency_key=key,
        request_digest=f"digest of {name}",
    )


def claim(store: Store, seconds: float = 60) -> Lease:
    """Claim a job that is known to be there."""
    lease = store.claim_job("controller", seconds)
    assert lease is not None
    return lease


def claim_expired(store: Store) -> Lease:
    """Claim a job and let the lease expire."""
    lease = claim(store)
    expire(store, lease)
    return lease


def expire(store: Store, lease: Lease) -> None:
    """Let a lease expire now."""
    change(store, f"UPDATE jobs SET lease_expires_at = 0 WHERE id = '{lease.job_id}'")


def change(store: Store, statement: str) -> None:
    """Change the database itself, as no method of the store does."""
    with store._database.write() as connection:
        connection.exec_driver_sql(statement)


def report(
    trial: int, epoch: int, accuracy: float, *, attempt: int = 1, **metrics: float
) -> EpochReport:
    """A report of the declared metric and perhaps others, one second an epoch."""
    values = {"validation_accuracy": accuracy} | metrics
    return EpochReport(trial, attempt, epoch, values, float(epoch))


def remove_all_jobs(store: Store) -> None:
    """Empty a store that a test has to itself."""
    with store._database.write() as connection:
        for table in ("jobs", "events", "capacity"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def started(store: Store, trials: int = 1) -> Lease:
    """Claim a new job and start all its trials."""
    accept(store, trials)
    lease = claim(store)
    for number in range(trials):
        store.start_trial(lease, number, node="node-1")
    return lease
