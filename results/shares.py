"""How many trials each running job may run at a time: the jobs' shares of the cluster.

Weighted max-min fairness: each next slot goes to the job with the fewest slots per weight (the
"progressive filling" of Bertsekas and Gallager, "Data Networks", 1992, 6.5.2).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

#: With more jobs than fit, each keeps its slots, or waits, for at least so many seconds.
TURN_SECONDS = 10.0

#: A job that has waited so many times as long as it should cuts the turns of others short.
_PATIENCE = 2
# How long something lasts that seems to begin later: the clock was set back since.
_LONG_SECONDS = 1e9
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
    trial fit. Where not every job fits with one slot, they take turns (:func:`time_shares`), and a
    job without one has 0 slots. ``now`` is in seconds since 1970. A cluster of 0 CPUs is one that
    is not known yet: every job has one slot.

    A job without trials to run, or whose trial is larger than the cluster, has one slot that
    costs nothing: nothing runs in it.
    """
    slots = {job.job_id: 1 for job in jobs}
    if cpu <= 0:
        return slots
    room = _Room(cpu, gpu)
    costly = [job for job in jobs if job.demand > 0 and room.fits(job)]
    placed = _place(costly, time_shares(costly, cpu, gpu), room, now)
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


def time_shares(jobs: Sequence[Sharing], cpu: float, gpu: float) -> dict[str, float]:
    """Return the part of the time, above 0 to 1, in which each job is to have a slot, by its id.

    They are in proportion to the priorities, except that no job has more than all of the time; the
    CPUs and the GPUs that are in use on average are no more than there are.
    """
    by_cpu = _parts([(job.priority, job.cpu) for job in jobs], cpu)
    by_gpu = _parts([(job.priority, job.gpu) for job in jobs], gpu)
    return {job.job_id: min(both) for job, *both in zip(jobs, by_cpu, by_gpu, strict=True)}


def _parts(costs: Sequence[tuple[int, float]], room: float) -> list[float]:
    """Return how much of its cost each job has on average, of (priority, cost) pairs."""
    parts = [1.0] * len(costs)
    left = sorted((n for n in range(len(costs)) if costs[n][1] > 0), key=lambda n: -costs[n][0])
    while left:
        part = room / sum(costs[n][0] * costs[n][1] for n in left)  # of one with priority 1
        if costs[left[0]][0] * part < 1:
            for n in left:
                parts[n] = costs[n][0] * part
            break
        room -= costs[left.pop(0)][1]
    return parts


def _place(
    jobs: Sequence[Sharing], parts: Mapping[str, float], room: _Room, now: float
) -> list[Sharing]:
    """Return the jobs that have a slot, for which the room is taken.

    Nobody overtakes a waiting job that does not fit yet; a job that has a slot keeps it as long as
    nobody before it needs the room.
    """
    placed, someone_waits = [], False
    for job in _line(jobs, parts, now):
        if room.fits(job) and (job.slots or not someone_waits):
            room.take(job)
            placed.append(job)
        elif not job.slots:
            someone_waits = True
    return placed


def _line(jobs: Sequence[Sharing], parts: Mapping[str, float], now: float) -> list[Sharing]:
    """Return the jobs in the order in which they get their first slot.

    First those whose turn lasts, then those that have waited long enough, then those whose turn
    is over, last those that could best do without. A job that has not shared yet need not wait,
    and it cuts turns short, as one does that waits for long: where trials differ in size, turns
    that follow the parts of the time alone may never leave room for a large one.
    """
    running = [job for job in jobs if job.slots]
    waited = {
        job.job_id: _age(job, now) / _wait_seconds(parts[job.job_id])
        for job in jobs
        if not job.slots
    }
    waiting = sorted(
        (job for job in jobs if not job.slots),
        key=lambda job: (job.since is None, -waited[job.job_id], -job.priority, job.order),
    )
    ready = list(takewhile(lambda job: job.since is None or waited[job.job_id] >= 1, waiting))
    is_urgent = any(job.since is None or waited[job.job_id] >= _PATIENCE for job in ready)
    turns = {job.job_id: _turn_seconds(parts[job.job_id]) for job in running}

    def lasts(job: Sharing) -> bool:
        return _age(job, now) < (TURN_SECONDS if is_urgent else turns[job.job_id])

    in_turn = sorted(filter(lasts, running), key=lambda job: (-(job.since or now), job.order))
    over = sorted(
        (job for job in running if not lasts(job)),
        key=lambda job: (_age(job, now) / turns[job.job_id], job.order),
    )
    return [*in_turn, *ready, *over, *waiting[len(ready) :]]


def _age(job: Sharing, now: float) -> float:
    """Return for how many seconds the job has had slots, or none."""
    seconds = 0.0 if job.since is None else now - job.since
    return seconds if seconds >= 0 else _LONG_SECONDS


def _turn_seconds(part: float) -> float:
    """Return how long a job with this part of the time has slots when its turn has come."""
    return TURN_SECONDS * max(1.0, part / (1 - part)) if part < 1 else math.inf


def _wait_seconds(part: float) -> float:
    """Return how long it then waits: it has slots in ``part`` of the time."""
    return _turn_seconds(part) * (1 - part) / part if part < 1 else TURN_SECONDS


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
