"""Jobs are paged, paused, resumed, retried, cancelled and deleted."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from results.store import Store
from tests.service.http.samples import run, submit


def test_jobs_are_accepted_while_ray_is_away(client: TestClient) -> None:
    assert client.get("/readyz").json()["parts"]["ray"] != "ok"
    assert submit(client)["state"] == "queued"


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
