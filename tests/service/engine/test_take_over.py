"""A job that changes hands: stopped processes cannot write, and what has finished stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from results.states import TrialState
from results.store import Store
from service.engine import processes
from service.settings import Settings
from tests.chaos.stops import controller_elsewhere, stopped
from tests.service.running import Service, until

TRIALS = 12


def steps(epochs: int, **members: Any) -> dict[str, Any]:
    """A search of the plugin's trainable, whose score is ``x``."""
    return {
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": epochs,
        "metric": "score", "mode": "max", **members,
    }  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    # The shortest lease, and slots for the trials of a stopped driver beside its successor's.
    service = Service(
        tmp_path_factory.mktemp("take_over"), ARGBEST_LEASE_SECONDS="2", ARGBEST_NUM_CPUS="4"
    )
    service.start()
    yield service
    service.stop()
    assert service.processes() == []


@pytest.fixture
def settings(service: Service) -> Settings:
    return Settings(data_dir=service.folder)


def finished(service: Service, job_id: str) -> dict[int, dict[str, Any]]:
    """Return the job's finished trials by number, as the API shows them."""
    trials = service.get(f"{job_id}/trials")["items"]
    return {t["number"]: t for t in trials if t["state"] == "succeeded"}


def assert_complete(service: Service, job_id: str, *, trials: int, epochs: int) -> None:
    """Every planned trial has succeeded under a number of its own, each epoch reported once."""
    job = service.get(job_id)
    assert job["state"] == "succeeded"
    assert job["progress"]["trials"] == job["progress"]["finished"] == trials
    assert job["progress"]["epochs_done"] == trials * epochs
    assert sorted(finished(service, job_id)) == list(range(trials))
    curves = service.get(f"{job_id}/curves")["items"]
    assert [c["epoch"] for c in curves] == [list(range(1, epochs + 1))] * trials


def runs_elsewhere(store: Store, job_id: str) -> bool:
    """Whether a driver of the other host has started a trial of the job."""
    driver = store.leased_jobs()[job_id].driver
    running = any(trial.state is TrialState.RUNNING for trial in store.trials(job_id))
    return driver is not None and driver.host == "elsewhere" and running


@pytest.mark.ray
@pytest.mark.slow
def test_a_controller_and_a_driver_stopped_past_the_lease_cannot_write(
    service: Service, store: Store
) -> None:
    grid = {"x": {"values": [1.0, 2.0, 3.0, 4.0]}, "pause_s": 0.4}
    job_id = service.submit(steps(4, strategy="grid", parameters=grid), max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 5)
    before = store.lease_counts()
    (controller,) = service.find("service.engine.controller")
    (driver,) = service.find("service.engine.driver")
    stale, environment = processes.identity(driver.pid), controller.environ()
    with ExitStack() as other:
        with stopped(controller, driver):
            done = finished(service, job_id)
            other.enter_context(controller_elsewhere(environment))
            until(lambda: runs_elsewhere(store, job_id), within_s=60, what="a take-over")
        until(lambda: processes.find(stale) is None, within_s=30, what="the stopped driver ends")
        service.wait(job_id)
    assert_complete(service, job_id, trials=4, epochs=4)
    after = finished(service, job_id)
    assert done
    assert {number: after[number] for number in done} == done, "what was finished stays"
    taken = store.lease_counts().take_overs - before.take_overs
    assert taken >= 1
    again = sum(trial["attempts"] - 1 for trial in after.values())
    assert 1 <= again <= taken, "only the trial that ran when its driver was lost runs again"
    refused = store.lease_counts().refused_writes
    assert refused > before.refused_writes
    assert service.metric("argbest_refused_writes_total") == refused
    log = httpx2.get(f"{service.url}/api/v1/jobs/{job_id}/log").text
    assert "driver stops: " in log
    assert controller.is_running()
    assert (
        service.wait(service.submit(steps(1, strategy="single", parameters={"x": 1.0})))["state"]
        == "succeeded"
    ), "the controller that was stopped works on"


@pytest.mark.ray
@pytest.mark.slow
def test_a_tpe_search_whose_driver_was_killed_goes_on_with_what_it_has_learnt(
    service: Service, store: Store
) -> None:
    parameters = {"x": {"low": 0.5, "high": 2.0}, "pause_s": 0.2}
    search = steps(2, strategy="tpe", trials=TRIALS, parameters=parameters)
    job_id = service.submit(search, max_concurrent_trials=2)
    done = until(
        lambda: len(found := finished(service, job_id)) >= TRIALS // 2 and found,
        within_s=60,
        what="half of the trials",
    )
    before = store.lease_counts().take_overs
    (driver,) = service.find("service.engine.driver")
    driver.kill()
    service.wait(job_id)
    assert_complete(service, job_id, trials=TRIALS, epochs=2)
    after = finished(service, job_id)
    assert {number: after[number] for number in done} == done, "what was finished stays"
    assert len({trial["parameters"]["x"] for trial in after.values()}) == TRIALS
    taken = store.lease_counts().take_overs - before
    again = sum(trial["attempts"] - 1 for trial in after.values())
    assert again <= 2 * taken, "at most the trials that ran when the driver was killed"
