"""Why a job or its next trial waits, in words, from the jobs that share the cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from results.formatting import count, parameter_value
from results.records import JobRecord
from results.states import JobState


@dataclass(frozen=True, slots=True)
class Share:
    """What a running job has of the cluster: its slots, and how many of its trials run."""

    slots: int
    running: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running jobs' shares by the jobs' ids, and how many jobs a controller runs at once.

    ``is_full`` says that the next job of the queue would have no slot.
    """

    shares: dict[str, Share]
    max_jobs: int
    is_full: bool = False

    @classmethod
    def of(cls, jobs: Iterable[JobRecord], max_jobs: int, *, is_full: bool = False) -> Fleet:
        """Return the fleet of these running jobs."""
        shares = {job.id: Share(job.slots or 0, job.progress.running) for job in jobs}
        return cls(shares, max_jobs, is_full)

    @property
    def slots(self) -> int:
        """The slots of all running jobs."""
        return sum(share.slots for share in self.shares.values())


def waiting(job: JobRecord, fleet: Fleet) -> str | None:
    """Return why ``job`` or its next trial waits, None if it does not.

    A job whose trials fill its slots does not wait, although it may have more trials to run.
    """
    if job.state is JobState.QUEUED:
        return _for_a_controller(fleet)
    if job.state is not JobState.RUNNING or job.slots is None or not _has_use_of_a_slot(job):
        return None
    if job.slots == 0:
        return _for_its_turn(fleet)
    others = (share for key, share in fleet.shares.items() if key != job.id)
    if any(share.running > share.slots for share in others):
        return "for a slot that a trial of another job gives back at its next checkpoint"
    if job.progress.running > 0:  # between one trial's end and the next one's start
        return None
    return f"for a node with room for a trial ({_needs(job)}), or for its process to start"


def _has_use_of_a_slot(job: JobRecord) -> bool:
    """Whether another trial of a running job could run now, its share alone considered."""
    progress = job.progress
    most = min(job.spec.max_concurrent_trials or progress.trials, max(1, job.slots or 0))
    left = progress.trials - progress.finished - progress.running - progress.paused
    return left > 0 and progress.running < most


def _for_a_controller(fleet: Fleet) -> str:
    running = len(fleet.shares)
    if running >= fleet.max_jobs:
        jobs = count(running, "running job")
        return (
            f"behind {jobs}: a controller runs {fleet.max_jobs} at once "
            "(ARGBEST_MAX_CONCURRENT_JOBS)"
        )
    if fleet.is_full and fleet.slots:
        return _for_its_turn(fleet)
    return "for a controller to take it; if that takes long, GET /readyz says what is missing"


def _for_its_turn(fleet: Fleet) -> str:
    if fleet.slots == 0:
        return "for a node: the cluster has no room for any trial now"
    jobs, slots = count(len(fleet.shares), "job"), count(fleet.slots, "slot")
    share = "shares" if len(fleet.shares) == 1 else "share"
    return f"for its turn: {jobs} {share} {slots}"


def _needs(job: JobRecord) -> str:
    gpu = f", {parameter_value(job.spec.gpu)} GPU" if job.spec.gpu else ""
    return f"{parameter_value(job.spec.cpu)} CPU{gpu}"
