"""Looks after what `argbest serve` started: the controller and the local Ray head."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

from results.store import open_store
from service.engine.cluster import ClusterError
from service.engine.controller import Controller, heartbeat_file
from service.engine.head import Head, head_is_running, start_head, stop_head
from service.settings import Settings

logger = logging.getLogger("service.serve")

WATCH_SECONDS = 1.0
CONTROLLER_STOP_SECONDS = 20.0
#: A controller that has not finished a step for this long hangs; it waits for no database so long.
HANG_SECONDS = 60.0
#: Checks in a row that find no Ray head after which it is replaced.
HEAD_SILENCE = 3


class Supervisor(threading.Thread):
    """Keeps one controller process and the local Ray head running.

    A new head has another address: ``on_new_head`` is called with the settings that name it.
    """

    def __init__(
        self,
        settings: Settings,
        head: Head | None,
        on_new_head: Callable[[Settings], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="supervisor", daemon=True)
        self._settings, self._head, self._on_new_head = settings, head, on_new_head
        self._clock = clock
        self._silence = 0
        self._stopped = threading.Event()
        #: The time of the controller's last heartbeat, and when this process first saw it.
        self._heartbeat: float | None = None
        self._seen = 0.0
        self._controller = self._start_controller()

    def run(self) -> None:
        """Check until stopped."""
        while not self._stopped.wait(WATCH_SECONDS):
            try:
                self.check()
            except Exception:
                # The edge of this thread: a full disk, say, must not end it for good.
                logger.exception("looking after Ray and the controller failed; trying again")

    def check(self) -> None:
        """Start again what has died or hangs."""
        if self._head is not None and self._is_gone(self._head):
            self._replace_head(self._head)
        if self._stopped.is_set():  # meanwhile: another controller would begin with jobs
            return
        if self._controller.poll() is None and self._hangs():
            logger.error("the controller has hung for %g s; killing it", HANG_SECONDS)
            self._controller.kill()
            self._controller.wait()
        if self._controller.poll() is not None:
            status = self._controller.returncode
            logger.error("the controller ended with %s; starting it", status)
            self._controller = self._start_controller()

    def _hangs(self) -> bool:
        """Whether the heartbeat file has not been touched for a while, by this process's clock."""
        heartbeat = heartbeat_file(self._settings).stat().st_mtime
        if heartbeat != self._heartbeat:
            self._heartbeat, self._seen = heartbeat, self._clock()
        return self._clock() - self._seen > HANG_SECONDS

    def _is_gone(self, head: Head) -> bool:
        self._silence = 0 if head_is_running(head) else self._silence + 1
        return self._silence >= HEAD_SILENCE

    def _replace_head(self, lost: Head) -> None:
        """Start another head; running jobs go back to the queue.

        :meth:`check` then starts a controller that has its address. If no head comes up, both are
        tried again.
        """
        logger.error("the Ray head at %s is gone (see ray.log); starting another", lost.address)
        self._end_controller()
        stop_head(self._settings, lost)
        try:
            head = start_head(self._settings, lambda: not self._stopped.is_set())
        except ClusterError as error:
            logger.error("%s", error)
            return
        self._head, self._silence = head, 0
        self._settings = with_head(self._settings, head)
        self._on_new_head(self._settings)
        logger.info("Ray is back at %s", head.address)

    def _start_controller(self) -> subprocess.Popen[bytes]:
        heartbeat_file(self._settings).touch()
        return subprocess.Popen(
            [sys.executable, "-m", "service.engine.controller"],
            env={**os.environ, **self._settings.environment()},
        )

    def end(self) -> None:
        """Stop checking and end the controller, which ends its drivers first."""
        self._stopped.set()
        self.join()
        self._end_controller()
        # A controller that was killed, or was told to end while it still started, ended no driver.
        with closing(open_store(self._settings.store_url)) as store:
            Controller(store, self._settings).end_drivers()

    def _end_controller(self) -> None:
        self._controller.terminate()
        try:
            self._controller.wait(CONTROLLER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.error("the controller did not end; killing it")
            self._controller.kill()
            self._controller.wait()


def with_head(settings: Settings, head: Head) -> Settings:
    """Return the settings with a local head's addresses."""
    update = {"ray_address": head.address, "dashboard_url": head.dashboard_url}
    return settings.model_copy(update=update)
