"""Is the winner real? What the trials with further seeds say about the best configurations.

Only trials of purpose ``confirm`` are compared: the value by which the search chose a configuration
flatters it (selection bias). Means have Student's t-intervals and pairs are compared on common
seeds by the paired t-test's interval (:mod:`results.intervals`), at 95 % and without a correction
for several comparisons. Who dropped out is found by the rule of :mod:`results.racing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

import search_spaces
from results.analysis import JobResults
from results.intervals import Estimate, difference, estimate
from results.racing import COUNTED, FEWEST_SEEDS, NO_RESULT, Pair, survivors
from results.ranking import LARGEST, allowed_value, loss_of, score_of
from results.records import TrialRecord
from results.states import JobState, TrialState
from search_spaces import SearchSpace


class Lost(StrEnum):
    """Why a trial that has ended gives no value to compare."""

    FAILED = "failed"
    #: It failed for a reason outside its configuration: a full disk, missing data, a defect.
    ELSEWHERE = "elsewhere"
    CONSTRAINT = "constraint"
    #: Its value is further from 0 than :data:`results.ranking.LARGEST`.
    TOO_LARGE = "too_large"
    NO_VALUE = "no_value"

    @property
    def drops(self) -> bool:
        """Whether the candidate drops out by it; otherwise only that seed does not count."""
        return self is not Lost.ELSEWHERE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that ran again, named by the number of the first trial that has it.

    ``searched`` is the value by which the search ranked it, None for a default that the search did
    not run. ``values`` are by seed, of the trials that succeeded and keep the constraints; ``lost``
    says by seed why each other trial that has ended gives no value, and ``failed`` counts those of
    them that failed. ``value`` describes ``values``, None where there are none. ``is_left`` is
    false for one that dropped out, by a lost value or as clearly worse than the leader. A trial
    that failed for a reason outside its configuration does not drop its candidate.
    """

    configuration: int
    parameters: Mapping[str, object]
    is_default: bool
    searched: float | None
    values: Mapping[int, float]
    lost: Mapping[int, Lost]
    failed: int
    value: Estimate | None
    is_left: bool

    @property
    def fall(self) -> tuple[int, Lost] | None:
        """The first seed that it dropped out with, and why; None where its values decide."""
        return next(((seed, why) for seed, why in self.lost.items() if why.drops), None)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """By how much the winner is better than ``other`` (its configuration), on common seeds.

    In the metric's unit; positive is better, whichever the mode.
    """

    other: int
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation has found.

    ``candidates`` are best first: those that are left, then those that dropped out, each by the
    mean. ``winner`` has the best mean of those left; it is None without a value. ``together`` are
    the winner and those left from which it cannot be told apart: they have no value yet, or their
    paired difference to it, over at least three seeds, has an interval that holds 0. ``seeds`` are
    those with which a trial has succeeded. ``to_second`` and ``to_default`` are None for one that
    dropped out by a lost value. ``test`` describes the test metrics of the winner's trials, and is
    empty until the job has ended: the test set is read once. ``is_over`` is false as long as the
    job runs; ``is_complete`` is false as long as a trial is to come, and stays so if the job ends
    before.
    """

    metric: str
    mode: str
    seeds: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    winner: int | None
    together: tuple[int, ...]
    to_second: PairedDifference | None
    to_default: PairedDifference | None
    test: Mapping[str, Estimate]
    is_over: bool
    is_complete: bool

    @property
    def is_clear(self) -> bool:
        """Whether the confirmation is complete, and one candidate is better than all others."""
        return self.is_complete and self.winner is not None and len(self.together) == 1


def confirmed(results: JobResults) -> Confirmed | None:
    """Return what the job's confirmation has found so far; None where none of it has begun."""
    trials = results.confirming
    if not trials:
        return None
    seeds = tuple(dict.fromkeys(trial.seed for trial in trials))
    succeeded = {trial.seed for trial in trials if trial.state is TrialState.SUCCEEDED}
    candidates = _candidates(results, seeds)
    valued = [one for one in candidates if one.is_left and one.value is not None]
    winner = valued[0] if valued else None
    others = [one for one in candidates if one is not winner]
    compared = [one for one in others if one.value is not None and one.fall is None]
    default = [one for one in compared if one.is_default]
    is_over = results.job.state.is_finished
    return Confirmed(
        metric=results.metric.name,
        mode=results.metric.mode,
        seeds=tuple(seed for seed in seeds if seed in succeeded),
        candidates=candidates,
        winner=None if winner is None else winner.configuration,
        together=tuple(one.configuration for one in _together(winner, others, results.metric.mode)),
        to_second=_paired(winner, compared[:1], results.metric.mode),
        to_default=_paired(winner, default[:1], results.metric.mode),
        test=_tested(results, winner) if is_over else {},
        is_over=is_over,
        is_complete=_is_complete(results, {one.configuration for one in candidates if one.is_left}),
    )


def _is_complete(results: JobResults, left: set[int]) -> bool:
    """Whether no trial is to come that could change what the confirmation has found."""
    if results.job.state is JobState.SUCCEEDED:
        return True
    trials = results.confirming
    ended = {(t.configuration, t.seed) for t in trials if t.state in COUNTED}
    waiting = {(t.configuration, t.seed) for t in trials if t.configuration in left} - ended
    return not waiting and results.job.progress.trials <= len(results.trials) + len(trials)


class Configured(Protocol):
    """A trial, as it is recorded or as a search knows it: what it runs."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """The value of each parameter, by name."""

    @property
    def configuration(self) -> int:
        """The number of the first trial with these parameters."""


def default_configuration(space: SearchSpace, trials: Iterable[Configured]) -> int | None:
    """Return the number of the first trial that has the default configuration, or None."""
    parameters = search_spaces.defaults(space)
    return next((t.configuration for t in trials if dict(t.parameters) == parameters), None)


def _candidates(results: JobResults, seeds: Sequence[int]) -> tuple[Candidate, ...]:
    groups: dict[int, list[TrialRecord]] = {}
    for trial in results.confirming:
        groups.setdefault(trial.configuration, []).append(trial)
    mode = results.metric.mode
    losses: dict[Pair, float | None] = {}
    for configuration, group in groups.items():
        for trial in (t for t in group if t.state in COUNTED):
            losses[configuration, trial.seed] = _loss(results, trial)
    left = _left(tuple(groups), seeds, losses)
    default = default_configuration(results.space, [*results.trials, *results.confirming])
    found = [
        _candidate(
            results, group, is_default=configuration == default, is_left=configuration in left
        )
        for configuration, group in groups.items()
    ]
    found.sort(key=lambda one: _order(one, mode))
    return tuple(found)


def _bounded(score: float | None) -> float | None:
    """Return the score; None for none, or for one that the race takes for a failure."""
    return None if score is None or abs(score) > LARGEST else score


def _allowed_score(results: JobResults, trial: TrialRecord) -> float | None:
    """Return a trial's score; None where it breaks a constraint, with which it drops out."""
    return _bounded(allowed_value(results.space, partial(score_of, trial)))


def _loss(results: JobResults, trial: TrialRecord) -> float | None:
    """Return what the race takes as the loss of a trial that has ended."""
    if _lost(results, trial) is Lost.ELSEWHERE:
        return NO_RESULT
    score = _allowed_score(results, trial)
    return None if score is None else loss_of(score, results.metric.mode)


def _lost(results: JobResults, trial: TrialRecord) -> Lost | None:
    """Return why a trial that has ended gives no value; None if it gives one."""
    if trial.state is TrialState.FAILED:
        return Lost.FAILED if trial.has_failed_by_itself else Lost.ELSEWHERE
    if _allowed_score(results, trial) is not None:
        return None
    score = results.score(trial)
    if score is None:
        return Lost.NO_VALUE
    return Lost.TOO_LARGE if _bounded(score) is None else Lost.CONSTRAINT


def _order(candidate: Candidate, mode: str) -> tuple[bool, int, float]:
    """Return the key that sorts the candidates: those left first, fewest missing seeds, best."""
    missing = sum(why is Lost.ELSEWHERE for why in candidate.lost.values())
    loss = math.inf if candidate.value is None else loss_of(candidate.value.mean, mode)
    return not candidate.is_left, missing, loss


def _left(
    configurations: tuple[int, ...], seeds: Sequence[int], losses: Mapping[Pair, float | None]
) -> set[int]:
    """Return who is left after all rounds; one without a result in a round is not judged in it."""
    left = set(configurations)
    for rounds in range(1, len(seeds) + 1):
        done = seeds[:rounds]
        ran = [c for c in configurations if c in left and all((c, s) in losses for s in done)]
        left -= set(ran) - set(survivors(ran, done, losses))
    return left


def _candidate(
    results: JobResults, group: Sequence[TrialRecord], *, is_default: bool, is_left: bool
) -> Candidate:
    configuration = group[0].configuration
    searched = results.trial(configuration)
    values = {t.seed: s for t in group if (s := _allowed_score(results, t)) is not None}
    ended = (t for t in group if t.state in COUNTED and t.seed not in values)
    lost = {t.seed: why for t in ended if (why := _lost(results, t)) is not None}
    return Candidate(
        configuration=configuration,
        parameters=group[0].parameters,
        is_default=is_default,
        searched=None if searched is None else results.score(searched),
        values=values,
        lost=lost,
        failed=sum(why in (Lost.FAILED, Lost.ELSEWHERE) for why in lost.values()),
        value=estimate(list(values.values())) if values else None,
        is_left=is_left,
    )


def _paired(
    winner: Candidate | None, others: Sequence[Candidate], mode: str
) -> PairedDifference | None:
    if winner is None or not others:
        return None
    other = others[0]
    common = [seed for seed in winner.values if seed in other.values]
    if not common:
        return None
    pair = [winner, other] if mode == "max" else [other, winner]
    better, worse = ([one.values[seed] for seed in common] for one in pair)
    return PairedDifference(other.configuration, difference(better, worse))


def _together(
    winner: Candidate | None, others: Sequence[Candidate], mode: str
) -> Iterator[Candidate]:
    """Yield the winner and each candidate that is left and is not clearly worse.

    So is one that dropped out behind a leader that failed later, and is better than the winner.
    """
    if winner is None:
        return
    yield winner
    for other in others:
        pair = _paired(winner, [other], mode)
        clear = pair and pair.difference.n >= FEWEST_SEEDS and pair.difference.is_above_zero
        is_better = pair is not None and other.fall is None and pair.difference.mean < 0
        if is_better or (other.is_left and not clear):
            yield other


def _tested(results: JobResults, winner: Candidate | None) -> dict[str, Estimate]:
    """Describe the test metrics of the winner's confirming trials; of nobody else's."""
    if winner is None:
        return {}
    own = [t for t in results.confirming if t.configuration == winner.configuration]
    reported = dict.fromkeys(name for trial in own for name in trial.metrics)
    names = [name for name in reported if results.info(name).split == "test"]
    scores = {n: [s for t in own if (s := _bounded(score_of(t, n))) is not None] for n in names}
    return {name: estimate(values) for name, values in scores.items() if values}
