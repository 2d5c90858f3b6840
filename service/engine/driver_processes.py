"""The driver processes that a controller starts: those with a job, and spares that wait for one."""

from __future__ import annotations

import logging
import math
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass

from results.records import DriverProcess, Lease
from results.spec import JobSpec
from service.engine import processes
from service.engine.channel import BEGUN, IDLE, READY, WARM_SECONDS, to_line
from service.settings import Settings

logger = logging.getLogger("service.engine.controller")

#: The controller renews a new driver's lease until it says that it does so itself, at most for this
#: long: its imports take 3 s of a core, and on a busy machine many times as long.
STARTUP_SECONDS = 60.0
#: Pause between the start of a job or a spare and that of the next spare, which would disturb it.
SPARE_PAUSE_SECONDS = 3.0
#: One spare too many is kept for this long: a driver that has ended its job saves the next start.
SURPLUS_SECONDS = 60.0


@dataclass(slots=True)
class Child:
    """A driver process of this controller.

    It drives ``job_id``, or has no job if that is None. ``channel`` gives it jobs, and hears what
    it says. ``since`` is when it got its job, or became free, and ``ended`` when it ended its last
    job, in seconds of the controller's clock.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket | None
    job_id: str | None
    since: float
    #: Whether it may be given a further job; if not, it ends after the one that it has.
    takes_more: bool = True
    #: Whether it waits for a line that names its job.
    waits: bool = True
    #: Whether it has still to say that it has started, as a spare does. It may have a job by then.
    greets: bool = False
    ended: float = -math.inf
    #: Whether it has said that it renews its job's lease.
    has_begun: bool = False
    #: Whether it has said that trial processes wait for its next job.
    is_ready: bool = False

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; one that has is reaped."""
        return self.process.poll() is None

    def give(self, lease: Lease) -> None:
        """Let a waiting driver begin with the job; if it has died, the next step sees that."""
        if self.channel is None or not self.waits:
            return
        self.waits = self.has_begun = self.is_ready = False
        try:
            self.channel.sendall(to_line(lease))
        except OSError as error:
            logger.warning("job %s: the spare driver has just ended: %s", lease.job_id, error)

    def has_become_idle(self) -> bool:
        """Hear what the driver says; return whether it has ended a job since the last question."""
        if self.channel is None:
            return False
        try:
            lines = self.channel.recv(1024)
        except OSError:  # nothing to read yet, or the driver has ended
            return False
        self.has_begun = self.has_begun or BEGUN in lines
        said = lines.count(IDLE)
        # What it said before it became idle was of the processes that its last job has taken.
        self.is_ready = READY in lines.rpartition(IDLE)[2] or (self.is_ready and not said)
        if said and self.greets:
            self.greets = False
            said -= 1
        return said > 0

    def close(self) -> None:
        """Give it no further job: it ends once it has none."""
        self.takes_more = False
        if self.channel is not None:
            self.channel.close()
            self.channel = None


class Drivers:
    """The driver processes of one controller."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._children: list[Child] = []
        self._next_spare = clock()

    @property
    def spares(self) -> list[Child]:
        """The drivers that wait for a job, or will once they have started."""
        return [c for c in self._children if c.job_id is None and c.takes_more]

    def with_job(self) -> dict[str, Child]:
        """Return the newest driver of each job, by the job's id."""
        return {child.job_id: child for child in self._children if child.job_id is not None}

    def is_starting(self, job_id: str) -> bool:
        """Whether the first heartbeat of the job's driver may be still to come."""
        child = self.with_job().get(job_id)
        if child is None or child.has_begun:
            return False
        return self._clock() - child.since < STARTUP_SECONDS

    @property
    def warm(self) -> Child | None:
        """The driver that has just ended a job, and still has the trial process of it."""
        last = max(self.spares, key=lambda child: child.ended, default=None)
        is_warm = last is not None and self._clock() - last.ended < WARM_SECONDS
        return last if is_warm else None

    def look(self) -> None:
        """Forget the drivers that have ended, and see which ones wait again."""
        ended = [child for child in self._children if not child.is_running]
        for child in ended:
            self._children.remove(child)
            child.close()
        if ended:
            forget_runs(self._settings)
        for child in self._children:
            if child.has_become_idle():
                child.job_id, child.waits = None, True
                child.since = child.ended = self._clock()

    def take(self, lease: Lease, spec: JobSpec) -> Child:
        """Return a driver for the job: a spare, to be given the lease, or a new one, which has it.

        Raises ``OSError`` if this machine cannot start one: no space, no memory, no permission.
        """
        self._next_spare = self._clock() + SPARE_PAUSE_SECONDS
        can_wait = self._settings.spare_drivers > 0 and is_served_by_spares(spec)
        spares = self.spares if can_wait else []
        if spares:
            child = self.warm or next((spare for spare in spares if spare.is_ready), spares[0])
            child.job_id, child.since = lease.job_id, self._clock()
            return child
        arguments = [lease.job_id, lease.owner, str(lease.token)]
        log = self._settings.log_file(lease.job_id)
        child = self._start(arguments, log.name, takes_more=can_wait)
        child.job_id, child.waits = lease.job_id, False
        return child

    def keep_spares(self, room: int) -> None:
        """Start a spare that is missing, and end those that are too many.

        ``room`` is how many more jobs the controller may claim. One spare too many is kept for a
        while. A spare that cannot be started is tried again later.
        """
        wanted, now = min(self._settings.spare_drivers, room), self._clock()
        spares = self.spares
        if len(spares) < wanted and now >= self._next_spare:
            self._next_spare = now + SPARE_PAUSE_SECONDS
            try:
                self._start([], "drivers.log", takes_more=True)
            except OSError as error:
                logger.warning("no spare driver could be started: %s", error)
        # Those that a job would begin with stay.
        spares.sort(key=lambda child: (child is not self.warm, not child.is_ready))
        is_new = any(now - child.since <= SURPLUS_SECONDS for child in spares)
        for child in spares[wanted + is_new :]:
            child.close()

    def kill(self, child: Child) -> None:
        """Kill a driver that must not go on."""
        child.process.kill()
        child.close()

    def close(self, jobs: Collection[str]) -> list[DriverProcess]:
        """Let no driver take another job; return those that drive none of these."""
        found = [c for c in self._children if c.job_id not in jobs and c.is_running]
        for child in self._children:
            child.close()
        return [processes.identity(child.process.pid) for child in found]

    def strays(self, jobs: Collection[str]) -> dict[str, Child]:
        """Return the drivers of other jobs than these."""
        return {job: child for job, child in self.with_job().items() if job not in jobs}

    def _start(self, arguments: list[str], log_name: str, *, takes_more: bool) -> Child:
        """Start a driver with these settings; its output goes to the log."""
        log = self._settings.logs_dir / log_name
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output, ExitStack() as on_error:
            ours, theirs = socket.socketpair()
            on_error.callback(ours.close)
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "service.engine.driver", *arguments],
                    stdin=theirs.fileno(),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # A SIGTERM to the controller's process group must not end the drivers.
                    start_new_session=True,
                    env={**os.environ, **self._settings.environment(), **_DRIVER_ENVIRONMENT},
                )
            on_error.pop_all()
        ours.settimeout(0)
        child = Child(process, ours, None, self._clock(), takes_more, greets=not arguments)
        if not takes_more:
            ours.shutdown(socket.SHUT_WR)  # it reads the end, and still says that it has begun
        self._children.append(child)
        return child


_DRIVER_ENVIRONMENT = {
    # Ray would drop lines of a trial that differ from others in their numbers only.
    "RAY_DEDUP_LOGS": "0",
    # A process's title must not take the place of its environment, by which it is found.
    "SPT_NOENV": "1",
}


def is_served_by_spares(spec: JobSpec) -> bool:
    """Whether a spare can drive the job: its trial processes use one thread and no GPU."""
    return threads_per_trial(spec.cpu) == 1 and not spec.gpu


def threads_per_trial(cpu: float) -> int:
    """Return the number of threads of a trial that asks for so many CPUs."""
    return max(1, int(cpu))


def end_hanging(job_id: str, driver: DriverProcess) -> None:
    """End what is left on this host of a driver, of any host, whose lease has run out.

    It could write nothing any more, but its trials would keep their slots.
    """
    if processes.find(driver) is not None:
        logger.warning("job %s: its driver %d hangs; ending it", job_id, driver.pid)
        processes.end_trees([driver], patience_s=0)
    processes.kill_all(processes.trial_processes(driver))


def forget_runs(settings: Settings) -> None:
    """Remove what Tune's runs of this host's drivers have left that have ended."""
    for folder in settings.tune_dir.glob("*"):
        if processes.owner_is_gone(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
