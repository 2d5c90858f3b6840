"""The driver processes that a controller starts: one for each job that it has claimed."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from results.records import DriverProcess, Lease
from service.engine import processes
from service.settings import Settings

logger = logging.getLogger("service.engine.controller")

#: The controller renews a new driver's lease for this long: on a busy machine its imports, which
#: come before its first heartbeat, take long.
STARTUP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """A driver that this controller has started, and when (seconds of the controller's clock)."""

    process: subprocess.Popen[bytes]
    started: float

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; one that has is reaped."""
        return self.process.poll() is None

    def is_starting(self, now: float) -> bool:
        """Whether its first heartbeat may be still to come."""
        return now - self.started < STARTUP_SECONDS


def start_driver(lease: Lease, settings: Settings) -> subprocess.Popen[bytes]:
    """Start a driver for the lease, with these settings; its output goes to the job's log.

    Raises ``OSError`` if this machine cannot: no space, no memory, no permission.
    """
    log = settings.log_file(lease.job_id)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "service.engine.driver"]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*command, lease.job_id, lease.owner, str(lease.token)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A SIGTERM to the controller's process group must not end the drivers.
            start_new_session=True,
            # Ray would drop lines of a trial that differ from others in their numbers only.
            env={**os.environ, **settings.environment(), "RAY_DEDUP_LOGS": "0"},
        )


def end_hanging(job_id: str, driver: DriverProcess) -> None:
    """End what is left on this host of a driver, of any host, whose lease has run out.

    It could write nothing any more, but its trials would keep their slots.
    """
    if processes.find(driver) is not None:
        logger.warning("job %s: its driver %d hangs; ending it", job_id, driver.pid)
        processes.end_trees([driver], patience_s=0)
    processes.kill_all(processes.trial_processes(job_id))


def forget_runs(lease: Lease, settings: Settings) -> None:
    """Remove Tune's snapshots of the job's runs up to this lease; a later run is in use."""
    for token in range(1, lease.token + 1):
        folder = settings.ray_dir / "tune" / f"{lease.job_id}-{token}"
        shutil.rmtree(folder, ignore_errors=True)
