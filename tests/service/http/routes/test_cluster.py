"""What occupies the cluster, over the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

from results.store import Store
from service.api import create_app
from service.engine.controller import heartbeat_file
from service.settings import Settings
from tests.service.http.serving import dashboard
from tests.service.stand_ins import listening

JOB = {"search_space": "q2_linear_regression", "epochs": 1}
NODE = {
    "hostname": "here", "ip": "10.0.0.1", "cpu": 12.5, "mem": [8_000, 2_000, 75.0, 6_000],
    "raylet": {"state": "ALIVE", "isHeadNode": True, "resourcesTotal": {"CPU": 2.0}},
}  # fmt: skip


def test_what_occupies_the_cluster_is_shown(settings: Settings, store: Store) -> None:
    with listening() as ray, dashboard([NODE]) as url:
        changed = settings.model_copy(update={"ray_address": ray, "dashboard_url": url})
        with TestClient(create_app(changed, store)) as client:
            first, second = (client.post("/api/v1/jobs", json=JOB).json()["id"] for _ in "ab")
            third = client.post("/api/v1/jobs", json=JOB).json()["id"]
            store.queue_before(third, second)
            lease = store.claim_job("test", 60)
            assert lease is not None
            store.note_capacity(2.0, 0.0)
            store.share_slots()
            store.start_trial(lease, 0, node="here")
            heartbeat_file(changed).touch()
            shown = client.get("/api/v1/cluster/usage").json()
    assert (shown["nodes"][0]["host"], shown["nodes_problem"]) == ("here", "")
    assert shown["capacity"] == {"cpu": 2.0, "gpu": 0.0}
    (job,) = shown["jobs"]
    assert (job["id"], job["state"], job["running"], job["cpu"]) == (first, "running", 1, 1.0)
    assert job["slots"] >= 1
    (trial,) = shown["trials"]
    assert (trial["job_id"], trial["number"], trial["node"]) == (first, 0, "here")
    assert (shown["queued"], [one["id"] for one in shown["queue"]]) == (2, [third, second])
    assert shown["database"]["kind"] == "sqlite"
    assert shown["disk"]["problem"] == ""
    assert 0 < shown["disk"]["free"] <= shown["disk"]["total"]
    assert shown["controllers"][0]["seconds_ago"] < 300
    assert shown["token"] is None


def test_a_part_that_is_away_says_so_and_the_others_are_shown(client: TestClient) -> None:
    shown = client.get("/api/v1/cluster/usage").json()
    assert shown["nodes"] is None
    assert "no Ray head answers" in shown["nodes_problem"]
    assert (shown["capacity"], shown["jobs"], shown["queue"]) == (None, [], [])
    assert shown["controllers"] == []
