"""Turns trials from elsewhere into what a sampler can be told, and says what does not fit.

They count as observed at the last epoch: their values stand beside those of trials that have
trained to the end, whatever number of epochs they were trained themselves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import search_spaces
from results.formatting import count
from results.ranking import loss_of
from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import Choice, Range, SearchSpace
from service.search.levels import Past, Values
from service.search.trials import metrics_of


@dataclass(frozen=True, slots=True)
class PastTrial:
    """A trial from elsewhere; ``source`` says where, in words.

    ``values`` are those of the objectives in order, where the source does not name metrics, and
    ``modes`` their better directions, where it says. ``unfit`` says why it tells nothing, "" where
    that is for the space to say.
    """

    source: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    values: Sequence[float] = ()
    modes: Sequence[str] = ()
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many trials of a source do not fit, and why, in words."""

    source: str
    reason: str
    trials: int


@dataclass(frozen=True, slots=True)
class History:
    """What a sampler is told of trials from elsewhere, and what is left out."""

    past: tuple[Past, ...]
    left_out: tuple[LeftOut, ...]


class _Unfit(Exception):
    """The trial does not fit the space; the text says why."""


class _Differs(_Unfit):
    """The trial's parameters are none of the space's configurations."""


def of_job(job_id: str, records: Iterable[TrialRecord]) -> list[PastTrial]:
    """Return a job's trials; only those of its search that have succeeded tell something.

    One that went on from another trial does not: its parameters changed during training.
    """
    return [
        PastTrial(f"job {job_id}", record.parameters, metrics_of(record), unfit=_why_not(record))
        for record in records
    ]


def _why_not(record: TrialRecord) -> str:
    """Return why a job's trial tells nothing, "" where it may."""
    if record.purpose is Purpose.CONFIRM:
        return "they repeat other trials with further seeds"
    if record.state in (TrialState.STOPPED, TrialState.PAUSED):
        return "they ended early, before the last epoch"
    if record.state is not TrialState.SUCCEEDED:
        why = {TrialState.FAILED: "they failed", TrialState.CANCELLED: "they were cancelled"}
        return why.get(record.state, "they have not ended")
    return "" if record.parent is None else "they went on from other trials with other parameters"


def of_space(space: SearchSpace) -> list[PastTrial]:
    """Return the trials that the space itself lists in its ``history``."""
    return [
        PastTrial("the history", trial.parameters, trial.metrics or {}, trial.values, trial.modes)
        for trial in space.history
    ]


def convert(space: SearchSpace, trials: Iterable[PastTrial]) -> History:
    """Return what a sampler of the space is told of the trials.

    A trial fits where its configuration is one of the space's, and where it has a finite value for
    every objective and a value for every constraint. A constant that it does not name is taken to
    have been the same; numbers may be written as text. Of what is left out, trials whose parameters
    differ from the space's come first: no other end or value would have made them fit.
    """
    past: list[Past] = []
    differs: Counter[tuple[str, str]] = Counter()
    unfit: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        try:
            configuration = _configuration(space, trial.parameters)
            if trial.unfit:
                raise _Unfit(trial.unfit)
            past.append(Past(configuration, _values(space, trial)))
        except _Differs as reason:
            differs[trial.source, str(reason)] += 1
        except _Unfit as reason:
            unfit[trial.source, str(reason)] += 1
    found = [*differs.items(), *unfit.items()]
    left_out = (LeftOut(source, reason, n) for (source, reason), n in found)
    return History(tuple(past), tuple(left_out))


def _configuration(space: SearchSpace, parameters: Mapping[str, Any]) -> dict[str, Any]:
    given = {}
    for name, value in parameters.items():
        if name not in space.parameters:
            raise _Differs(f"the space has no parameter {name}")
        given[name] = _own(space, name, value)
    try:
        configuration = search_spaces.suggest(space, _Given(search_spaces.suggested(space, given)))
    except KeyError as error:
        raise _Differs(f"they have no value for {error.args[0]}") from error
    if surplus := given.keys() - configuration.keys():
        raise _Differs(f"{min(surplus)} does not exist beside their other values")
    return configuration


def _own(space: SearchSpace, name: str, value: Any) -> Any:
    """Return the value as the space writes it: 3 for 3.0, a number for its text."""
    domain = space.parameters[name]
    if isinstance(domain, Range):
        try:
            number = float(value)
            value = int(number) if domain.type == "int" and number == int(number) else number
        except (TypeError, ValueError, OverflowError) as error:
            raise _Differs(f"a value of {name} is no number") from error
    elif value not in domain:
        value = next((listed for listed in domain.listed() if str(listed) == str(value)), value)
    if value not in domain:
        kind = "list of values" if isinstance(domain, Choice) else "domain"
        raise _Differs(f"a value of {name} is not in the {kind} of this space")
    return value


def _values(space: SearchSpace, trial: PastTrial) -> Values:
    metrics = dict(trial.metrics)
    if len(trial.values) > len(space.objectives):
        number = len(space.objectives)
        raise _Unfit(f"they have {len(trial.values)} values for {count(number, 'objective')}")
    for objective, mode in zip(space.objectives, trial.modes, strict=False):
        if mode != objective.mode:
            other = f"{mode} is their better direction of {objective.metric}"
            raise _Unfit(f"{other}, and here it is {objective.mode}")
    for objective, value in zip(space.objectives, trial.values, strict=False):
        metrics.setdefault(objective.metric, value)
    losses = []
    for objective in space.objectives:
        value = metrics.get(objective.metric, math.nan)
        if not math.isfinite(value):
            raise _Unfit(f"they have no finite value of {objective.metric}")
        losses.append(loss_of(value, objective.mode))
    excess = [c.excess(metrics.get(c.metric, math.nan)) for c in space.constraints]
    if any(math.isinf(value) and value > 0 for value in excess):
        raise _Unfit("they have no value of a metric that is constrained")
    return Values(tuple(losses), tuple(excess))


class _Given:
    """Suggests the values that are given; KeyError names a parameter without one."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def _value(self, name: str, *_: Any, **__: Any) -> Any:
        return self._values[name]

    suggest_categorical = suggest_float = suggest_int = _value


def gather(space: SearchSpace, trials_of: Callable[[str], Iterable[TrialRecord]]) -> History:
    """Return what the space's ``warm_start`` and its ``history`` tell; jobs come first.

    ``trials_of`` returns the records of a job's trials.
    """
    found = (of_job(job_id, trials_of(job_id)) for job_id in space.warm_start)
    return convert(space, (trial for trials in (*found, of_space(space)) for trial in trials))
