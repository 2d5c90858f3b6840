"""The driver processes that a controller starts: one for each job that it has claimed."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from results.records import DriverProcess, Lease
from service.engine import processes
from service.settings import Settings

logger = logging.getLogger("service.engine.controller")

#: While a driver starts, for at most this long, its lease is renewed for it: on a busy machine its
#: imports take their time.
STARTUP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """A driver that this controller has started, and when (seconds of the monotonic clock)."""

    process: subprocess.Popen[bytes]
    started: float

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; one that has is reaped."""
        return self.process.poll() is None

    @property
    def is_starting(self) -> bool:
        """Whether it may not have come to its first heartbeat yet."""
        return time.monotonic() - self.started < STARTUP_SECONDS


def start_driver(lease: Lease, settings: Settings) -> Child:
    """Start a driver for the lease, with these settings; what it prints goes to its job's log.

    Raises ``OSError`` if this machine cannot: no space, no memory, no permission.
    """
    log = settings.log_file(lease.job_id)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "service.engine.driver"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, lease.job_id, lease.owner, str(lease.token)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A SIGTERM to the controller's process group must not end the drivers.
            start_new_session=True,
            env={**os.environ, **settings.environment()},
        )
    return Child(process, time.monotonic())


def end_hanging(job_id: str, driver: DriverProcess) -> None:
    """End what is left on this host of a driver, of whatever host, that let its lease run out.

    It could write nothing any more, but its trials would go on to occupy their slots.
    """
    if processes.find(driver) is not None:
        logger.warning("job %s: its driver %d hangs; ending it", job_id, driver.pid)
        processes.end_tree(driver, patience_s=0)
    processes.kill_all(processes.trial_processes(job_id))


def forget_runs(lease: Lease, settings: Settings) -> None:
    """Remove Tune's snapshots of runs that were ended before they could do so themselves.

    Those of a later lease are somebody else's, and in use.
    """
    for token in range(1, lease.token + 1):
        folder = settings.ray_dir / "tune" / f"{lease.job_id}-{token}"
        shutil.rmtree(folder, ignore_errors=True)
