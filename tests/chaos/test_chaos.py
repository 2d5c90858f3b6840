"""What is promised when processes or the database go away; short forms of `make chaos`."""

from __future__ import annotations

import http.client
import json
import math
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from results.store import open_store
from service.settings import Settings
from tests.chaos.api_kills import CLIENTS, kill_api
from tests.chaos.driver_kills import kill_drivers_and_controllers
from tests.chaos.fleet import run_each_once
from tests.chaos.nodes import kill_nodes
from tests.chaos.nursery import Nursery, nursery
from tests.chaos.rungs import kill_amid_rungs, search_body
from tests.chaos.segments import Size, disturb_segments
from tests.chaos.stops import stop_drivers
from tests.real_data import DATASETS, ensure_fashion_mnist
from tests.service.running import until
from tools import postgres
from tools.ports import free_port

JOB = {"search_space": "q2_linear_regression", "epochs": 1}


@pytest.fixture
def sqlite(tmp_path: Path) -> Settings:
    (tmp_path / "datasets").mkdir()
    # Processes that are started ahead cost seconds of processor time after every kill.
    return Settings(
        data_dir=tmp_path, database_url="", ray_address="", min_free_bytes=0, warm_processes=0
    )


@pytest.fixture
def postgresql(sqlite: Settings, server: postgres.Server) -> Settings:
    return sqlite.model_copy(update={"database_url": server.create_database()})


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    found: Settings = request.getfixturevalue(request.param)
    return found


def migrate(settings: Settings) -> None:
    store = open_store(settings.store_url)
    store.migrate()
    store.close()


def submit(api: Nursery, name: str) -> httpx2.Response:
    body = {**JOB, "name": name}
    return httpx2.post(f"http://127.0.0.1:{api.port}/api/v1/jobs", json=body, timeout=60)


def names(api: Nursery) -> list[str]:
    page = httpx2.get(f"http://127.0.0.1:{api.port}/api/v1/jobs").json()
    return [job["name"] for job in page["items"]]


def test_no_accepted_job_is_lost_or_doubled_when_the_api_is_killed(settings: Settings) -> None:
    outcome = kill_api(settings, 5, limit_s=60)
    assert outcome.violations == []
    assert outcome.figures["kill -9 of the API"] == "5 of 5"
    assert int(outcome.figures["jobs accepted"]) >= CLIENTS


@pytest.mark.ray
@pytest.mark.long  # tests/service/whole/test_recovery.py kills both in the gate
def test_a_killed_driver_and_controller_lose_no_result(settings: Settings) -> None:
    outcome = kill_drivers_and_controllers(settings, 1, 1, limit_s=math.inf, trials=6)
    assert outcome.violations == []
    assert outcome.figures["kill -9 of a driver"] == "1 of 1"
    assert outcome.figures["kill -9 of the controller"] == "1 of 1"


@pytest.mark.ray
@pytest.mark.long  # tests/trainables/test_states.py and test_recovery.py hold both halves of it
@pytest.mark.timeout(900)  # half a minute alone, minutes beside other programs
def test_long_trials_go_on_with_the_same_curves_when_processes_are_killed(tmp_path: Path) -> None:
    ensure_fashion_mnist()
    (tmp_path / "datasets").symlink_to(DATASETS)
    settings = Settings(
        data_dir=tmp_path, min_free_bytes=0, checkpoint_seconds=0.5, warm_processes=0
    )
    size = Size(trials=2, epochs=10, hidden=50)
    outcome = disturb_segments(settings, 2, limit_s=math.inf, size=size)
    assert outcome.violations == []
    assert outcome.figures["kill -9"] == "2 of 2"
    assert (outcome.figures["trial process: times"], outcome.figures["driver: times"]) == (1, 1)


@pytest.mark.ray
@pytest.mark.long  # tests/service/whole/test_recovery.py kills a driver in the gate
def test_a_driver_killed_amid_rungs_changes_no_promotion(tmp_path: Path) -> None:
    ensure_fashion_mnist()
    (tmp_path / "datasets").symlink_to(DATASETS)
    settings = Settings(data_dir=tmp_path, min_free_bytes=0, warm_processes=0)
    body = search_body(trials=6, epochs=6, hidden=50)
    outcome = kill_amid_rungs(settings, 1, limit_s=math.inf, body=body)
    assert outcome.violations == []
    assert outcome.figures["kill -9 of a driver"] == "1 of 1"


@pytest.mark.ray
@pytest.mark.long  # tests/service/whole/test_recovery.py stops them in the gate
def test_a_driver_and_a_controller_stopped_past_the_lease_write_no_more(sqlite: Settings) -> None:
    short = sqlite.model_copy(update={"lease_seconds": 2})
    outcome = stop_drivers(short, 1, limit_s=math.inf, trials=6)
    assert outcome.violations == []
    assert outcome.figures["driver and controller stopped"] == "1 of 1"
    assert int(outcome.figures["late writes refused"]) >= 1


@pytest.mark.ray
@pytest.mark.long  # test_recovery.py ends a head in the gate
def test_killed_nodes_of_ray_lose_no_result_while_the_api_answers(sqlite: Settings) -> None:
    outcome = kill_nodes(sqlite, 1, limit_s=math.inf, trials=10)
    assert outcome.figures["kill -9 of a worker, and of the head"] == "1 of 1"
    assert outcome.figures["results lost or changed"] == outcome.figures["reads that failed"] == 0
    assert int(outcome.figures["reads of the API"]) > 0


@pytest.mark.ray
@pytest.mark.long  # tests/results/store/test_concurrency.py claims by several processes in the gate
def test_two_apis_and_two_controllers_run_each_job_once(postgresql: Settings) -> None:
    outcome = run_each_once(postgresql, 4, limit_s=120)
    assert outcome.violations == []
    assert (outcome.figures["jobs run"], outcome.figures["claims"]) == ("4 of 4", 4)


def test_an_experiment_without_a_kill_is_broken(sqlite: Settings) -> None:
    outcome = kill_api(sqlite, 5, limit_s=0)
    assert outcome.figures["kill -9 of the API"] == "0 of 5"
    assert outcome.violations == ["kill -9 of the API: none of 5 within the time"]


def test_a_restarted_postgresql_is_a_503_and_then_as_before(
    postgresql: Settings, server: postgres.Server
) -> None:
    migrate(postgresql)
    with nursery(postgresql) as api:
        assert submit(api, "before").status_code == 202
        server.stop()
        try:
            away = submit(api, "meanwhile")
            ready = httpx2.get(f"http://127.0.0.1:{api.port}/readyz").json()
        finally:
            server.start()
        assert_unavailable(away)
        assert ready["parts"]["database"] != "ok"
        assert submit(api, "after").status_code == 202
        assert names(api) == ["after", "before"]


def assert_unavailable(answer: httpx2.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    problem = answer.json()
    assert "database" in problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_locked_sqlite_is_waited_for(sqlite: Settings) -> None:
    migrate(sqlite)
    with nursery(sqlite) as api:
        lock = sqlite3.connect(sqlite.data_dir / "argbest.db", check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        release = threading.Timer(1.0, lock.rollback)
        release.start()
        began = time.monotonic()
        assert submit(api, "waited").status_code == 202
        assert time.monotonic() - began >= 0.9
        release.join()
        lock.close()
        assert names(api) == ["waited"]


def start_api(settings: Settings, port: int) -> subprocess.Popen[bytes]:
    """Start the API as the container does, with its log in ``api.log``."""
    with (settings.data_dir / "api.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "service.api:standalone_app",
             "--port", str(port), "--timeout-graceful-shutdown", "1", "--log-level", "warning"],
            env={**os.environ, **settings.environment(), "ARGBEST_LOG_FORMAT": "json"},
            stderr=log,
        )  # fmt: skip


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_sigterm_ends_the_api_while_streams_are_open_and_each_request_is_logged(
    sqlite: Settings,
) -> None:
    port = free_port()
    process = start_api(sqlite, port)
    until(lambda: answers(port), within_s=60, what="the API answers")
    body = json.dumps(JOB).encode()
    url = f"http://127.0.0.1:{port}/api/v1/jobs"
    headers = {"content-type": "application/json", "x-request-id": "mine-1"}
    job = httpx2.post(url, content=body, headers=headers)
    assert job.headers["x-request-id"] == "mine-1"
    job_id = job.json()["id"]
    assert httpx2.get(f"{url}/{job_id}").status_code == 200
    stream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    stream.request("GET", f"/api/v1/jobs/{job_id}/events")
    answer = stream.getresponse()
    assert b"event: " in answer.readline()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as garbage:
        garbage.sendall(b"no HTTP\r\n\r\n")
        assert garbage.recv(100).startswith(b"HTTP/1.1 400")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) in {0, -signal.SIGTERM}
    stream.close()
    store = open_store(sqlite.store_url)
    assert store.job(job_id).state == "queued"
    store.close()
    log = (sqlite.data_dir / "api.log").read_text(encoding="utf-8").splitlines()
    lines = [json.loads(line) for line in log]
    said = [line["message"] for line in lines if line["logger"] == "uvicorn.error"]
    assert "Invalid HTTP request received." in said
    assert any(message.startswith("Cancel 1 running task") for message in said)
    states = [line for line in lines if line.get("state") == "queued"]
    assert [(line["job_id"], line["request_id"]) for line in states] == [(job_id, "mine-1")]
    (posted,) = [line for line in lines if line.get("method") == "POST"]
    assert (posted["status"], posted["path"]) == (202, "/api/v1/jobs")
    assert posted["request_id"] == "mine-1"
    (read,) = [line for line in lines if line.get("method") == "GET"]
    assert read["job_id"] == job_id
    assert len(read["request_id"]) == 16
    assert read["time"].endswith("Z")
