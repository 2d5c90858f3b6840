"""The thread that keeps a driver's lease, and ends a driver that must not run any longer."""

from __future__ import annotations

import logging
import os
import threading
import time

from results.errors import LeaseLost, StoreUnavailable
from results.records import Lease
from results.states import JobState
from results.store import Store
from service.engine.cluster import is_reachable
from service.engine.pause_gate import PauseGate
from service.logs import limit_log
from service.settings import Settings

logger = logging.getLogger("service.engine.driver")

#: Exit status of a driver that stopped without finishing its job; somebody else may go on.
EXIT_UNFINISHED = 75
HEARTBEAT_SECONDS = 1.0
#: Heartbeats without an answer from Ray's head after which the driver gives up.
RAY_SILENCE = 5


class Heartbeat(threading.Thread):
    """Renews the lease, closes the gate of a pausing job, and ends a process that must not run.

    The process is ended with ``os._exit``: Ray ends a dead driver's trial processes within a
    second, while a polite shutdown waits for each trial.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        settings: Settings,
        gate: PauseGate,
        *,
        every_s: float = HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._store, self._lease, self._settings, self._gate = store, lease, settings, gate
        self._every_s = every_s
        self._stopped = threading.Event()
        #: When the renewal that is under way began (seconds of the monotonic clock).
        self._asked: float | None = None

    def run(self) -> None:
        """Beat until stopped; a driver whose heart fails for whatever reason ends."""
        threading.Thread(target=self._watch, name="heartbeat-watch", daemon=True).start()
        try:
            self._beat()
        except Exception:
            # The edge of this thread: without it the lease would run out under a driver at work.
            logger.exception("the heartbeat failed")
            self._end("its heartbeat failed")

    def _beat(self) -> None:
        renewed, silence = time.monotonic(), 0
        while not self._stopped.wait(self._every_s):
            try:
                state = self._renew()
                renewed = time.monotonic()
            except LeaseLost as error:
                self._end(str(error))
                continue
            except StoreUnavailable as error:
                logger.warning("the lease could not be renewed: %s", error)
                if time.monotonic() - renewed > self._settings.lease_seconds:
                    self._end("the lease has run out while the store could not be reached")
                continue
            if state is JobState.CANCELLING:
                self._end("the job was cancelled")
            if state is JobState.PAUSING and not self._gate.closed:
                logger.info("the job is pausing: running trials finish, no other one starts")
                self._gate.closed = True
            limit_log(self._settings.log_file(self._lease.job_id), self._settings.max_log_bytes)
            silence = 0 if is_reachable(self._settings.ray_address) else silence + 1
            if silence >= RAY_SILENCE:
                self._end("Ray's head does not answer")

    def _renew(self) -> JobState:
        self._asked = time.monotonic()
        try:
            return self._store.renew_lease(self._lease, self._settings.lease_seconds)
        finally:
            self._asked = None

    def _watch(self) -> None:
        """End the process when a renewal hangs: a locked database holds it longer than a lease."""
        while not self._stopped.wait(self._every_s):
            asked = self._asked
            if asked is not None and time.monotonic() - asked > self._settings.lease_seconds:
                self._end("the store has not answered for as long as the lease lasts")

    def stop(self) -> None:
        """Stop beating and end nothing any more; the lease stays as it is."""
        self._stopped.set()

    def _end(self, reason: str) -> None:
        if self._stopped.is_set():
            return  # a renewal that was under way finds the lease given up
        logger.error("driver stops: %s", reason)
        logging.shutdown()
        os._exit(EXIT_UNFINISHED)
