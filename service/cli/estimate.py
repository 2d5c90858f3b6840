"""The time that jobs still take, from the pace at which their epochs have come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.schemas import JobView


@dataclass(slots=True)
class Pace:
    """Seconds per epoch of one job, seen by this process's own clock.

    The server's clock may differ from ours, so only a finished job's own times are used, against
    each other. All trials count together: two at once halve the seconds per epoch.
    """

    seconds_per_epoch: float | None = field(default=None, init=False)
    _first: tuple[float, int] | None = field(default=None, init=False)

    def see(self, job: JobView, now: float) -> None:
        """Take in the job as it is at ``now`` (seconds of a monotonic clock)."""
        done = job.progress.epochs_done
        if job.state != "running":
            # It may be paused, or have ended and be extended: that time trains nothing.
            self._first = None
        if job.started_at and job.finished_at and done:
            whole = (job.finished_at - job.started_at).total_seconds()
            self.seconds_per_epoch = max(0.0, whole - (job.rested or 0.0)) / done
        elif self._first is None or done < self._first[1]:
            # Fewer epochs than before: trials were lost and run again.
            self._first = (now, done) if job.state == "running" else None
        elif done > self._first[1]:
            self.seconds_per_epoch = (now - self._first[0]) / (done - self._first[1])


@dataclass(frozen=True, slots=True)
class Total:
    """How many epochs a job trains in all.

    ``word`` says how sure that is: ``about`` for an estimate, ``at most`` where trials may end
    early and nothing says how soon, else "".
    """

    epochs: int
    word: str = ""

    def text(self, done: int) -> str:
        """Return ``60/140``, ``60 of about 140`` or ``60 of at most 140``."""
        return f"{done} of {self.word} {self.epochs}" if self.word else f"{done}/{self.epochs}"


def total_of(job: JobView) -> Total:
    """Return how many epochs a job trains in all, as far as its server can say."""
    progress = job.progress
    if progress.epochs_expected is not None:
        return Total(progress.epochs_expected, "about")
    may_end_early = not {"scheduler", "budget", "early_end"}.isdisjoint(job.spec)
    return Total(progress.epochs_total, "at most" if may_end_early and not job.is_finished else "")


def total_text(job: JobView) -> str:
    """Return ``60/140 epochs``, with ``of about`` or ``of at most`` where trials may end early."""
    return f"{total_of(job).text(job.progress.epochs_done)} epochs"


def epochs_left(job: JobView) -> int:
    """Return how many epochs are still to come, as :func:`total_of`; none of a finished job."""
    return 0 if job.is_finished else max(0, total_of(job).epochs - job.progress.epochs_done)


def time_left(jobs: Mapping[str, JobView], paces: Mapping[str, Pace]) -> float | None:
    """Return about how many seconds all ``jobs`` still take; None while none has a pace.

    A job without a pace is taken to be like the others of its trainable, or else like their mean.
    Running jobs share the machine, so their times are added and divided by their number; the
    longest of them is the least possible.
    """
    known = {key: pace for key in jobs if (pace := paces[key].seconds_per_epoch) is not None}
    if not known and any(map(epochs_left, jobs.values())):
        return None
    left = [
        epochs_left(job) * (known.get(key) or _like_it(job, jobs, known))
        for key, job in jobs.items()
        if epochs_left(job)
    ]
    running = sum(job.state == "running" for job in jobs.values())
    return max([sum(left) / max(1, running), *left], default=0.0)


def _like_it(job: JobView, jobs: Mapping[str, JobView], known: Mapping[str, float]) -> float:
    kind = _kind(job)
    alike = [pace for key, pace in known.items() if _kind(jobs[key]) == kind]
    like = alike or list(known.values())
    return sum(like) / len(like)


def _kind(job: JobView) -> tuple[object, ...]:
    """Return what is equal for jobs that run the same: trainables, or commands of one name."""
    spec = job.spec
    command = spec.get("command")
    return (spec.get("trainable"), *((command, spec.get("search_space")) if command else ()))
