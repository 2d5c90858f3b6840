"""The trials of which a search knows, and what their metrics come to as losses."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.ranking import MODEL_BYTES, SECONDS, loss_of
from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import SearchSpace
from service.search.levels import Values
from service.search.scheduler import FORBIDDEN

#: A loss with it is still a number.
_MOST_EXCESS = 1e90


@dataclass(slots=True)
class Trial:
    """A trial of which the search knows; ``epochs`` is the last one that it has reported.

    One with a ``parent`` goes on from that trial's state after ``start_epoch``.
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
            has_state=0 < r.epochs == r.checkpoint,
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
    are not reported, the model's size say, count as within their limits.
    """
    loss, excess = loss_in(space, metrics), _excess(space, metrics)
    if loss is None or not any(value > 0 for value in excess):
        return loss
    return FORBIDDEN * (1 + min(sum(max(0.0, value) for value in excess), _MOST_EXCESS))


def _excess(space: SearchSpace, metrics: Mapping[str, float]) -> list[float]:
    # A metric that is not reported yet, the model's size say, counts as within its limits.
    return [c.excess(metrics[c.metric]) if c.metric in metrics else 0.0 for c in space.constraints]


def final_loss(space: SearchSpace, trial: Trial) -> float | None:
    """Return the last loss of a trial that has not failed and keeps the constraints."""
    if trial.state not in (TrialState.SUCCEEDED, TrialState.STOPPED):
        return None
    return _allowed_loss(space, trial.metrics)


def mean_loss(space: SearchSpace, trials: Sequence[Trial]) -> float | None:
    """Return the last loss of a configuration by the means over its trials, as they are ranked.

    None unless all of them have succeeded and the means keep the constraints.
    """
    if any(trial.state is not TrialState.SUCCEEDED for trial in trials):
        return None
    means = {
        name: _mean([trial.metrics[name] for trial in trials])
        for name in trials[0].metrics
        if all(name in trial.metrics for trial in trials)
    }
    return _allowed_loss(space, means)


def _mean(values: Sequence[float]) -> float:
    # That of floats alone would overflow in the sum of very large values.
    return values[0] if len(values) == 1 else float(statistics.mean(values))


def _allowed_loss(space: SearchSpace, metrics: Mapping[str, float]) -> float | None:
    """Return the first objective as a loss, None where it or a constraint lacks its value."""
    return loss_in(space, metrics) if space.allows(metrics.get) else None


def values_of(space: SearchSpace, metrics: Sequence[Mapping[str, float]]) -> Values | None:
    """Return what a sampler is told of a configuration, None where an objective is not reported.

    ``metrics`` are those of each of its repeats; their means count.
    """
    names = [objective.metric for objective in space.objectives]
    if any(name not in values for name in names for values in metrics):
        return None
    losses = tuple(
        _mean([loss_of(values[o.metric], o.mode) for values in metrics]) for o in space.objectives
    )
    excess = tuple(map(_mean, zip(*(_excess(space, values) for values in metrics), strict=True)))
    return Values(losses, excess)
