"""Trial processes that are started ahead, in the real service, and what they import."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from service.engine import processes, warm_processes
from tests.service.running import Service, steps, until


def test_a_process_imports_what_the_numpy_trainables_need_and_no_torch() -> None:
    module, _, hook = warm_processes.HOOK.rpartition(".")
    code = (
        f"import sys; from {module} import {hook}; {hook}(); "
        "names = 'ray.tune numba.np.arraymath trainables.numpy_trainables torch'.split(); "
        "print(*(name in sys.modules for name in names))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.split() == ["True", "True", "True", "False"]


def waiting(service: Service) -> list[psutil.Process]:
    """The processes of the service that wait for an actor of their driver."""
    found = []
    for process in service.find(processes.IDLE_TITLE):
        with suppress(psutil.NoSuchProcess):
            found += [process] * (processes.DRIVER_VARIABLE in process.environ())
    return found


@pytest.mark.ray
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
