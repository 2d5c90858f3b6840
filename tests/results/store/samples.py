"""Jobs and reports for the store's tests to keep."""

from __future__ import annotations

import time

from results.records import EpochReport, JobRecord, Lease, NewTrial
from results.store.base import Store
from results.store.sql import SqlStore

SPEC = {"metric": "validation_accuracy", "mode": "max", "epochs": 3}


def accept(
    store: Store, trials: int = 2, *, key: str | None = None, mode: str = "max", name: str = "job"
) -> JobRecord:
    """Accept a job of so many trials."""
    return store.create_job(
        name=name,
        spec=SPEC | {"mode": mode},
        fingerprint="fingerprint",
        trials=[NewTrial(number, {"learning_rate": 0.1}, 42) for number in range(trials)],
        planned_trials=trials,
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
    lease = claim(store, 0.001)
    time.sleep(0.02)
    return lease


def report(
    trial: int, epoch: int, accuracy: float, *, attempt: int = 1, **metrics: float
) -> EpochReport:
    """A report of the declared metric and perhaps others, one second an epoch."""
    values = {"validation_accuracy": accuracy} | metrics
    return EpochReport(trial, attempt, epoch, values, float(epoch))


def remove_all_jobs(store: SqlStore) -> None:
    """Empty a store that a test has to itself."""
    with store._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
