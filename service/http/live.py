"""Looks at the store that many share: open event streams, and answers that show a job."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fastapi.concurrency import run_in_threadpool

from results.errors import StoreUnavailable
from results.records import JobRecord
from results.states import JobState
from results.store import Store
from service.http.waiting import Fleet

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
#: The states of a job whose trials report epochs: what changes in between is no event.
_REPORTING = (JobState.RUNNING, JobState.PAUSING)
_MOST_JOBS = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What the store held at one moment: the last event's id and the jobs that run, by id.

    Of two looks, the one with the larger ``number`` was taken later, or as late.
    """

    last: int
    running: Mapping[str, JobRecord]
    fleet: Fleet
    number: int = field(default_factory=itertools.count(1).__next__, compare=False)


def read_fleet(store: Store, running: Iterable[JobRecord], max_jobs: int) -> Fleet:
    """Return the fleet of these running jobs."""
    return Fleet.of(running, max_jobs, is_full=not store.next_has_slot())


def read_running(store: Store) -> list[JobRecord]:
    """Return the jobs that run or are pausing."""
    pages = (store.jobs(state=state, limit=_MOST_JOBS) for state in _REPORTING)
    return [job for page in pages for job in page.items]


class RecentFleet:
    """The shares of the running jobs, read anew after ``keep_seconds``: each answer needs them."""

    def __init__(
        self,
        store: Store,
        max_jobs: int,
        *,
        keep_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._max_jobs = store, max_jobs
        self._keep_seconds, self._clock = keep_seconds, clock
        self._known: tuple[float, Fleet] | None = None

    def read(self) -> Fleet:
        """Return the fleet as it is, or was ``keep_seconds`` ago at the most."""
        known, now = self._known, self._clock()
        if known is None or now - known[0] >= self._keep_seconds:
            fleet = read_fleet(self._store, read_running(self._store), self._max_jobs)
            known = self._known = now, fleet
        return known[1]


class Live:
    """Looks at the store for those that wait for a change, once for all of them."""

    def __init__(self, store: Store, max_jobs: int, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._store, self._max_jobs, self._poll_seconds = store, max_jobs, poll_seconds
        self._coming: asyncio.Task[Look | None] | None = None

    async def now(self) -> Look | None:
        """Return what the store holds now, None if it does not answer."""
        return await run_in_threadpool(self._look)

    async def next(self) -> Look | None:
        """Return the next look, at most ``poll_seconds`` and a read from now.

        Nobody looks while nobody waits. A look that is on its way when its last waiter leaves
        comes to its end alone.
        """
        loop = asyncio.get_running_loop()
        coming = self._coming
        if coming is None or coming.done() or coming.get_loop() is not loop:
            coming = self._coming = loop.create_task(self._later())
        return await asyncio.shield(coming)

    async def _later(self) -> Look | None:
        await asyncio.sleep(self._poll_seconds)
        return await self.now()

    def _look(self) -> Look | None:
        try:
            # The id first: what comes in between is seen again by the next look.
            last, jobs = self._store.last_event(), read_running(self._store)
            fleet = read_fleet(self._store, jobs, self._max_jobs)
        except StoreUnavailable as error:
            logger.warning("event streams end: %s", error)
            return None
        return Look(last, {job.id: job for job in jobs}, fleet)
