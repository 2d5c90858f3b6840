"""Looks after what `argbest serve` started: the controller and the local Ray head."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from service.engine.cluster import ClusterError, Head, head_is_running, start_head, stop_head
from service.engine.controller import heartbeat_file
from service.settings import Settings

logger = logging.getLogger("service.serve")

WATCH_SECONDS = 1.0
CONTROLLER_STOP_SECONDS = 20.0
#: A controller without a step for so long hangs: no database is waited for longer.
HANG_SECONDS = 60.0
#: Looks at a Ray head without an answer after which it counts as gone.
HEAD_SILENCE = 3


class Controllers(threading.Thread):
    """Keeps one controller process, and the local Ray head, running.

    A new head has another address: ``tell`` is called with the settings that name it.
    """

    def __init__(
        self, settings: Settings, head: Head | None, tell: Callable[[Settings], None]
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._settings, self._head, self._tell = settings, head, tell
        self._silence = 0
        self._stopped = threading.Event()
        self._touched: float | None = None
        self._touched_at = 0.0
        self._child = self._start()

    def run(self) -> None:
        """Start again what has died, until stopped."""
        while not self._stopped.wait(WATCH_SECONDS):
            try:
                self._look()
            except Exception:
                # The edge of this thread: a full disk, say, must not end the watch for good.
                logger.exception("looking after Ray and the controller failed; trying again")

    def _look(self) -> None:
        if self._head is not None and self._is_gone(self._head):
            self._replace_head(self._head)
        if self._child.poll() is None and self._hangs():
            logger.error("the controller has hung for %g s; killing it", HANG_SECONDS)
            self._child.kill()
            self._child.wait()
        if self._child.poll() is not None:
            logger.error("the controller ended with %s; starting it", self._child.returncode)
            self._child = self._start()

    def _hangs(self) -> bool:
        """Whether its heartbeat file has stayed as it is, whatever the clock does meanwhile."""
        touched = heartbeat_file(self._settings).stat().st_mtime
        if touched != self._touched:
            self._touched, self._touched_at = touched, time.monotonic()
        return time.monotonic() - self._touched_at > HANG_SECONDS

    def _is_gone(self, head: Head) -> bool:
        self._silence = 0 if head_is_running(head) else self._silence + 1
        return self._silence >= HEAD_SILENCE

    def _replace_head(self, lost: Head) -> None:
        """Start another head and a controller that knows it; running jobs go back to the queue.

        The loop starts the controller, also where no head comes up: then both are tried again.
        """
        logger.error("the Ray head at %s is gone (see ray.log); starting another", lost.address)
        self._end_controller()
        stop_head(self._settings, lost)
        try:
            head = start_head(self._settings)
        except ClusterError as error:
            logger.error("%s", error)
            return
        self._head, self._silence = head, 0
        self._settings = naming(self._settings, head)
        self._tell(self._settings)
        logger.info("Ray is back at %s", head.address)

    def _start(self) -> subprocess.Popen[bytes]:
        heartbeat_file(self._settings).touch()
        return subprocess.Popen(
            [sys.executable, "-m", "service.engine.controller"],
            env={**os.environ, **self._settings.environment()},
        )

    def end(self) -> None:
        """End the controller, which ends its drivers first."""
        self._stopped.set()
        self.join()
        self._end_controller()

    def _end_controller(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(CONTROLLER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.error("the controller did not end; killing it")
            self._child.kill()
            self._child.wait()


def naming(settings: Settings, head: Head) -> Settings:
    """Return the settings with a local head's addresses."""
    update = {"ray_address": head.address, "dashboard_url": head.dashboard_url}
    return settings.model_copy(update=update)
