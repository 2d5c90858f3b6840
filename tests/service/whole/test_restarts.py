"""A service as `argbest serve` starts it: restarts, and trial processes that are started ahead."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil
import pytest

from service.engine import processes
from tests.service.running import Service, steps, until

pytestmark = pytest.mark.ray


def waiting(running: Service) -> list[psutil.Process]:
    """The processes of the service that wait for an actor of their driver."""
    found = []
    for process in running.find(processes.IDLE_TITLE):
        with suppress(psutil.NoSuchProcess):
            found += [process] * (processes.DRIVER_VARIABLE in process.environ())
    return found


def test_a_job_takes_processes_that_wait_and_does_without_those_that_died(
    own_service: Service,
) -> None:
    service = own_service
    until(lambda: len(waiting(service)) >= 2, within_s=60, what="two processes wait")
    before = {process.pid for process in waiting(service)}
    space = steps(epochs=8, x={"values": [1.0, 2.0]}, pause_s=0.5)
    job_id = service.submit(space, max_concurrent_trials=2)
    service.wait_for_epochs(job_id, 1)
    driver = service.recorded_driver(job_id)
    running = {p.pid for p in processes.trial_processes(driver) if not processes.is_idle(p)}
    service.wait(job_id)
    assert running & before
    until(lambda: len(waiting(service)) >= 2, within_s=60, what="other processes wait")
    processes.kill_all(waiting(service))
    job_id = service.submit(space)
    assert service.wait(job_id)["state"] == "succeeded"
    service.assert_complete(job_id, trials=2, epochs=8)


def test_a_job_ends_all_the_same_when_the_service_is_restarted(own_service: Service) -> None:
    """Once killed, when Ray and the driver go on, and once stopped, when all is ended."""
    service = own_service
    space = steps(epochs=4, x={"values": [float(n) for n in range(6)]}, pause_s=0.5)
    job_id = service.submit(space, max_concurrent_trials=1)
    service.wait_for_epochs(job_id, 5)
    service.kill()
    service.start()
    service.wait_for_epochs(job_id, 9)
    service.stop(signal.SIGTERM)
    assert service.processes() == []
    service.start()
    service.wait(job_id)
    service.assert_complete(job_id, trials=6, epochs=4)
    attempts = [trial["attempts"] for trial in service.trials(job_id)]
    assert sum(attempts) <= 8, "only the trial that ran is run again"
    assert attempts[0] == 1
