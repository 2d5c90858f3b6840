"""Metrics of jobs, trials, requests and the database."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from results.store import Store, open_store
from service.api import create_app
from service.settings import Settings
from tests.service.http.samples import run, submit


def test_metrics_tell_jobs_and_requests(client: TestClient) -> None:
    submit(client)
    text = client.get("/metrics").text
    assert 'argbest_jobs{state="queued"} 1.0' in text
    assert 'route="/api/v1/jobs",status="202"' in text
    assert "argbest_info{version=" in text
    assert "argbest_database_up 1.0" in text


def test_metrics_tell_that_jobs_wait_in_vain(client: TestClient, store: Store) -> None:
    assert "argbest_oldest_queued_job_seconds 0.0" in client.get("/metrics").text
    submit(client)
    submit(client)
    with store._database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET created_at = created_at - 1000 * (3 - sequence)"
        )
    lines = client.get("/metrics").text.splitlines()
    (age,) = (line.split()[1] for line in lines if line.startswith("argbest_oldest_queued"))
    assert 2000 <= float(age) < 3000
    run(store, store.jobs().items[-1].id)
    assert store.longest_wait() < 2000


def test_metrics_tell_how_long_jobs_and_trials_took(client: TestClient, store: Store) -> None:
    assert "argbest_job_run_seconds_count 0.0" in client.get("/metrics").text
    run(store, submit(client)["id"])
    text = client.get("/metrics").text
    found = store.durations()
    assert found.trial[0] > 0
    for name in ("job_wait", "job_run", "trial"):
        number, seconds = getattr(found, name)
        assert f"argbest_{name}_seconds_count {float(number)}" in text
        assert f"argbest_{name}_seconds_sum {seconds}" in text
    assert f'state="succeeded"}} {float(found.trial[0])}' in text


def test_metrics_tell_of_a_database_that_is_away(settings: Settings, tmp_path: Path) -> None:
    away = open_store(f"sqlite:///{tmp_path}/missing/argbest.db")
    with TestClient(create_app(settings, away)) as client:
        assert client.get("/api/v1/jobs").status_code == 503
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "argbest_database_up 0.0" in answer.text
    assert "argbest_jobs" not in answer.text
    assert "argbest_info{version=" in answer.text
    assert 'http_request_seconds_count{method="GET",route="/api/v1/jobs",status="503"} 1.0' in (
        answer.text
    )


def test_metrics_count_defects_and_have_few_labels(settings: Settings, store: Store) -> None:
    app = create_app(settings, store)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a defect")

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/broken").status_code == 500
        for method in ("BREW", "X" * 50):
            assert client.request(method, "/healthz").status_code == 405
        text = client.get("/metrics").text
    assert 'http_request_seconds_count{method="GET",route="/broken",status="500"} 1.0' in text
    assert 'http_request_seconds_count{method="other",route="/healthz",status="405"} 2.0' in text
    assert "BREW" not in text
