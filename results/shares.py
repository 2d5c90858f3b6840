"""How many trials each running job may run at a time: the jobs' shares of the cluster.

Weighted max-min fairness: each next slot goes to the job with the fewest slots per weight (the
"progressive filling" of Bertsekas and Gallager, "Data Networks", 1992, 6.5.2).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

#: With more jobs than fit, a job keeps its slots for so many seconds times its priority.
TURN_SECONDS = 10.0

# Sums of fractions of a CPU may be off by this much.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Sharing:
    """A job that shares the cluster.

    ``order`` is smaller for older jobs, ``priority`` (1 to 100) is its weight. One of its slots
    costs ``cpu`` and ``gpu``. ``demand`` counts the trials that could still use a slot;
    ``max_concurrent_trials`` is the job's own limit. ``slots`` is what it has now (None: it has not
    shared yet), ``since`` the time at which its slots last went to or from 0, in seconds since 1970
    (None: it has not shared yet).
    """

    job_id: str
    order: int
    priority: int
    cpu: float
    gpu: float
    demand: int
    max_concurrent_trials: int | None = None
    slots: int | None = None
    since: float | None = None

    @property
    def most(self) -> int:
        """The most slots that the job can use; at least one."""
        limit = self.demand if self.max_concurrent_trials is None else self.max_concurrent_trials
        return max(1, min(self.demand, limit))


def share(jobs: Sequence[Sharing], cpu: float, gpu: float, now: float) -> dict[str, int]:
    """Return the slots of each job, by its id, on a cluster of so many CPUs and GPUs.

    Every job has at least one. Each further slot goes to the job with the fewest slots per
    priority, the oldest of equal ones, among those that have trials for it and whose limit and
    trial fit. Where not every job fits with one slot, they take turns: a turn lasts
    ``TURN_SECONDS`` times the priority, and a job without one has 0 slots. ``now`` is in seconds
    since 1970. A cluster of 0 CPUs is one that is not known yet: every job has one slot.

    A job without trials to run, or whose trial is larger than the cluster, has one slot that
    costs nothing: nothing runs in it.
    """
    slots = {job.job_id: 1 for job in jobs}
    if cpu <= 0:
        return slots
    room = _Room(cpu, gpu)
    costly = [job for job in jobs if job.demand > 0 and room.fits(job)]
    placed = _place(costly, room, now)
    slots |= {job.job_id: 0 for job in costly if job not in placed}
    _fill(placed, room, slots)
    return slots


@dataclass(slots=True)
class _Room:
    """The CPUs and GPUs that are left."""

    cpu: float
    gpu: float

    def fits(self, job: Sharing) -> bool:
        return job.cpu <= self.cpu + _TOLERANCE and job.gpu <= self.gpu + _TOLERANCE

    def take(self, job: Sharing) -> None:
        self.cpu -= job.cpu
        self.gpu -= job.gpu


def _place(jobs: Iterable[Sharing], room: _Room, now: float) -> list[Sharing]:
    """Return the jobs that have a slot, for which the room is taken.

    Nobody overtakes a waiting job that does not fit yet; a job that has a slot keeps it as long as
    nobody before it needs the room.
    """
    placed, someone_waits = [], False
    for job in _line(jobs, now):
        if room.fits(job) and (job.slots or not someone_waits):
            room.take(job)
            placed.append(job)
        elif not job.slots:
            someone_waits = True
    return placed


def _line(jobs: Iterable[Sharing], now: float) -> list[Sharing]:
    """Return the jobs in the order in which they get their first slot.

    First those whose turn lasts, then those that wait, then those whose turn is over. A job must
    have waited for ``TURN_SECONDS`` to displace another; otherwise two jobs whose turns end at once
    would displace each other at every call. One that has not shared yet need not wait.
    """
    by_turn = sorted(jobs, key=lambda job: (-(job.since or now), job.order))
    in_turn = [job for job in by_turn if job.slots and _is_within(job, job.priority, now)]
    over = [job for job in by_turn if job.slots and job not in in_turn]
    waiting = sorted(
        (job for job in by_turn if not job.slots),
        key=lambda job: (now if job.since is None else job.since, -job.priority, job.order),
    )
    ready = list(takewhile(lambda job: not _is_within(job, 1, now), waiting))
    return [*in_turn, *ready, *over, *waiting[len(ready) :]]


def _is_within(job: Sharing, turns: int, now: float) -> bool:
    """Whether the job has had a slot, or has waited, for less than so many ``TURN_SECONDS``.

    A time in the future is that of a clock that was set back since: the turn is over.
    """
    return job.since is not None and 0 <= now - job.since < turns * TURN_SECONDS


def _fill(jobs: Collection[Sharing], room: _Room, slots: dict[str, int]) -> None:
    """Give the jobs, which have one slot each, the room that is left."""
    heap = [(1 / job.priority, job.order, job) for job in jobs if job.most > 1]
    heapq.heapify(heap)
    while heap:
        _, order, job = heapq.heappop(heap)
        if not room.fits(job):
            continue  # the room only gets smaller
        room.take(job)
        slots[job.job_id] += 1
        if slots[job.job_id] < job.most:
            heapq.heappush(heap, (slots[job.job_id] / job.priority, order, job))
