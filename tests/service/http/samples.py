"""A job of three trials, and what a driver does with it."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from results.records import EpochReport, Lease, TokenScope
from results.states import JobState, TrialState
from results.store import Store

JOB = {"search_space": "q4_logistic_regression", "epochs": 3}
METRICS = ("train_loss", "validation_accuracy", "test_accuracy")


def submit(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/jobs", json={**JOB, **changes})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json()['id']}"
    job: dict[str, Any] = answer.json()
    return job


def run(store: Store, job_id: str) -> Lease:
    """Do what a driver does: three trials of three epochs, the second the best."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    assert lease.job_id == job_id
    for number, final in enumerate((0.7, 0.9, 0.8)):
        attempt = store.start_trial(lease, number, node="here")
        reports = [
            EpochReport(number, attempt, epoch, metrics_at(epoch, final), 1.0)
            for epoch in (1, 2, 3)
        ]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return lease


def metrics_at(epoch: int, final: float) -> dict[str, float]:
    return dict(zip(METRICS, (1 / epoch, final, final), strict=True))


def bearer(store: Store, scope: TokenScope) -> dict[str, str]:
    """The header of a new token with this scope."""
    made = store.create_token(f"{scope}-token", scope)
    return {"Authorization": f"Bearer {made.secret}"}
