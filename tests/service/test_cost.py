"""The most that a planned job costs: its trials and epochs, and core-hours where a job tells."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.states import JobState
from results.store import Store
from tests.service.http.samples import JOB, run, submit

RATES = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "default": 0.001}}


def estimated(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/jobs?dry_run=true", json={**JOB, **changes})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["estimate"]
    return found


def test_without_a_finished_job_only_trials_and_epochs_are_known(client: TestClient) -> None:
    assert estimated(client) == {
        "trials": 3,
        "epochs": 9,
        "core_hours": None,
        "basis": "no finished job of trainable torch_logistic_regression on fashion_mnist to go by",
    }


def test_core_hours_follow_from_the_pace_of_finished_jobs(client: TestClient, store: Store) -> None:
    job = submit(client)
    run(store, job["id"])
    trials = store.trials(job["id"])
    pace = sum(trial.seconds for trial in trials) / sum(trial.epochs for trial in trials)
    found = estimated(client, epochs=300)
    assert found["core_hours"] == pytest.approx(900 * pace / 3600)
    assert found["basis"].startswith("the pace of 1 finished job of trainable torch_logistic")
    assert estimated(client, search_space="q3_mlp")["core_hours"] is None


def test_a_budget_of_seconds_limits_what_all_slots_can_take(
    client: TestClient, store: Store
) -> None:
    run(store, submit(client)["id"])
    unlimited = estimated(client, epochs=30_000)["core_hours"]
    seconds = unlimited * 3600 / 6
    limited = {"epochs": 30_000, "budget": {"seconds": seconds}}
    assert estimated(client, **limited)["core_hours"] == unlimited, "nobody knows the cluster"
    store.note_capacity(2.0, 0.0)
    found = estimated(client, **limited)
    assert found["core_hours"] == pytest.approx(2 * seconds / 3600)
    assert found["basis"].endswith("and the budget's seconds on all of the cluster")
    alone = estimated(client, **limited, max_concurrent_trials=1)
    assert alone["core_hours"] == pytest.approx(seconds / 3600)
    store.note_capacity(64.0, 0.0)
    assert estimated(client, **limited)["core_hours"] == pytest.approx(3 * seconds / 3600)


def test_what_rungs_let_go_on_is_what_is_expected(client: TestClient, store: Store) -> None:
    assert "expected_epochs" not in estimated(client)
    run(store, submit(client)["id"])
    asked = {"strategy": "random", "trials": 12, "epochs": 9, "parameters": RATES}
    found = estimated(client, **asked, scheduler={"name": "asha"})
    assert (found["epochs"], found["expected_epochs"]) == (108, 12 + 4 * 2 + round(12 / 9 * 6))
    share = found["expected_epochs"] / found["epochs"]
    assert found["expected_core_hours"] == pytest.approx(share * found["core_hours"])


def test_repeats_and_a_confirmation_cost_and_a_budget_saves(client: TestClient) -> None:
    assert estimated(client, repeats=2)["epochs"] == 18
    confirmed = estimated(client, confirm={"top": 2, "seeds": 3})
    assert (confirmed["trials"], confirmed["epochs"]) == (3 + 9, 9 + 27)
    assert estimated(client, budget={"epochs": 5})["epochs"] == 5


def test_a_finished_job_says_how_long_it_rested(client: TestClient, store: Store) -> None:
    job = submit(client)
    run(store, job["id"])
    assert "rested" not in client.get(f"/api/v1/jobs/{job['id']}").json()
    store.extend_job(job["id"], trials=None, epochs=5, fingerprint="another")
    lease = store.claim_job("test", 60)
    assert lease is not None
    store.finish_job(lease, JobState.SUCCEEDED)
    assert client.get(f"/api/v1/jobs/{job['id']}").json()["rested"] > 0
