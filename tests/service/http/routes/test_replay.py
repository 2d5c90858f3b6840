"""The replay of a finished job, as a route, by the client, and in its report."""

from __future__ import annotations

import math
from typing import Any

from fastapi.testclient import TestClient

from results.records import EpochReport
from results.states import JobState, TrialState
from results.store import Store
from tests.service.http.samples import metrics_at, submit

EPOCHS = 6


def finished(client: TestClient, store: Store, trials: int = 12) -> str:
    """Run a job: trial n ends with the accuracy n / 100, and no curves cross."""
    rates = [round(0.001 * (n + 1), 3) for n in range(trials)]
    job_id = submit(
        client, strategy="grid", epochs=EPOCHS, parameters={"learning_rate": {"values": rates}}
    )["id"]
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number in range(trials):
        attempt = store.start_trial(lease, number, node="here")
        store.write_reports(
            lease,
            [
                EpochReport(number, attempt, epoch, metrics_at(epoch, number / 100), 0.5 * epoch)
                for epoch in range(1, EPOCHS + 1)
            ],
        )
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return str(job_id)


def replayed(client: TestClient, job_id: str, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/jobs/{job_id}/replay{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_replay_says_what_stopping_would_have_saved(client: TestClient, store: Store) -> None:
    found = replayed(client, finished(client, store))
    assert found["scheduler"]["name"] == "asha"
    assert (found["trials"], found["epochs"]) == (12, 12 * EPOCHS)
    assert 12 < found["stopping"]["epochs"] < 12 * EPOCHS
    assert math.isclose(found["saved"], 1 - found["stopping"]["epochs"] / (12 * EPOCHS))
    assert found["stopping"]["orders"] == 20
    assert found["stopping"]["found_best"] > 0
    assert found["short_run"]["median_rank"] == 1
    assert "would have been saved" in found["findings"][0]


def test_the_query_chooses_the_scheduler(client: TestClient, store: Store) -> None:
    job_id = finished(client, store)
    first = replayed(client, job_id, "?scheduler=median&min_trials=2&min_epochs=2")
    assert first["scheduler"]["name"] == "median"
    assert first["short_epochs"] == 2
    stopped = replayed(client, job_id, "?scheduler=asha&reduction_factor=2&stops=true")
    assert stopped["scheduler"]["stops"] is True
    assert stopped["scheduler"]["reduction_factor"] == 2


def test_a_query_that_cannot_be_is_named(client: TestClient, store: Store) -> None:
    job_id = finished(client, store)
    for query, pointer in (
        ("scheduler=nothing", "/query/scheduler"),
        ("reduction_factor=1", "/query/reduction_factor"),
        (f"min_epochs={EPOCHS}", "/query/min_epochs"),
    ):
        answer = client.get(f"/api/v1/jobs/{job_id}/replay?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_first_comparison_after_the_end_is_to_be_earlier(
    client: TestClient, store: Store
) -> None:
    answer = client.get(f"/api/v1/jobs/{finished(client, store)}/replay?min_epochs=20").json()
    assert "there are 6" in answer["detail"]
    assert answer["hint"] == "give a min_epochs of at most 5"


def test_a_job_that_is_not_finished_is_a_conflict(client: TestClient) -> None:
    job_id = submit(client)["id"]
    answer = client.get(f"/api/v1/jobs/{job_id}/replay")
    assert answer.status_code == 409
    assert "cannot be replayed: it is queued" in answer.json()["detail"]
    assert client.get("/api/v1/jobs/0000000000000000/replay").status_code == 404


def test_the_report_has_the_section_where_it_can(client: TestClient, store: Store) -> None:
    base = f"/api/v1/jobs/{finished(client, store)}/report"
    content = client.get(f"{base}?format=json").json()
    assert content["replay"]["stopping"]["orders"] == 20
    for kind in ("md", "html"):
        text = client.get(f"{base}?format={kind}").text
        assert "What would stopping have cost?" in text
        assert "then the best" in text
    assert client.get(f"{base}?format=pdf").content.startswith(b"%PDF")


def test_the_report_of_a_small_job_has_no_section(client: TestClient, store: Store) -> None:
    base = f"/api/v1/jobs/{finished(client, store, trials=4)}/report"
    assert client.get(f"{base}?format=json").json()["replay"] is None
    assert "What would stopping have cost?" not in client.get(f"{base}?format=html").text
