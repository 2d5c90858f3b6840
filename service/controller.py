"""The controller: claims queued jobs and starts one driver process for each.

It runs apart from the API (``python -m service.controller``), keeps no state but the store's, and
may be killed at any time: the drivers go on, and the next controller finds them by host, process
id and start time.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import DriverProcess, Failure, Lease
from results.states import FailureKind, JobState
from results.store import open_store
from results.store.base import Store
from service import logs, processes
from service.cluster import is_reachable
from service.log_lines import log_state
from service.settings import Settings

logger = logging.getLogger("service.controller")

POLL_SECONDS = 0.2
#: A driver told to end gets this long before it is killed.
PATIENCE_SECONDS = 3.0
#: While a driver starts, for at most this long, its lease is renewed for it: on a busy machine its
#: imports take their time.
STARTUP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """A driver that this controller has started, and when (seconds of the monotonic clock)."""

    process: subprocess.Popen[bytes]
    started: float

    @property
    def is_starting(self) -> bool:
        """Whether it may not have come to its first heartbeat yet."""
        return time.monotonic() - self.started < STARTUP_SECONDS


class Controller:
    """One controller; :meth:`run` loops until :meth:`stop`."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._owner = f"{processes.host_name()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._mine: Mapping[str, tuple[JobState, Lease, DriverProcess]] = {}
        self._children: dict[str, Child] = {}
        self._told: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work until stopped; an unreachable store is waited for."""
        logger.info(
            "controller %s: at most %d jobs", self._owner, self._settings.max_concurrent_jobs
        )
        while not self._stopped.wait(POLL_SECONDS):
            try:
                self.step()
            except StoreUnavailable as error:
                logger.warning("the store is unavailable: %s", error)

    def stop(self) -> None:
        """Leave the loop after the current step; drivers run on."""
        self._stopped.set()

    def step(self) -> None:
        """Look after every running job once, then claim new ones while there is room."""
        for child in self._children.values():
            child.process.poll()
        mine = self._mine = self._driven_here()
        for job_id, (state, lease, driver) in mine.items():
            self._look_after(job_id, state, lease, driver)
        self._children = {job: c for job, c in self._children.items() if job in mine}
        self._told = {job: since for job, since in self._told.items() if job in mine}
        if len(mine) < self._settings.max_concurrent_jobs and self._ray_answers():
            self._claim()

    def end_drivers(self) -> None:
        """End every driver of this host and put its job back into the queue (service shutdown).

        While the store is away, the drivers that it told of last are ended; their jobs go on once
        their leases have run out.
        """
        try:
            self._mine = self._driven_here()
            self._end_processes()
            for state, lease, _ in self._mine.values():
                if state is JobState.CANCELLING:
                    self._finish(lease, JobState.CANCELLED, None)
                else:
                    self._give_back(lease, lost=False)
        except StoreUnavailable as error:
            logger.warning("the store is unavailable: %s; jobs go on with another lease", error)
            self._end_processes()

    def _end_processes(self) -> None:
        drivers = [driver for _, _, driver in self._mine.values()]
        processes.end_trees(drivers, patience_s=PATIENCE_SECONDS)
        for job_id in self._mine:
            processes.kill_all(processes.trial_processes(job_id))

    def _driven_here(self) -> dict[str, tuple[JobState, Lease, DriverProcess]]:
        """Return the state, lease and driver of each job that is driven on this host."""
        return {
            job_id: (state, lease, driver)
            for job_id, (state, lease, driver) in self._store.drivers().items()
            if driver is not None and driver.host == processes.host_name()
        }

    def _ray_answers(self) -> bool:
        return is_reachable(self._settings.ray_address)

    def _claim(self) -> None:
        lease = self._store.claim_job(self._owner, self._settings.lease_seconds)
        if lease is None:
            return
        job = self._store.job(lease.job_id)
        self._end_former_run(lease)
        if job.state is JobState.CANCELLING:
            self._finish(lease, JobState.CANCELLED, None)
        elif job.state is JobState.PAUSING:
            self._give_back(lease, lost=False)
        elif job.claims > self._settings.max_claims:
            message = (
                f"the job's driver was lost {job.claims - 1} times: see the job's log for the "
                "reason, then retry the job"
            )
            self._finish(lease, JobState.FAILED, Failure(FailureKind.WORKER_LOST, message))
        else:
            self._start_driver(lease)

    def _end_former_run(self, lease: Lease) -> None:
        """End what is left on this host of a driver, of whatever host, that let its lease run out.

        It could write nothing any more, but its trials would go on to occupy their slots.
        """
        _, _, former = self._store.drivers().get(lease.job_id, (None, None, None))
        if former is None:
            return
        if processes.find(former) is not None:
            logger.warning("job %s: its driver %d hangs; ending it", lease.job_id, former.pid)
            processes.end_tree(former, patience_s=0)
        processes.kill_all(processes.trial_processes(lease.job_id))
        self._forget_runs(lease)

    def _start_driver(self, lease: Lease) -> None:
        log = self._settings.log_file(lease.job_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "service.driver"]
        with log.open("ab") as output:
            child = subprocess.Popen(
                [*command, lease.job_id, lease.owner, str(lease.token)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A SIGTERM to the controller's process group must not end the drivers.
                start_new_session=True,
                env={**os.environ, **self._settings.environment()},
            )
        self._children[lease.job_id] = Child(child, time.monotonic())
        try:
            self._store.set_driver(lease, processes.identity(child.pid))
        except LeaseLost as error:
            # This process was stopped for longer than the lease lasts.
            logger.warning("job %s: %s", lease.job_id, error)
            child.kill()
            return
        logger.info("job %s: driver %d, token %d", lease.job_id, child.pid, lease.token)
        log_state(logger, lease.job_id, JobState.RUNNING)

    def _look_after(
        self, job_id: str, state: JobState, lease: Lease, driver: DriverProcess
    ) -> None:
        running = processes.find(driver)
        if state is JobState.CANCELLING:
            if running is None:
                self._end_trials(lease)
            else:
                self._tell_to_end(job_id, driver)
        elif running is None:
            self._give_back(lease, lost=True)
        elif job_id in self._children and self._children[job_id].is_starting:
            self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        try:
            self._store.renew_lease(lease, self._settings.lease_seconds)
        except LeaseLost:
            logger.info("job %s has ended while its driver was starting", lease.job_id)

    def _tell_to_end(self, job_id: str, driver: DriverProcess) -> None:
        first = self._told.setdefault(job_id, time.monotonic())
        late = time.monotonic() - first > PATIENCE_SECONDS
        try:
            os.killpg(driver.pid, signal.SIGKILL if late else signal.SIGTERM)
        except ProcessLookupError:
            logger.info("job %s: its driver has just ended", job_id)

    def _end_trials(self, lease: Lease) -> None:
        """Call the job cancelled only once none of its trial processes is left on this host.

        Ray ends them when their driver has gone; one that is still there after its time is killed.
        """
        left = processes.trial_processes(lease.job_id)
        first = self._told.setdefault(lease.job_id, time.monotonic())
        if left and time.monotonic() - first > PATIENCE_SECONDS:
            processes.kill_all(left)
        elif not left:
            self._told.pop(lease.job_id, None)
            self._finish(lease, JobState.CANCELLED, None)

    def _give_back(self, lease: Lease, *, lost: bool) -> None:
        self._forget_runs(lease)
        try:
            self._store.release_job(lease, lost=lost)
        except (LeaseLost, IllegalMove) as error:
            logger.info("job %s: %s", lease.job_id, error)
            return
        if lost:
            logger.warning("job %s: its driver has ended before it", lease.job_id)
        log_state(logger, lease.job_id, self._store.job(lease.job_id).state)

    def _forget_runs(self, lease: Lease) -> None:
        """Remove Tune's snapshots of runs that were ended before they could do so themselves.

        Those of a later lease are somebody else's, and in use.
        """
        for token in range(1, lease.token + 1):
            folder = self._settings.ray_dir / "tune" / f"{lease.job_id}-{token}"
            shutil.rmtree(folder, ignore_errors=True)

    def _finish(self, lease: Lease, state: JobState, error: Failure | None) -> None:
        self._forget_runs(lease)
        try:
            self._store.finish_job(lease, state, error)
        except (LeaseLost, IllegalMove) as refused:
            logger.info("job %s: %s", lease.job_id, refused)
        else:
            log_state(logger, lease.job_id, state)


def _stop_without_parent(controller: Controller, parent: int) -> None:
    """Stop when the service that started this process is gone; its drivers run on."""
    while os.getppid() == parent:
        time.sleep(1.0)
    controller.stop()


def main() -> None:
    """Run a controller until SIGTERM (which ends its drivers too) or until its parent is gone."""
    settings = Settings()
    logs.configure(settings.log_format)
    store = open_store(settings.store_url)
    controller = Controller(store, settings)
    told = threading.Event()

    def on_signal(*_: object) -> None:
        told.set()
        controller.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the service, which tells us
    threading.Thread(
        target=_stop_without_parent, args=(controller, os.getppid()), daemon=True
    ).start()
    controller.run()
    if told.is_set():
        controller.end_drivers()
    store.close()


if __name__ == "__main__":
    main()
