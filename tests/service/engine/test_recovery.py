"""Pausing and retrying for real; processes that are stopped, killed, hang or print without end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from results.states import JobState
from results.store import Store
from service.engine import processes
from service.settings import Settings
from tests.chaos.stops import stopped
from tests.service.running import Service, until

pytestmark = pytest.mark.ray

LOG_BYTES = 256 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(
        tmp_path_factory.mktemp("recovery"),
        ARGBEST_LEASE_SECONDS="4",
        ARGBEST_MAX_LOG_BYTES=str(LOG_BYTES),
    )
    service.start()
    yield service
    service.stop()
    assert service.processes() == []


@pytest.fixture
def settings(service: Service) -> Settings:
    return Settings(data_dir=service.folder)


def steps(epochs: int = 4, **parameters: Any) -> dict[str, Any]:
    """A grid of the plugin's trainable."""
    return {
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": epochs,
        "metric": "score", "mode": "max", "strategy": "grid", "parameters": parameters,
    }  # fmt: skip


def states(service: Service, job_id: str) -> list[str]:
    return [trial["state"] for trial in service.get(f"{job_id}/trials")["items"]]


def assert_complete(service: Service, job_id: str, *, trials: int, epochs: int) -> None:
    """Every trial has succeeded, and each epoch of its last attempt is there once."""
    assert states(service, job_id) == ["succeeded"] * trials
    curves = service.get(f"{job_id}/curves")["items"]
    assert [c["epoch"] for c in curves] == [list(range(1, epochs + 1))] * trials


def test_a_paused_job_finishes_its_running_trials_and_goes_on_later(service: Service) -> None:
    space = steps(x={"values": [1.0, 2.0, 3.0, 4.0]}, pause_s=0.5)
    job_id = service.submit(space, max_concurrent_trials=2)
    service.wait_for_epochs(job_id, 2)
    assert service.ask(job_id, "pause")["state"] == "pausing"
    service.wait_for_state(job_id, "paused")
    assert states(service, job_id) == ["succeeded", "succeeded", "queued", "queued"]
    until(
        lambda: not processes.trial_processes(job_id) and not service.find("service.engine.driver"),
        within_s=20,
        what="no processes of the paused job",
    )
    assert service.ask(job_id, "resume")["state"] in ("queued", "running")
    assert service.wait(job_id)["state"] == "succeeded"
    assert_complete(service, job_id, trials=4, epochs=4)
    assert {t["attempts"] for t in service.get(f"{job_id}/trials")["items"]} == {1}


def test_a_job_resumed_while_it_is_pausing_loses_nothing(service: Service) -> None:
    space = steps(x={"values": [1.0, 2.0]}, pause_s=1.0)
    job_id = service.submit({**space, "strategy": "tpe", "trials": 2}, max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 1)
    service.ask(job_id, "pause")
    until(
        lambda: "the job is pausing" in httpx2.get(f"{service.url}/api/v1/jobs/{job_id}/log").text,
        within_s=20,
        what="the driver pauses",
    )
    assert service.ask(job_id, "resume")["state"] == "running"
    assert service.wait(job_id)["state"] == "succeeded"
    assert_complete(service, job_id, trials=2, epochs=4)
    assert {t["attempts"] for t in service.get(f"{job_id}/trials")["items"]} == {1}


def test_failed_trials_run_again_and_succeeded_ones_stay(service: Service, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    job_id = service.submit(
        steps(second_epoch={"values": ["go on", "raise once"]}, marker=str(marker))
    )
    assert service.wait(job_id)["state"] == "succeeded"
    assert states(service, job_id) == ["succeeded", "failed"]
    before = service.get(f"{job_id}/trials/0")
    marker.touch()
    assert service.ask(job_id, "retry-failed")["finished_at"] is None
    assert service.wait(job_id)["state"] == "succeeded"
    assert_complete(service, job_id, trials=2, epochs=4)
    assert service.get(f"{job_id}/trials/0") == before
    assert service.get(f"{job_id}/trials/1")["attempts"] == 2
    again = httpx2.post(f"{service.url}/api/v1/jobs/{job_id}/retry-failed")
    assert again.status_code == 409
    assert again.json()["hint"]


def test_each_kind_of_failure_has_its_own_rule(service: Service) -> None:
    space = steps(second_epoch={"values": ["exit", "out of memory"]})
    raising = service.submit(space, max_failures=1)
    hanging = service.submit(steps(second_epoch="hang"), time_limit_s=2, max_failures=1)
    assert service.wait(raising)["state"] == service.wait(hanging)["state"] == "failed"
    left, memory = service.get(f"{raising}/trials")["items"]
    hung = service.get(f"{hanging}/trials/0")
    assert (left["error"]["kind"], left["attempts"]) == ("user_error", 2)
    assert (memory["error"]["kind"], memory["attempts"]) == ("out_of_memory", 2)
    assert "smaller model" in memory["error"]["message"]
    assert (hung["error"]["kind"], hung["attempts"]) == ("time_limit", 1)
    assert "time_limit_s" in hung["error"]["message"]


def test_a_trainable_that_prints_100_mb_does_not_fill_the_disk(service: Service) -> None:
    job = service.wait(service.submit(steps(second_epoch="print", pause_s=0.5)))
    assert job["state"] == "succeeded"
    log = service.folder / "logs" / f"{job['id']}.log"
    until(lambda: log.stat().st_size <= 2 * LOG_BYTES, within_s=5, what="a short log")
    sizes = [file.stat().st_size for file in ray_session(service).glob("logs/worker-*")]
    assert sizes
    assert max(sizes) <= 2 * LOG_BYTES


def has_ended(process: psutil.Process) -> bool:
    """Whether nothing of it runs; a stopped parent has not yet collected its exit status."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def ray_session(service: Service) -> Path:
    """Return the folder in which the service's Ray keeps its logs."""
    (raylet,) = (p for p in head_processes(service) if p.name() == "raylet")
    (folder,) = (a.partition("=")[2] for a in raylet.cmdline() if a.startswith("--session_dir="))
    return Path(folder)


def head_processes(service: Service) -> list[psutil.Process]:
    return processes.with_variable(processes.HEAD_VARIABLE, str(service.folder / "ray"))


def test_a_hanging_driver_is_replaced_and_its_trials_end(service: Service) -> None:
    job_id = service.submit(
        steps(x={"values": [1.0, 2.0, 3.0]}, pause_s=0.4), max_concurrent_trials=2
    )
    service.wait_for_epochs(job_id, 3)
    before = service.metric("argbest_take_overs_total")
    (driver,) = service.find("service.engine.driver")
    driver.suspend()
    until(lambda: has_ended(driver), within_s=60, what="the stopped driver is ended")
    assert service.wait(job_id, within_s=120)["state"] == "succeeded"
    assert_complete(service, job_id, trials=3, epochs=4)
    assert service.metric("argbest_take_overs_total") == before + 1


def test_a_driver_that_was_stopped_past_its_lease_cannot_write(
    service: Service, store: Store
) -> None:
    """The controller is stopped too, and its part taken by this test, as by another host."""
    job_id = service.submit(steps(x={"values": [1.0, 2.0]}, pause_s=0.5), max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 1)
    before = service.metric("argbest_refused_writes_total")
    (controller,) = service.find("service.engine.controller")
    (driver,) = service.find("service.engine.driver")
    with stopped(controller, driver):
        lease = until(
            lambda: store.claim_job("elsewhere:1", 60), within_s=60, what="the lease expires"
        )
        epochs = service.get(job_id)["progress"]["epochs_done"]
        driver.resume()
        until(lambda: has_ended(driver), within_s=30, what="the stale driver ends")
        assert service.get(job_id)["progress"]["epochs_done"] == epochs
        assert service.metric("argbest_refused_writes_total") >= before + 1
        assert store.renew_lease(lease, 60) is JobState.RUNNING
        store.release_job(lease)
    assert service.wait(job_id, within_s=120)["state"] == "succeeded"
    assert_complete(service, job_id, trials=2, epochs=4)


@pytest.mark.parametrize("victim", ["gcs_server", "raylet"])
def test_a_killed_ray_head_is_replaced_by_itself(service: Service, victim: str) -> None:
    job_id = service.submit(steps(x={"values": [1.0, 2.0]}, pause_s=0.5), max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 5)
    old = head_processes(service)
    (doomed,) = (p for p in old if p.name() == victim)
    os.kill(doomed.pid, signal.SIGKILL)
    until(lambda: all(map(has_ended, old)), within_s=60, what="the old Ray is gone")
    assert service.wait(job_id, within_s=150)["state"] == "succeeded"
    assert_complete(service, job_id, trials=2, epochs=4)
    assert service.get(f"{job_id}/trials/0")["attempts"] == 1
    assert httpx2.get(f"{service.url}/readyz").status_code == 200
