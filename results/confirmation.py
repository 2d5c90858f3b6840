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
from functools import partial
from typing import Protocol

import search_spaces
from results.analysis import JobResults
from results.intervals import Estimate, difference, estimate
from results.racing import COUNTED, FEWEST_SEEDS, Pair, survivors
from results.ranking import LARGEST, allowed_value, loss_of, score_of
from results.records import TrialRecord
from search_spaces import SearchSpace


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that ran again, named by the number of the first trial that has it.

    ``searched`` is the value by which the search ranked it, None for a default that the search did
    not run. ``values`` are by seed, of the trials that succeeded and keep the constraints;
    ``failed`` counts the others that have ended. ``value`` describes ``values``, None where there
    are none. ``is_left`` is false for one that dropped out, by its failure, by a constraint that it
    broke, or as clearly worse than the leader.
    """

    configuration: int
    parameters: Mapping[str, object]
    is_default: bool
    searched: float | None
    values: Mapping[int, float]
    failed: int
    value: Estimate | None
    is_left: bool


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
    the winner and those from which it cannot be told apart: their paired difference to it, over at
    least three seeds, has an interval that holds 0. ``test`` describes the test metrics of the
    winner's trials, and is empty until the job has ended: the test set is read once. ``is_over`` is
    false as long as the job runs.
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

    @property
    def is_clear(self) -> bool:
        """Whether one candidate is better than all others."""
        return self.winner is not None and len(self.together) == 1


def confirmed(results: JobResults) -> Confirmed | None:
    """Return what the job's confirmation has found so far; None where none of it has begun."""
    trials = results.confirming
    if not trials:
        return None
    seeds = tuple(dict.fromkeys(trial.seed for trial in trials))
    candidates = _candidates(results, seeds)
    valued = [one for one in candidates if one.is_left and one.value is not None]
    winner = valued[0] if valued else None
    others = [one for one in candidates if one is not winner and one.value is not None]
    default = [one for one in others if one.is_default]
    is_over = results.job.state.is_finished
    return Confirmed(
        metric=results.metric.name,
        mode=results.metric.mode,
        seeds=seeds,
        candidates=candidates,
        winner=None if winner is None else winner.configuration,
        together=tuple(one.configuration for one in _together(winner, others, results.metric.mode)),
        to_second=_paired(winner, others[:1], results.metric.mode),
        to_default=_paired(winner, default[:1], results.metric.mode),
        test=_tested(results, winner) if is_over else {},
        is_over=is_over,
    )


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
            score = _allowed_score(results, trial)
            losses[configuration, trial.seed] = None if score is None else loss_of(score, mode)
    left = _left(tuple(groups), seeds, losses)
    default = default_configuration(results.space, [*results.trials, *results.confirming])
    found = [
        _candidate(
            results, group, is_default=configuration == default, is_left=configuration in left
        )
        for configuration, group in groups.items()
    ]
    found.sort(key=lambda one: (not one.is_left, _order(one, mode)))
    return tuple(found)


def _bounded(score: float | None) -> float | None:
    """Return the score; None for none, or for one that the race takes for a failure."""
    return None if score is None or abs(score) > LARGEST else score


def _allowed_score(results: JobResults, trial: TrialRecord) -> float | None:
    """Return a trial's score; None where it breaks a constraint, with which it drops out."""
    return _bounded(allowed_value(results.space, partial(score_of, trial)))


def _order(candidate: Candidate, mode: str) -> float:
    return math.inf if candidate.value is None else loss_of(candidate.value.mean, mode)


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
    return Candidate(
        configuration=configuration,
        parameters=group[0].parameters,
        is_default=is_default,
        searched=None if searched is None else results.score(searched),
        values=values,
        failed=sum(t.state in COUNTED and t.seed not in values for t in group),
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
    """Yield the winner and each candidate that never failed and is not clearly worse."""
    if winner is None:
        return
    yield winner
    for other in others:
        pair = _paired(winner, [other], mode)
        clear = pair and pair.difference.n >= FEWEST_SEEDS and pair.difference.is_above_zero
        if not other.failed and not clear:
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
