"""Claims queued jobs and gives each to a driver process, one that waits or a new one.

The controller is a process of its own (``python -m service.engine.controller``). It keeps no state
outside the store and may be killed at any time: the drivers go on, and the next controller on their
host finds them by process id and start time.
Several controllers may run side by side, also on one host: each looks after the jobs that it has
claimed, and after those of a controller on its host that is gone.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from results.errors import LeaseLost, StoreUnavailable
from results.records import DriverProcess, Failure, Lease, LeasedJob
from results.shares import TURN_SECONDS
from results.spec import JobSpec
from results.states import FailureKind, JobState
from results.storage import Storage
from results.store import Store, open_store
from service import logs
from service.disk import disk_problem
from service.engine import leases, processes
from service.engine.channel import WARM_SECONDS
from service.engine.cluster import is_reachable
from service.engine.driver_processes import Child, Drivers, end_hanging, forget_runs
from service.engine.leftovers import start_sweeps
from service.log_lines import log_state
from service.settings import Settings, settings_or_exit

logger = logging.getLogger("service.engine.controller")

POLL_SECONDS = 0.2
#: A driver that was told to end, and its trials, get this long before they are killed. A driver
#: ends at once and Ray then ends the trials within a second, so what is left after this time hangs.
#: With the controller's own looks nothing of a cancelled job is left on this host after 3 s.
PATIENCE_SECONDS = 1.5
#: After failing to start a driver, claim nothing for this long so that other controllers can.
REST_SECONDS = 5.0
_PREFIX, _SUFFIX = "controller-", ".heartbeat"


def heartbeat_file(settings: Settings) -> Path:
    """Return the file that is touched at every step, whose age shows a hanging controller.

    Its name has the host, since controllers in several containers may share a data folder.
    """
    return settings.data_dir / f"{_PREFIX}{processes.host_name()}{_SUFFIX}"


def heartbeats(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield the host and the file of each controller that has touched one in this data folder."""
    for file in sorted(settings.data_dir.glob(f"{_PREFIX}*{_SUFFIX}")):
        yield file.name.removeprefix(_PREFIX).removesuffix(_SUFFIX), file


class Controller:
    """One controller; :meth:`run` loops until :meth:`stop`.

    ``wall_clock`` goes on while the machine sleeps, ``clock`` does not.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._settings = store, settings
        self._clock, self._wall_clock = clock, wall_clock
        self._give_back = partial(leases.give_back, store, settings)
        self._finish = partial(leases.finish, store, settings)
        self._owner = processes.owner_name()
        #: The jobs that it looks after, and the drivers that it has started.
        self._mine: dict[str, tuple[LeasedJob, DriverProcess]] = {}
        self._drivers = Drivers(settings, clock)
        #: Since when something of the job is to end.
        self._ending_since: dict[str, float] = {}
        self._rests_until = 0.0
        #: When it last saw that the next job had no slot, and when it last claimed one.
        self._full_at, self._claimed_at = -math.inf, clock()
        self._problem: str | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work until stopped; an unreachable store is waited for."""
        most = self._settings.max_concurrent_jobs
        logger.info("controller %s: at most %d jobs", self._owner, most)
        start_sweeps(
            self._store, Storage(self._settings.storage_uri), self._stopped,
            event_days=self._settings.event_days,
        )  # fmt: skip
        forget_runs(self._settings)
        since = self._wall_clock()
        while not self._stopped.wait(POLL_SECONDS):
            if self._wall_clock() - since > self._settings.lease_seconds / 3:
                # The machine has slept, say: let live drivers renew their leases first.
                self._rest()
            try:
                self.step()
            except StoreUnavailable as error:
                logger.warning("the store is unavailable: %s", error)
            since = self._wall_clock()

    def stop(self) -> None:
        """Leave the loop after the current step; drivers run on."""
        self._stopped.set()

    def step(self) -> None:
        """Look after every running job once, then claim new ones while there is room."""
        self._check_folder()
        self._drivers.look()
        mine = self._mine = self._driven_here()
        # First of all: a driver that hangs in a write to SQLite locks everybody out of the store.
        for job_id, (leased, driver) in mine.items():
            if leased.expired and not self._is_resting and not self._drivers.is_starting(job_id):
                end_hanging(job_id, driver)
        for job_id, (leased, driver) in mine.items():
            self._look_after(job_id, leased.state, leased.lease, driver)
        for job_id, child in self._drivers.strays(mine.keys()).items():
            self._end_stray(job_id, child)
        known = mine.keys() | self._drivers.with_job().keys()
        self._ending_since = {j: since for j, since in self._ending_since.items() if j in known}
        if not self._is_resting:
            room = self._settings.max_concurrent_jobs - len(mine) if self._can_start() else 0
            self._claim(to_run=room > 0)
            self._store.share_slots()
            self._drivers.keep_spares(room)

    def end_drivers(self) -> None:
        """End its drivers and put their jobs back into the queue, as the service shuts down.

        While the store is away, the drivers that it named last are ended; their jobs go on once
        their leases have run out.
        """
        try:
            self._mine = self._driven_here()
            self._end_processes()
            for leased, _ in self._mine.values():
                if leased.state is JobState.CANCELLING:
                    self._finish(leased.lease, JobState.CANCELLED)
                else:
                    self._give_back(leased.lease, lost=False)
        except StoreUnavailable as error:
            logger.warning("the store is unavailable: %s; jobs go on with another lease", error)
            self._end_processes()

    def _end_processes(self) -> None:
        drivers = [driver for _, driver in self._mine.values()]
        drivers += self._drivers.close(self._mine.keys())
        processes.end_trees(drivers, patience_s=PATIENCE_SECONDS)
        for driver in drivers:
            processes.kill_all(processes.trial_processes(driver))

    def _driven_here(self) -> dict[str, tuple[LeasedJob, DriverProcess]]:
        """Return each job that this controller looks after, and its driver.

        A job that another controller has just claimed may still name its former driver, so only
        the holder of the lease acts on it.
        """
        return {
            job_id: (leased, leased.driver)
            for job_id, leased in self._store.leased_jobs().items()
            if leased.driver is not None
            and leased.driver.host == processes.host_name()
            and (leased.lease.owner == self._owner or processes.owner_is_gone(leased.lease.owner))
        }

    def _can_start(self) -> bool:
        return not self._problem and is_reachable(self._settings.ray_address)

    def _check_folder(self) -> None:
        """Touch the heartbeat file, and see whether a driver has room for its files."""
        problem = disk_problem(self._settings)
        try:
            heartbeat_file(self._settings).touch()
        except OSError as error:
            problem = problem or str(error)
        if problem and not self._problem:
            logger.warning("no job is claimed until this is mended: %s", problem)
        self._problem = problem

    def _rest(self) -> None:
        self._rests_until = self._clock() + REST_SECONDS

    @property
    def _is_resting(self) -> bool:
        return self._clock() < self._rests_until

    def _claim(self, *, to_run: bool) -> None:
        """Claim a job; unless ``to_run``, only one whose lost driver left it to be ended.

        A queued job is left in the queue until it has a slot: a driver that waits for one takes
        memory, and to start it takes seconds from those that have one.
        """
        new = to_run and self._is_next_for_us()
        seconds = self._settings.lease_seconds
        lease = self._store.claim_job(self._owner, seconds, to_run=to_run, new=new)
        if lease is None:
            return
        self._claimed_at = self._clock()
        job = self._store.job(lease.job_id)
        leased = self._store.leased_jobs().get(lease.job_id)
        if leased is not None and leased.driver is not None:
            end_hanging(lease.job_id, leased.driver)  # before another driver begins
            forget_runs(self._settings)
        if job.state is JobState.CANCELLING:
            self._finish(lease, JobState.CANCELLED)
        elif job.state is JobState.PAUSING:
            self._give_back(lease, lost=False)
        elif job.claims > self._settings.max_claims:
            message = (
                f"the job's driver was lost {job.claims - 1} times: see the job's log for the "
                "reason, then retry the job"
            )
            self._finish(
                lease,
                JobState.FAILED,
                Failure(FailureKind.WORKER_LOST, message),
            )
        else:
            self._store.share_slots()  # so that the driver begins with its share
            self._start_driver(lease, job.spec)

    def _is_next_for_us(self) -> bool:
        """Whether it is time for the next job of the queue, and no other driver should take it.

        It is once the job has a slot, or is to take turns with the others: where none was claimed
        for as long as a turn lasts. One that waited for its slot goes to a driver that has just
        given one back, of whichever controller: that one still has a trial process.
        """
        if self._clock() - self._claimed_at >= TURN_SECONDS:
            return True
        if not self._store.next_has_slot():
            self._full_at = self._clock()
            return False
        return self._drivers.warm is not None or self._clock() - self._full_at > WARM_SECONDS

    def _start_driver(self, lease: Lease, spec: JobSpec) -> None:
        try:
            self._drivers.look()  # one that has ended a job since may take this one at once
            child = self._drivers.take(lease, spec)
        except OSError as error:
            # The machine's fault, not the job's: that start does not count.
            logger.error("job %s: no driver could be started: %s", lease.job_id, error)
            self._rest()
            self._give_back(lease, lost=False)
            return
        if self._record_driver(lease, child):
            child.give(lease)
            pid = child.process.pid
            logger.info("job %s: driver %d, token %d", lease.job_id, pid, lease.token)
            log_state(logger, lease.job_id, JobState.RUNNING)

    def _record_driver(self, lease: Lease, child: Child) -> bool:
        """Record the driver so that any controller can find it; kill it if that fails."""
        try:
            self._store.set_driver(lease, processes.identity(child.process.pid))
        except LeaseLost as error:  # this process was stopped for longer than the lease lasts
            self._drivers.kill(child)
            logger.warning("job %s: %s", lease.job_id, error)
            return False
        except BaseException:
            self._drivers.kill(child)
            raise
        return True

    def _look_after(
        self, job_id: str, state: JobState, lease: Lease, driver: DriverProcess
    ) -> None:
        running = processes.find(driver)
        if state is JobState.CANCELLING:
            if running is None:
                self._end_trials(lease, driver)
            else:
                self._end_driver(job_id, driver)
        elif running is None:
            self._give_back(lease, lost=True)
        elif self._drivers.is_starting(job_id):
            try:
                self._store.renew_lease(lease, self._settings.lease_seconds)
            except LeaseLost:
                logger.debug("job %s ended between two looks of the controller", job_id)

    def _is_late(self, job_id: str, patience_s: float) -> bool:
        """Whether something of the job has been to end for longer than ``patience_s`` seconds."""
        since = self._ending_since.setdefault(job_id, self._clock())
        return self._clock() - since > patience_s

    def _end_driver(self, job_id: str, driver: DriverProcess) -> None:
        late = self._is_late(job_id, PATIENCE_SECONDS)
        try:
            os.killpg(driver.pid, signal.SIGKILL if late else signal.SIGTERM)
        except ProcessLookupError:
            logger.info("job %s: its driver has just ended", job_id)

    def _end_trials(self, lease: Lease, driver: DriverProcess) -> None:
        """Call the job cancelled once no trial process of its driver is left on this host.

        Ray ends them when their driver has gone; one that is still there after a while is killed.
        """
        left = processes.trial_processes(driver)
        if not left:
            self._ending_since.pop(lease.job_id, None)
            self._finish(lease, JobState.CANCELLED)
        elif self._is_late(lease.job_id, PATIENCE_SECONDS):
            processes.kill_all(left)

    def _end_stray(self, job_id: str, child: Child) -> None:
        """Kill a driver that runs on long after its job has ended or has gone to another host.

        It hangs, or its heartbeat would have ended it; its trials would keep their slots.
        """
        if self._is_late(job_id, self._settings.lease_seconds):
            logger.warning("job %s: its former driver hangs; ending it", job_id)
            self._drivers.kill(child)


def _stop_without_parent(controller: Controller, parent: int) -> None:
    """Stop when the service that started this process is gone; its drivers run on."""
    while os.getppid() == parent:
        time.sleep(1.0)
    controller.stop()


def main() -> None:
    """Run a controller until SIGTERM (which ends its drivers too) or until its parent is gone."""
    settings = settings_or_exit()
    logs.configure(settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
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
