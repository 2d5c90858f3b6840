"""Pausing and retrying for real; processes that are stopped, killed, hang or print without end."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from results.records import DriverProcess
from results.states import TrialState
from results.store import Store
from service.engine import processes
from tests.chaos.stops import controller_elsewhere, stopped
from tests.service.running import LOG_BYTES, Service, has_ended, steps, until

pytestmark = pytest.mark.ray


def states(service: Service, job_id: str) -> list[str]:
    return [trial["state"] for trial in service.trials(job_id)]


def attempts(service: Service, job_id: str) -> list[int]:
    return [trial["attempts"] for trial in service.trials(job_id)]


def trials_of(driver: DriverProcess) -> list[psutil.Process]:
    """The driver's trial processes, without those that wait for its next job."""
    found = processes.trial_processes(driver)
    return [process for process in found if not processes.is_idle(process)]


# --- pausing and retrying ----------------------------------------------------------------------


def test_a_paused_job_stops_its_trials_and_they_go_on_where_they_were(service: Service) -> None:
    """Those that hand over no state end first. A job resumed while it pauses loses nothing."""
    sampled = steps(
        "tpe", epochs=4, trials=2, x={"values": [1.0, 2.0]}, pause_s=1.0, has_state=False
    )
    resumed = service.submit(sampled, max_concurrent_trials=1)
    service.wait_for_epochs(resumed, 1)
    service.ask(resumed, "pause")
    until(lambda: "job is pausing" in service.log_of(resumed), within_s=20, what="it pauses")
    assert service.ask(resumed, "resume")["state"] == "running"
    stops = {"values": [True, False]}
    space = steps(epochs=12, x={"values": [1.0, 2.0]}, has_state=stops, pause_s=0.6)
    job_id = service.submit(space, max_concurrent_trials=2)
    service.wait_for_epochs(job_id, 2)
    driver = service.recorded_driver(job_id)
    assert service.ask(job_id, "pause")["state"] == "pausing"
    service.wait_for_state(job_id, "paused")
    assert states(service, job_id) == ["queued", "succeeded", "queued", "queued"]
    stopped_at = service.trials(job_id)[0]["epochs"]
    assert 1 <= stopped_at < 12
    until(lambda: not trials_of(driver), within_s=20, what="no trial process")
    assert service.ask(job_id, "resume")["state"] in ("queued", "running")
    for one, trials, epochs in ((job_id, 4, 12), (resumed, 2, 4)):
        service.wait(one)
        service.assert_complete(one, trials=trials, epochs=epochs)
        assert set(attempts(service, one)) == {1}
    assert service.trials(job_id)[0]["resumed_from"] == stopped_at


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
    service.wait(job_id)
    service.assert_complete(job_id, trials=2, epochs=3)
    assert service.get(f"{job_id}/trials/0") == before
    assert attempts(service, job_id) == [1, 2]
    again = service.http.post(f"/api/v1/jobs/{job_id}/retry-failed")
    assert again.status_code == 409
    assert again.json()["hint"]


def test_a_trainable_that_prints_100_mb_does_not_fill_the_disk(service: Service) -> None:
    job = service.wait(service.submit(steps(second_epoch="print", pause_s=0.5)))
    assert job["state"] == "succeeded"
    log = service.folder / "logs" / f"{job['id']}.log"
    until(lambda: log.stat().st_size <= 2 * LOG_BYTES, within_s=5, what="a short log")
    sizes = [file.stat().st_size for file in ray_session(service).glob("logs/worker-*")]
    assert sizes
    assert max(sizes) <= 2 * LOG_BYTES


# --- processes that are lost -------------------------------------------------------------------


def ray_session(service: Service) -> Path:
    """Return the folder in which the service's Ray keeps its logs."""
    (raylet,) = (p for p in head_processes(service) if p.name() == "raylet")
    (folder,) = (a.partition("=")[2] for a in raylet.cmdline() if a.startswith("--session_dir="))
    return Path(folder)


def head_processes(service: Service) -> list[psutil.Process]:
    return processes.with_variable(processes.HEAD_VARIABLE, str(service.folder / "ray"))


def test_a_lost_driver_or_controller_costs_no_finished_trial(service: Service) -> None:
    """Each is killed once; the driver also gets SIGUSR1, which some send by mistake."""
    space = steps(epochs=4, x={"values": [1.0, 2.0, 3.0, 4.0]}, pause_s=0.3)
    job_id = service.submit(space, max_concurrent_trials=1)
    before = service.metric("argbest_take_overs_total")
    losses = [
        ("controller", signal.SIGKILL, 1),
        ("driver", signal.SIGKILL, 5),
        ("driver", signal.SIGUSR1, 9),
    ]
    for role, ending, epochs in losses:
        service.wait_for_epochs(job_id, epochs)
        if role == "controller":
            (doomed,) = service.find("service.engine.controller")
        else:
            doomed = service.driver_of(job_id)
        doomed.send_signal(ending)
        until(lambda lost=doomed: has_ended(lost), within_s=30, what="its end")  # type: ignore[misc]
    service.wait(job_id)
    service.assert_complete(job_id, trials=4, epochs=4)
    assert attempts(service, job_id)[0] == 1, "without its controller a driver goes on"
    assert service.metric("argbest_take_overs_total") == before + 2
    # On a busy machine a trial may have trained all its epochs before its driver is gone.
    assert 4 <= sum(attempts(service, job_id)) <= 6, "a lost driver costs one trial an attempt"


def test_a_tpe_search_whose_driver_was_killed_goes_on_with_what_it_has_learnt(
    service: Service, service_store: Store
) -> None:
    search = steps("tpe", epochs=2, trials=8, x={"low": 0.5, "high": 2.0}, pause_s=0.2)
    job_id = service.submit(search, max_concurrent_trials=2)
    done = until(
        lambda: len(found := finished(service, job_id)) >= 4 and found,
        within_s=60,
        what="half of the trials",
    )
    before = service_store.lease_counts().take_overs
    driver = service.driver_of(job_id)
    driver.kill()
    service.wait(job_id)
    service.assert_complete(job_id, trials=8, epochs=2)
    after = finished(service, job_id)
    assert {number: after[number] for number in done} == done, "what was finished stays"
    assert len({trial["parameters"]["x"] for trial in after.values()}) == 8
    taken = service_store.lease_counts().take_overs - before
    again = sum(attempts(service, job_id)) - 8
    assert again <= 2 * taken, "at most the trials that ran when the driver was killed"


def test_a_hanging_driver_is_replaced_and_its_trials_end(service: Service) -> None:
    space = steps(epochs=4, x={"values": [1.0, 2.0, 3.0]}, pause_s=0.4)
    job_id = service.submit(space, max_concurrent_trials=2)
    service.wait_for_epochs(job_id, 3)
    before = service.metric("argbest_take_overs_total")
    driver = service.driver_of(job_id)
    driver.suspend()
    until(lambda: has_ended(driver), within_s=60, what="the stopped driver is ended")
    service.wait(job_id)
    service.assert_complete(job_id, trials=3, epochs=4)
    assert service.metric("argbest_take_overs_total") == before + 1


def finished(service: Service, job_id: str) -> dict[int, dict[str, object]]:
    """Return the job's finished trials by number, as the API shows them.

    Left out is what follows the others' results: the rank, and whether the model is kept.
    """
    found = [trial for trial in service.trials(job_id) if trial["state"] == "succeeded"]
    return {trial["number"]: {**trial, "rank": None, "checkpoint": 0} for trial in found}


def runs_elsewhere(store: Store, job_id: str) -> bool:
    """Whether a driver of the other host has started a trial of the job."""
    driver = store.leased_jobs()[job_id].driver
    running = any(trial.state is TrialState.RUNNING for trial in store.trials(job_id))
    return driver is not None and driver.host == "elsewhere" and running


def test_a_controller_and_a_driver_stopped_past_the_lease_cannot_write(
    service: Service, service_store: Store
) -> None:
    store = service_store
    space = steps(epochs=4, x={"values": [1.0, 2.0, 3.0, 4.0]}, pause_s=0.4)
    job_id = service.submit(space, max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 5)
    before = store.lease_counts()
    (controller,) = service.find("service.engine.controller")
    driver = service.driver_of(job_id)
    stale, environment = processes.identity(driver.pid), controller.environ()
    with ExitStack() as other:
        with stopped(controller, driver):
            done = finished(service, job_id)
            other.enter_context(controller_elsewhere(environment))
            until(lambda: runs_elsewhere(store, job_id), within_s=60, what="a take-over")
        until(lambda: processes.find(stale) is None, within_s=30, what="the stopped driver ends")
        service.wait(job_id)
    service.assert_complete(job_id, trials=4, epochs=4)
    after = finished(service, job_id)
    assert done
    assert {number: after[number] for number in done} == done, "what was finished stays"
    taken = store.lease_counts().take_overs - before.take_overs
    assert taken >= 1
    again = sum(attempts(service, job_id)) - 4
    assert 1 <= again <= taken, "only the trial that ran when its driver was lost runs again"
    refused = store.lease_counts().refused_writes
    assert refused > before.refused_writes
    assert service.metric("argbest_refused_writes_total") == refused
    assert "driver stops: " in service.log_of(job_id)
    assert controller.is_running()
    last = service.submit(steps("single", epochs=1))
    assert service.wait(last)["state"] == "succeeded", "the controller that was stopped works on"


@pytest.mark.parametrize(
    ("victim", "ending"),
    [
        pytest.param("gcs_server", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("raylet", signal.SIGKILL, marks=pytest.mark.long),
        ("raylet", signal.SIGTERM),  # as daemons that free memory do
    ],
)
def test_a_ray_head_that_is_lost_is_replaced(
    service: Service, victim: str, ending: signal.Signals
) -> None:
    space = steps(epochs=4, x={"values": [1.0, 2.0]}, pause_s=0.5)
    job_id = service.submit(space, max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 5)
    old = head_processes(service)
    (doomed,) = (p for p in old if p.name() == victim)
    doomed.send_signal(ending)
    until(lambda: all(map(has_ended, old)), within_s=60, what="the old Ray is gone")
    service.wait(job_id, within_s=150)
    service.assert_complete(job_id, trials=2, epochs=4)
    assert attempts(service, job_id)[0] == 1
    assert service.http.get("/readyz").status_code == 200
