"""Hints of what lets a finished job go on, of which each is accepted."""

from __future__ import annotations

from results.records import JobRecord

_THEN = "it runs what it has not run"


def to_finish(job: JobRecord) -> str:
    """Return how a cancelled job, or one whose search a budget ended, runs what it has not run."""
    space = job.spec.space
    if space.scheduler.is_population:
        return "submit the search again"
    if space.trials is not None and job.lacks("trials"):
        return f"extend it to its own {space.trials} trials: {_THEN}"
    if space.may_end_early:
        return "submit the search again"
    if job.lacks("epochs"):
        return f"extend it to its own {space.epochs} epochs: {_THEN}"
    return f"extend it to more than {space.epochs} epochs, or submit the search again"
