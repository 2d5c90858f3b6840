"""Keeps a driver's lease in the background, and ends a driver that must not run any longer."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from results.errors import LeaseLost, StoreUnavailable
from results.records import Held, Lease
from results.states import JobState
from results.store import Store
from service.engine.allowance import Allowance
from service.engine.cluster import is_reachable
from service.logs import limit_log
from service.settings import Settings

logger = logging.getLogger("service.engine.driver")

#: Exit status of a driver that stopped without finishing its job; another one may go on.
EXIT_UNFINISHED = 75
#: The job's share of the slots is read this often, too.
HEARTBEAT_SECONDS = 0.5
#: Heartbeats without an answer from Ray's head after which the driver gives up.
RAY_SILENCE = 10


def end_process() -> None:
    """End this process at once.

    Ray ends a dead driver's trial processes within a second, while a polite shutdown waits for
    each trial.
    """
    logging.shutdown()
    os._exit(EXIT_UNFINISHED)


class Heartbeat:
    """Renews the lease, keeps the job's allowance up to date, and cuts its log to its size.

    It ends the driver when the lease is lost or cannot be renewed in time, when the job is
    cancelled, when Ray does not answer, and when a heartbeat itself fails.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        settings: Settings,
        allowance: Allowance,
        *,
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._store, self._lease, self._settings = store, lease, settings
        self._allowance = allowance
        self._clock, self._end_process = clock, end
        self._stopped = threading.Event()
        self._renewed = clock()
        #: When the renewal that is under way began.
        self._asked: float | None = None
        self._silence = 0

    def start(self) -> None:
        """Start two threads: one for the heartbeats, one that notices when a renewal hangs."""
        for action in (self.beat, self.check_renewal):
            threading.Thread(target=self._repeat, args=(action,), daemon=True).start()

    def stop(self) -> None:
        """Stop beating and end nothing any more; the lease stays as it is."""
        self._stopped.set()

    def _repeat(self, action: Callable[[], None]) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            try:
                action()
            except Exception:
                # The edge of this thread: without it the lease would run out under the driver.
                logger.exception("the heartbeat failed")
                self._end("its heartbeat failed")

    def beat(self) -> None:
        """Renew the lease and do what the job's state and Ray's silence ask for."""
        try:
            held = self._renew()
        except LeaseLost as error:
            self._end(str(error))
            return
        except StoreUnavailable as error:
            logger.warning("the lease could not be renewed: %s", error)
            if self._clock() - self._renewed > self._settings.lease_seconds:
                self._end("the lease has run out while the store could not be reached")
            return
        self._allowance.slots = held.slots
        if held.state is JobState.CANCELLING:
            self._end("the job was cancelled")
        is_pausing = held.state is JobState.PAUSING
        if is_pausing and not self._allowance.pausing:
            logger.info("the job is pausing: its trials end, and no other one starts")
        self._allowance.pausing = is_pausing
        limit_log(self._settings.log_file(self._lease.job_id), self._settings.max_log_bytes)
        self._silence = 0 if is_reachable(self._settings.ray_address) else self._silence + 1
        if self._silence >= RAY_SILENCE:
            self._end("Ray's head does not answer")

    def _renew(self) -> Held:
        self._asked = self._clock()
        try:
            held = self._store.renew_lease(self._lease, self._settings.lease_seconds)
        finally:
            self._asked = None
        self._renewed = self._clock()
        return held

    def check_renewal(self) -> None:
        """End the driver when a renewal hangs; a locked database holds it longer than a lease."""
        asked = self._asked
        if asked is not None and self._clock() - asked > self._settings.lease_seconds:
            self._end("the store has not answered for as long as the lease lasts")

    def _end(self, reason: str) -> None:
        if self._stopped.is_set():
            return  # a renewal that was under way finds that the job has been finished
        logger.error("driver stops: %s", reason)
        self._end_process()
