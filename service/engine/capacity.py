"""Notes in the store how many CPUs and GPUs Ray has, for the sharing among the jobs."""

from __future__ import annotations

import logging
import threading

import ray
from ray.exceptions import RayError

from results.errors import StoreUnavailable
from results.store import Store
from service.engine.ray_connection import capacity

logger = logging.getLogger("service.engine.driver")

WATCH_SECONDS = 0.5


class CapacityWatch(threading.Thread):
    """Notes the capacity once this process is connected to Ray, and whenever it changes.

    A thread of its own: a heartbeat must not wait for a Ray that does not answer.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(name="capacity", daemon=True)
        self._store = store
        self._noted: tuple[float, float] | None = None

    def run(self) -> None:
        """Look again and again, until the process ends."""
        pause = threading.Event()
        while not pause.wait(WATCH_SECONDS):
            self.look()

    def look(self) -> None:
        """Note the capacity if it is another than last time."""
        if not ray.is_initialized():
            return
        try:
            found = capacity()
            if found != self._noted:
                self._store.note_capacity(*found)
                self._noted = found
        except (RayError, RuntimeError, OSError, StoreUnavailable) as error:
            logger.warning("Ray's capacity could not be noted: %s", error)
