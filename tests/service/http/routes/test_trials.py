"""One trial over the API: what happened to it, what it uses, and how it is run again."""

from __future__ import annotations

from fastapi.testclient import TestClient

from results.records import EpochReport, Usage
from results.states import TrialState
from results.store import NoteUsage, Store

JOB = {"search_space": "q4_logistic_regression", "epochs": 3}


def test_a_trial_shows_its_history_its_use_and_how_to_run_it_again(
    client: TestClient, store: Store
) -> None:
    job = client.post("/api/v1/jobs", json=JOB).json()["id"]
    lease = store.claim_job("test", 60)
    assert lease is not None
    path = f"/api/v1/jobs/{job}/trials/1"
    attempt = store.start_trial(lease, 1, node="here")
    report = EpochReport(1, attempt, 1, {"validation_accuracy": 0.5}, 1.0)
    store.write_reports(lease, [report])
    store.write(lease, [NoteUsage(1, Usage(1.5, 2_000))])
    store.requeue_trial(lease, 1, detail="goes on after epoch 1")
    store.start_trial(lease, 1, node="there", resumed_from=1)

    running = client.get(path).json()
    assert running["usage"] == {
        "cpu": 1.5, "memory": 2_000, "memory_peak": 2_000, "gpu": None, "gpu_memory": None,
    }  # fmt: skip
    assert set(running["defaults"]) >= set(running["parameters"])
    listed = client.get(f"/api/v1/jobs/{job}/trials").json()["items"]
    assert ["usage" in one for one in listed[:2]] == [False, True]
    store.finish_trial(lease, 1, TrialState.SUCCEEDED)
    assert client.get(path).json()["usage"]["memory_peak"] == 2_000
    assert "usage" not in client.get(f"/api/v1/jobs/{job}/trials").json()["items"][1]

    history = client.get(f"{path}/history").json()
    assert [one["state"] for one in history["items"]] == [
        "running",
        "queued",
        "running",
        "succeeded",
    ]
    assert history["items"][2]["detail"] == "goes on after epoch 1"
    assert history["last"] == store.last_event()

    body = client.get(f"{path}/request").json()
    assert body["tags"] == {"reproduces": f"{job}/1"}
    planned = client.post("/api/v1/jobs?dry_run=true", json=body).json()
    assert planned["configurations"] == [running["parameters"]]
    assert planned["spec"]["seed"] == running["seed"]
    for part in ("history", "request"):
        assert client.get(f"/api/v1/jobs/{job}/trials/999/{part}").status_code == 404
