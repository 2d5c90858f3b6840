"""The HTTP contract over a real store: jobs are accepted, shown, paged, cancelled and deleted."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import EpochReport, Lease
from results.states import JobState, TrialState
from results.store.base import Store
from service.api import create_app
from service.settings import Settings

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
            EpochReport(number, attempt, epoch, _metrics(epoch, final), 1.0) for epoch in (1, 2, 3)
        ]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return lease


def _metrics(epoch: int, final: float) -> dict[str, float]:
    return dict(zip(METRICS, (1 / epoch, final, final), strict=True))


def test_a_job_is_accepted_with_a_complete_specification(client: TestClient) -> None:
    job = submit(client, name="rates", tags={"course": "dl"}, seed=7)
    assert job["state"] == "queued"
    assert job["name"] == "rates"
    assert job["progress"] == {
        "trials": 3, "finished": 0, "failed": 0, "running": 0, "epochs_done": 0, "epochs_total": 9,
    }  # fmt: skip
    spec = job["spec"]
    assert spec["parameters"]["learning_rate"]["values"] == [0.001, 0.01, 0.1]
    assert spec["seed"] == 7
    assert spec["resources_per_trial"] == {"cpu": 1.0, "gpu": 0.0}
    assert client.get(f"/api/v1/jobs/{job['id']}").json() == job
    trials = client.get(f"/api/v1/jobs/{job['id']}/trials").json()["items"]
    assert [trial["parameters"]["learning_rate"] for trial in trials] == [0.001, 0.01, 0.1]


def test_dry_run_answers_the_plan_and_keeps_nothing(client: TestClient) -> None:
    plan = client.post("/api/v1/jobs?dry_run=true", json={"search_space": "q4_grid"})
    assert plan.status_code == 200
    assert plan.json()["trials"] == len(plan.json()["configurations"]) == 144
    sampled = client.post(
        "/api/v1/jobs?dry_run=true",
        json={"search_space": "q4_grid", "strategy": "tpe", "trials": 5},
    ).json()
    assert sampled["configurations"] is None
    assert sampled["sampling"] == {"sampler": "tpe", "seed": 42, "trials": 5}
    assert client.get("/api/v1/jobs").json() == {"items": [], "next_cursor": None}


def test_the_fingerprint_ignores_names_and_sees_everything_else(client: TestClient) -> None:
    job = submit(client)
    assert submit(client, name="other", tags={"a": "b"})["fingerprint"] == job["fingerprint"]
    assert submit(client, seed=1)["fingerprint"] != job["fingerprint"]
    found = client.get("/api/v1/jobs", params={"fingerprint": job["fingerprint"]}).json()["items"]
    assert len(found) == 2


def test_an_idempotency_key_makes_one_job(client: TestClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers)
    again = client.post("/api/v1/jobs", json=JOB, headers=headers)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    clash = client.post("/api/v1/jobs", json={**JOB, "seed": 1}, headers=headers)
    assert clash.status_code == 409


def test_jobs_are_paged_newest_first(client: TestClient) -> None:
    ids = [submit(client)["id"] for _ in range(5)][::-1]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/v1/jobs", params=query).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


def test_results_of_a_finished_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    assert client.get(f"/api/v1/jobs/{job_id}/best").status_code == 409
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}"
    job = client.get(base).json()
    assert job["state"] == "succeeded"
    assert job["progress"]["epochs_done"] == job["progress"]["epochs_total"] == 9
    best = client.get(f"{base}/best").json()
    assert best == job["best"]
    assert (best["trial"], best["metric"], best["value"]) == (1, "validation_accuracy", 0.9)
    assert client.get(f"{base}/trials/1/curve").json()["epoch"] == [1, 2, 3]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{base}/curves?format=csv").text)))
    assert len(rows) == 9
    assert "learning_rate: 0.01" in client.get(f"{base}/best?format=yaml").text
    command = client.get(f"{base}/best?format=curl").text
    assert command.startswith("curl")
    assert "http://testserver/api/v1/jobs" in command


@pytest.mark.parametrize(
    ("report_format", "start"), [("html", b"<!"), ("md", b"#"), ("json", b"{"), ("pdf", b"%PDF")]
)
def test_reports(client: TestClient, store: Store, report_format: str, start: bytes) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/report", params={"format": report_format})
    assert answer.status_code == 200
    assert answer.content.lstrip().startswith(start)


def test_plots(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}/plots"
    names = [plot["name"] for plot in client.get(base).json()["items"]]
    assert {"train_loss", "validation_accuracy"} <= set(names)
    assert client.get(f"{base}/train_loss.png").content.startswith(b"\x89PNG")
    assert b"<svg" in client.get(f"{base}/train_loss.svg").content
    assert client.get(f"{base}/nothing.svg").status_code == 404
    assert client.get(f"{base}/train_loss.exe").status_code == 422


def test_events_tell_everything_and_end_with_the_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    text = client.get(f"/api/v1/jobs/{job_id}/events").text
    events = [block.splitlines() for block in text.strip().split("\n\n")]
    kinds = [next(line for line in e if line.startswith("event:"))[7:] for e in events]
    assert kinds == ["trial", "trial", "trial", "job"]
    data = next(line for line in events[-1] if line.startswith("data:"))[5:]
    assert json.loads(data)["state"] == "succeeded"


def test_cancel_and_delete(client: TestClient) -> None:
    job_id = submit(client)["id"]
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    cancelled = client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.json()["state"] == "cancelled"
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_pause_resume_and_retry(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]

    def ask(verb: str) -> Any:
        return client.post(f"/api/v1/jobs/{job_id}/{verb}")

    assert (ask("pause").status_code, ask("pause").json()["state"]) == (202, "paused")
    assert client.get("/api/v1/jobs?state=paused").json()["items"][0]["id"] == job_id
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    assert (ask("resume").status_code, ask("resume").json()["state"]) == (202, "queued")
    run(store, job_id)
    for verb in ("pause", "resume", "retry-failed"):
        refused = ask(verb)
        assert refused.status_code == 409
        assert job_id in refused.json()["detail"]
        assert refused.json()["hint"]


def test_catalogs(client: TestClient) -> None:
    spaces = client.get("/api/v1/search_spaces").json()
    assert len(spaces["items"]) == 9
    assert spaces["broken"] == []
    shown = client.get("/api/v1/search_spaces/q4_grid").json()
    assert shown["strategy"] == "grid"
    trainables = client.get("/api/v1/trainables").json()["items"]
    assert len(trainables) == 7
    assert all(t["parameters"]["type"] == "object" for t in trainables)
    names = [d["name"] for d in client.get("/api/v1/datasets").json()["items"]]
    assert names == ["ames", "fashion_mnist"]


def test_a_broken_file_of_the_user_is_told_and_disturbs_no_other(
    client: TestClient, settings: Settings
) -> None:
    assert settings.search_spaces_dir is not None
    settings.search_spaces_dir.mkdir()
    (settings.search_spaces_dir / "mine.yaml").write_text("name: [", encoding="utf-8")
    answer = client.get("/api/v1/search_spaces").json()
    assert len(answer["items"]) == 9
    assert answer["broken"][0]["file"] == "mine.yaml"
    assert client.post("/api/v1/jobs", json={"search_space": "mine"}).status_code == 422


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"] == "ok"
    assert "no Ray" in ready.json()["parts"]["ray"]
    assert client.get("/api/v1/cluster").status_code == 503
    assert set(client.get("/version").json()) >= {"argbest", "ray", "torch", "python"}


def test_metrics_tell_jobs_and_requests(client: TestClient) -> None:
    submit(client)
    text = client.get("/metrics").text
    assert 'argbest_jobs{state="queued"} 1.0' in text
    assert 'route="/api/v1/jobs",status="202"' in text
    assert "argbest_info{version=" in text


def test_a_full_disk_refuses_new_jobs_and_keeps_answering(settings: Settings, store: Store) -> None:
    full = settings.model_copy(update={"min_free_bytes": 2**62})
    with TestClient(create_app(full, store)) as client:
        answer = client.post("/api/v1/jobs", json=JOB)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        assert "MiB are free" in answer.json()["detail"]
        assert client.get("/readyz").json()["parts"]["disk"] != "ok"
        assert client.get("/api/v1/jobs").json()["items"] == []


def test_the_openapi_description_names_every_schema_it_refers_to(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    text = json.dumps(description)
    schemas = description["components"]["schemas"]
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= set(schemas)
    examples = description["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"][
        "application/json"
    ]["examples"]
    for example in examples.values():
        planned = client.post("/api/v1/jobs?dry_run=true", json=example["value"])
        assert planned.status_code == 200, planned.text


def test_the_page_is_served_with_a_strict_policy(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/page.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page.css").status_code == 200
