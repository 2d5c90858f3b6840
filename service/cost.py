"""What a planned job costs at most, by the pace of finished jobs of its kind."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from results.formatting import count
from results.spec import JobSpec
from results.states import JobState
from results.store import Store
from search_spaces import SearchSpace
from service.search.expected import expected_epochs

#: Newest finished jobs that are looked through, and those of one kind that the pace rests on.
_MOST_JOBS = 200
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that a job takes, its confirmation included.

    ``core_hours`` is None where no finished job says how long an epoch takes; ``basis`` says in
    words which ones do. ``expected_epochs`` and ``expected_core_hours`` are about what it takes,
    None where nothing says that this is less.
    """

    trials: int
    epochs: int
    core_hours: float | None
    basis: str
    expected_epochs: int | None = None
    expected_core_hours: float | None = None


def estimate(store: Store, spec: JobSpec) -> Estimate:
    """Return what a job of this specification costs at most, and about what it costs."""
    space = spec.space
    search = spec.trials * space.epochs  # copies in a population take others' places
    if space.budget.epochs is not None:
        search = min(search, space.budget.epochs)
    confirm = (0 if space.confirm is None else space.confirm.trials) * space.epochs
    expected = min(search, expected_epochs(spec, spec.trials))
    about = expected + confirm if expected < search else None
    kind = _words(space)
    pace, jobs = _core_seconds_per_epoch(store, spec)
    if pace is None:
        basis = f"no finished job of {kind} to go by"
        return Estimate(spec.planned, search + confirm, None, basis, about)
    basis = f"the pace of {count(jobs, 'finished job')} of {kind}"
    core_seconds, most = search * pace, _core_seconds_of_budget(store, spec)
    if most < core_seconds:
        core_seconds, basis = most, f"{basis}, and the budget's seconds on all of the cluster"
    hours = (core_seconds + confirm * pace) / 3600
    less = None if about is None else (min(most, expected * pace) + confirm * pace) / 3600
    less = None if less is None or less >= hours else less
    return Estimate(spec.planned, search + confirm, hours, basis, about, less)


def _core_seconds_of_budget(store: Store, spec: JobSpec) -> float:
    """Return the core-seconds that a search can take in its budget's seconds, if these are known.

    It goes on until the epochs that then run have ended, which are not counted.
    """
    seconds = spec.space.budget.seconds
    capacity = None if seconds is None else store.capacity()
    if seconds is None or capacity is None or capacity.cpu <= 0:
        return math.inf
    at_once = max(1, int(capacity.cpu / spec.cpu)) if spec.cpu else spec.trials
    at_once = min(at_once, spec.trials, spec.max_concurrent_trials or at_once)
    return seconds * at_once * max(1.0, spec.cpu)


def _core_seconds_per_epoch(store: Store, spec: JobSpec) -> tuple[float | None, int]:
    """Return the core-seconds that an epoch took in the newest jobs of this kind, and their number.

    Each counts by its epochs.
    """
    kind = _kind(spec.space)
    page = store.jobs(state=JobState.SUCCEEDED, limit=_MOST_JOBS)
    alike = [j for j in page.items if _kind(j.spec.space) == kind]
    trials = [(job, trial) for job in alike[:_ENOUGH] for trial in store.trials(job.id)]
    epochs = sum(trial.trained for _, trial in trials)
    core_seconds = sum(trial.seconds * max(1.0, job.spec.cpu) for job, trial in trials)
    return (core_seconds / epochs, len(alike[:_ENOUGH])) if epochs else (None, 0)


def _kind(space: SearchSpace) -> Hashable:
    """Return what is equal for spaces whose epochs take alike: programs change, names stay."""
    if space.program is None:
        return space.trainable, space.dataset
    return space.trainable, space.dataset, space.name, space.program.command


def _words(space: SearchSpace) -> str:
    if space.program is None:
        return f"trainable {space.trainable} on {space.dataset}"
    return f"search space {space.name} with this command"
