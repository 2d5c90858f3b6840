"""Runs a finished job's curves through a scheduler, in simulated time and several orders.

The baseline is a short run of every trial and then the best to the end, which any scheduler has to
beat (Egele et al., "The Unreasonable Effectiveness of Early Discarding after One Epoch in Neural
Network Hyperparameter Optimization", Neurocomputing 2024).
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

import search_spaces
from results.errors import NotReplayable
from results.ranking import SECONDS, rank
from results.records import Curve, JobRecord, TrialRecord
from results.replay import LEAST_EPOCHS, LEAST_TRIALS, Replay, Replayed
from results.spec import JobSpec
from results.states import Purpose, TrialState
from search_spaces import Budget
from service.search.budget import BudgetTracker
from service.search.schedulers import make_scheduler
from service.search.search import Search, Step
from service.search.simulation import Outcome, simulate
from service.search.trials import compared_loss

#: The most orders of the trials, and epochs after which no further order begins: some 5 s of work.
MOST_ORDERS = 20
MOST_EPOCHS = 200_000
#: A report has no replay of a job whose trials have more epochs than this.
MOST_REPORT_EPOCHS = 200_000


def has_replay(job: JobRecord, trials: Sequence[TrialRecord]) -> bool:
    """Whether the job's report says what stopping would have cost."""
    searched = [trial for trial in trials if trial.purpose is Purpose.SEARCH]
    return (
        not _refusal(job, searched)
        and len(searched) >= LEAST_TRIALS
        and LEAST_EPOCHS <= job.spec.space.epochs <= MOST_REPORT_EPOCHS / len(searched)
    )


def replay(
    job: JobRecord,
    trials: Iterable[TrialRecord],
    curves: Iterable[Curve],
    scheduler: search_spaces.Scheduler,
    *,
    resumes: bool = True,
    orders: int = MOST_ORDERS,
    most_epochs: int = MOST_EPOCHS,
) -> Replay:
    """Return what the job would have come to with a scheduler that ends trials early.

    The first order is the job's; the others are random, with seeds 1, 2, and so on. There are
    ``orders`` of them; none begins after ``most_epochs`` simulated ones. Trials that had failed
    fail after the same epoch. A trial's epochs take equal times. Where the trainable does not
    resume, as ``resumes`` says, trials are stopped rather than promoted, and the best of the short
    run train again from the start.

    Raises:
        NotReplayable: If the job's trials were not all trained to the end, or not comparably.
        search_spaces.SearchSpaceError: If the job could not have declared the scheduler.
    """
    searched = [trial for trial in trials if trial.purpose is Purpose.SEARCH]
    _check(job, searched, scheduler)
    scheduler = scheduler.for_trainable(resumes=resumes)
    spec = _with_scheduler(job.spec, scheduler, len(searched))
    known = _Known.of(job, searched, curves)
    outcomes: list[Outcome] = []
    while len(outcomes) < orders and sum(o.all_epochs for o in outcomes) < most_epochs:
        outcomes.append(_run(spec, known, seed=len(outcomes)))
    stopping = _replayed([known.ranks.get(_winner(known, o)) for o in outcomes], outcomes)
    short = min(scheduler.min_epochs, known.space.epochs)
    short_best, short_run = _short_run(known, short, epochs=stopping.epochs, resumes=resumes)
    return Replay(
        scheduler=scheduler,
        trials=len(searched),
        slots=known.slots,
        epochs=sum(map(len, known.metrics.values())),
        seconds=_makespan([trial.seconds for trial in searched], known.slots),
        stopping=stopping,
        short_run=short_run,
        short_epochs=short,
        short_best=short_best,
        resumes=resumes,
    )


def _check(
    job: JobRecord, searched: Sequence[TrialRecord], scheduler: search_spaces.Scheduler
) -> None:
    if refusal := _refusal(job, searched):
        raise NotReplayable(f"job {job.id} cannot be replayed: {refusal}")
    if scheduler.is_population:
        raise NotReplayable(
            f"{scheduler.name} cannot be replayed: it changes parameters while trials train, and "
            "no curve that is stored says what would have come of that"
        )


def _with_scheduler(spec: JobSpec, scheduler: search_spaces.Scheduler, trials: int) -> JobSpec:
    """Return what the job would have asked for with a scheduler, and nothing else that ends it."""
    space = replace(spec.space, scheduler=scheduler, budget=Budget(), confirm=None)
    return replace(spec, space=space, trials=trials)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a job's trials came to: metrics by number, after epochs 1, 2, ...; ranks by number.

    The metrics are those by which trials are compared.
    """

    trials: Mapping[int, TrialRecord]
    metrics: Mapping[int, Sequence[Mapping[str, float]]]
    ranks: Mapping[int, int]
    space: search_spaces.SearchSpace
    slots: int

    @classmethod
    def of(cls, job: JobRecord, trials: Sequence[TrialRecord], curves: Iterable[Curve]) -> _Known:
        space = job.spec.space
        by_number = {trial.number: trial for trial in trials}
        metrics: dict[int, Sequence[Mapping[str, float]]] = dict.fromkeys(by_number, ())
        for curve in curves:
            if curve.trial in by_number:
                metrics[curve.trial] = _metrics(curve, space)
        for trial in trials:
            if trial.state is TrialState.SUCCEEDED and len(metrics[trial.number]) < space.epochs:
                raise NotReplayable(
                    f"job {job.id} cannot be replayed: trial {trial.number} has no"
                    f" {space.metric} in some epochs"
                )
        ranks = rank(trials, space).ranks
        slots = _slots(job, trials)
        return cls(by_number, metrics, ranks, space, slots)

    def loss_at(self, number: int, epoch: int) -> float:
        """Return the loss by which a trial is compared after an epoch that it has reported."""
        metrics = {**self.metrics[number][epoch - 1], SECONDS: self.seconds_at(number, epoch)}
        loss = compared_loss(self.space, metrics)
        return math.inf if loss is None else loss

    def seconds_at(self, number: int, epoch: int) -> float:
        trial = self.trials[number]
        return trial.seconds * epoch / max(trial.epochs, epoch, 1)


class _KnownCurves:
    """The curves of a job's trials for a simulation that has them in another order."""

    def __init__(self, known: _Known, order: Sequence[int]) -> None:
        self._known, self._order = known, order

    def metrics(self, trial: Step, epoch: int) -> Mapping[str, float] | None:
        metrics = self._known.metrics[self._order[trial.number]]
        return metrics[epoch - 1] if epoch <= len(metrics) else None

    def seconds(self, trial: Step, epoch: int) -> float:
        return self._known.seconds_at(self._order[trial.number], epoch)


def _refusal(job: JobRecord, trials: Sequence[TrialRecord]) -> str:
    """Return why a job cannot be replayed, "" if it can be."""
    space = job.spec.space
    if not job.state.is_finished:
        return f"it is {job.state}; wait for its end"
    if space.scheduler.is_population:
        return f"{space.scheduler.name} changed the parameters of its trials while they trained"
    if not space.scheduler.is_none:
        return f"its trials were already ended early, by {space.scheduler.name}"
    if space.may_end_early:
        return "its program may end a trial early by itself"
    if space.repeats > 1:
        return "it repeats every configuration with several seeds"
    if len(space.objectives) > 1:
        return "it has several objectives, and a scheduler compares by one"
    if space.epochs < 2:
        return "its trials have one epoch, and there is nothing to end early"
    if not any(trial.state is TrialState.SUCCEEDED for trial in trials):
        return "no trial has succeeded"
    unfinished = [t for t in trials if t.state not in (TrialState.SUCCEEDED, TrialState.FAILED)]
    if unfinished:
        return f"trial {unfinished[0].number} was not trained to the last epoch"
    return ""


def _metrics(curve: Curve, space: search_spaces.SearchSpace) -> Sequence[Mapping[str, float]]:
    """Return a trial's metrics after epochs 1, 2, ... up to the first without the objective."""
    names = {space.metric, *(constraint.metric for constraint in space.constraints)}
    columns = {name: curve.metrics[name] for name in names if name in curve.metrics}
    found: list[Mapping[str, float]] = []
    for at, epoch in enumerate(curve.epochs):
        values = {name: v for name, column in columns.items() if (v := column[at]) is not None}
        if epoch != len(found) + 1 or space.metric not in values:
            break
        found.append(values)
    return found


def _slots(job: JobRecord, trials: Iterable[TrialRecord]) -> int:
    """Return how many trials ran at a time at most, within what the job allowed."""
    changes: list[tuple[datetime, int]] = []
    for trial in trials:
        if trial.started_at is not None and trial.finished_at is not None:
            changes += [(trial.started_at, 1), (trial.finished_at, -1)]
    most = running = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return max(1, min(most, job.spec.max_concurrent_trials or most))


def _run(spec: JobSpec, known: _Known, *, seed: int) -> Outcome:
    """Simulate the search with the trials in the order of a seed, 0 for the job's own."""
    order = sorted(known.trials)
    if seed:
        Random(seed).shuffle(order)  # noqa: S311 - no secret
    records = [
        TrialRecord(number, TrialState.QUEUED, known.trials[at].parameters, known.trials[at].seed)
        for number, at in enumerate(order)
    ]
    search = Search(
        spec,
        records,
        {},
        scheduler=make_scheduler(spec.space.scheduler, epochs=known.space.epochs),
        sampler=None,
        budget=BudgetTracker(spec.space, lambda: 0.0),
    )
    curves = _KnownCurves(known, order)
    found = simulate(search, curves, epochs=known.space.epochs, workers=known.slots)
    return Outcome(
        found.seconds,
        {order[number]: epochs for number, epochs in found.epochs.items()},
        {order[number]: state for number, state in found.states.items()},
    )


def _winner(known: _Known, outcome: Outcome) -> int:
    """Return the best of the trials that were fully trained; -1 if none of them is ranked."""
    ended = [n for n in outcome.ended(TrialState.SUCCEEDED) if n in known.ranks]
    return min(ended, key=lambda number: known.ranks[number], default=-1)


def _replayed(ranks: Sequence[int | None], outcomes: Sequence[Outcome]) -> Replayed:
    return Replayed(
        orders=len(outcomes),
        epochs=statistics.fmean(outcome.all_epochs for outcome in outcomes),
        seconds=statistics.fmean(outcome.seconds for outcome in outcomes),
        ranks=tuple(place for place in ranks if place is not None),
    )


def _short_run(known: _Known, short: int, *, epochs: float, resumes: bool) -> tuple[int, Replayed]:
    """Return how many trials go on after a short run of all, in so many epochs, and the outcome."""
    begun = {n: metrics[:short] for n, metrics in known.metrics.items()}
    in_order = sorted(
        (known.loss_at(n, short), n) for n, metrics in begun.items() if len(metrics) == short
    )
    kept = short if resumes else 0  # what those that go on need not train again
    rest = known.space.epochs - kept
    spent = sum(map(len, begun.values()))
    number = len(in_order)
    if rest:
        number = min(number, max(1, round((epochs - spent) / rest)))
    best = [n for _, n in in_order[:number]]
    seconds = _makespan([known.seconds_at(n, len(done)) for n, done in begun.items()], known.slots)
    seconds += _makespan(
        [known.trials[n].seconds - known.seconds_at(n, kept) for n in best], known.slots
    )
    spent += sum(len(known.metrics[n]) - kept for n in best)
    ranks = [known.ranks[n] for n in best if n in known.ranks]
    return number, Replayed(1, spent, seconds, (min(ranks),) if ranks else ())


def _makespan(durations: Iterable[float], slots: int) -> float:
    """Return when the last of tasks ends that begin in order, each on the first free slot."""
    free = [0.0] * slots
    for seconds in durations:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)
