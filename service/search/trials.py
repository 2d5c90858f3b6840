"""The trials of which a search knows, and what their metrics come to as losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.ranking import MODEL_BYTES, SECONDS, allowed_value, exact_mean, loss_of, mean_of
from results.records import TrialRecord
from results.states import FailureKind, Purpose, TrialState, has_failed_by_itself
from search_spaces import SearchSpace
from service.search.levels import Values
from service.search.scheduler import FORBIDDEN

#: A loss with it is still a number.
_MOST_EXCESS = 1e90


@dataclass(slots=True)
class Trial:
    """A trial of which the search knows; ``epochs`` is the last one that it has reported.

    One with a ``parent`` goes on from that trial's state after ``start_epoch``. ``failure`` is why
    it failed, None where it did not or nothing says why.
    """

    number: int
    parameters: Mapping[str, Any]
    seed: int
    configuration: int
    purpose: Purpose = Purpose.SEARCH
    state: TrialState = TrialState.QUEUED
    epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    parent: int | None = None
    start_epoch: int = 0
    #: Whether a former run left it between two epochs at which trials are compared, or promoted.
    was_on_its_way: bool = False
    #: Whether the state after its last epoch is stored, as far as a former run has recorded.
    has_state: bool = False
    failure: FailureKind | None = None

    @property
    def has_failed_by_itself(self) -> bool:
        """Whether it failed, and its configuration is taken to be the reason."""
        return has_failed_by_itself(self.state, self.failure)

    @property
    def trained(self) -> int:
        """How many epochs it has trained itself, without those of its parent."""
        return self.epochs - self.start_epoch


def trials_of(records: Sequence[TrialRecord]) -> dict[int, Trial]:
    """Return the trials of a former run by number, in its order."""
    return {
        r.number: Trial(
            r.number, r.parameters, r.seed, r.configuration, r.purpose, r.state, r.epochs,
            metrics_of(r), r.parent, r.start_epoch,
            has_state=0 < r.epochs == r.checkpoint, failure=r.error.kind if r.error else None,
        )
        for r in sorted(records, key=lambda record: record.number)
    }  # fmt: skip


def metrics_of(record: TrialRecord) -> dict[str, float]:
    """Return a trial's metrics, with those that every trial has."""
    size = {MODEL_BYTES: float(record.model_bytes)} if record.model_bytes else {}
    return {**record.metrics, SECONDS: record.seconds, **size}


def loss_in(space: SearchSpace, metrics: Mapping[str, float]) -> float | None:
    """Return the first objective as a loss, None where it is not reported."""
    value = metrics.get(space.metric)
    return None if value is None else loss_of(value, space.mode)


def compared_loss(space: SearchSpace, metrics: Mapping[str, float]) -> float | None:
    """Return the first objective as a loss by which schedulers compare, None where it is missing.

    A trial that violates constraints is behind all that keep them, and the more so the more it
    does (Deb, 2000, "An efficient constraint handling method for genetic algorithms"). Metrics that
    are not reported count as within their limits, also after the last epoch: the model's size is
    known later, and were one that nobody reports violated by all that have ended, every paused
    trial would be trained to the end in search of one that keeps it.
    """
    loss, excess = loss_in(space, metrics), _excess(space, metrics, missing=0.0)
    if loss is None or not any(value > 0 for value in excess):
        return loss
    return FORBIDDEN * (1 + min(sum(max(0.0, value) for value in excess), _MOST_EXCESS))


def _excess(
    space: SearchSpace, metrics: Mapping[str, float], *, missing: float
) -> tuple[float, ...]:
    return tuple(
        c.excess(metrics[c.metric]) if c.metric in metrics else missing for c in space.constraints
    )


def final_loss(space: SearchSpace, trial: Trial) -> float | None:
    """Return the last loss of a trial that has not failed and keeps the constraints."""
    if trial.state not in (TrialState.SUCCEEDED, TrialState.STOPPED):
        return None
    return _allowed_loss(space, trial.metrics.get)


def mean_loss(space: SearchSpace, trials: Sequence[Trial]) -> float | None:
    """Return the last loss of a configuration by the means over its trials, as they are ranked.

    None unless all of them have succeeded and the means keep the constraints.
    """
    if any(trial.state is not TrialState.SUCCEEDED for trial in trials):
        return None
    return _allowed_loss(space, lambda name: mean_of([t.metrics.get(name) for t in trials]))


def _allowed_loss(space: SearchSpace, known: Callable[[str], float | None]) -> float | None:
    value = allowed_value(space, known)
    return None if value is None else loss_of(value, space.mode)


def values_of(
    space: SearchSpace, metrics: Sequence[Mapping[str, float]], *, has_ended: bool
) -> Values | None:
    """Return what a sampler is told of a configuration, None where an objective is not reported.

    ``metrics`` are those of each of its repeats; their means count. A constrained metric that is
    not reported is violated without limit by trials that have ended, as they are ranked. Before,
    it counts as within its limits: the model's size, say, is not known yet.
    """
    names = [objective.metric for objective in space.objectives]
    if any(name not in values for name in names for values in metrics):
        return None
    losses = tuple(
        exact_mean([loss_of(values[o.metric], o.mode) for values in metrics])
        for o in space.objectives
    )
    missing = math.inf if has_ended else 0.0
    excess = zip(*(_excess(space, values, missing=missing) for values in metrics), strict=True)
    # There is no mean of both infinities.
    means = tuple(math.inf if math.inf in each else exact_mean(each) for each in excess)
    return Values(losses, means)
