"""How the values of each varied parameter compare, by the declared metric's last value."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results.formatting import count
from results.ranking import ranked
from results.records import TrialRecord
from results.states import TrialState
from results.wording import configuration
from search_spaces import Choice, is_number

if TYPE_CHECKING:
    from results.analysis import JobResults

#: A parameter without declared values is compared value by value up to this many of them.
_MOST_VALUES = 8

#: Made once: ``json.dumps`` makes an encoder for each value.
_encode = json.JSONEncoder(sort_keys=True).encode


def value_key(value: Any) -> str:
    """Return a text that is equal for equal parameter values and tells 1 from true and "1"."""
    # The encoder takes several times as long for the same text.
    return repr(value) if type(value) in (int, float) else _encode(value)


def parameter_key(trial: TrialRecord, name: str) -> str | None:
    """Return the key of a trial's value of a parameter, None if the parameter did not apply."""
    return value_key(trial.parameters[name]) if name in trial.parameters else None


def describe_trial(results: JobResults, trial: TrialRecord) -> str:
    """Return what sets a trial apart: what differs from the defaults (trial 0), or all that varied.

    Empty for a single trial.
    """
    names = results.varied
    baseline = _baseline(results)
    if baseline is None:
        return configuration(trial.parameters, names)
    changed = [n for n in names if parameter_key(trial, n) != parameter_key(baseline, n)]
    return configuration(trial.parameters, changed) or ("defaults" if names else "")


def name_of(results: JobResults, trial: TrialRecord) -> str:
    """Return ``trial 3``, with what sets it apart in parentheses."""
    described = describe_trial(results, trial)
    return f"trial {trial.number} ({described})" if described else f"trial {trial.number}"


def _baseline(results: JobResults) -> TrialRecord | None:
    """Return the trial of the defaults under ``one_at_a_time``; no other strategy uses them."""
    return results.trial(0) if results.space.is_one_at_a_time else None


@dataclass(frozen=True, slots=True)
class ValueResult:
    """How the trials with one value of a parameter did, by the declared metric's last value.

    ``trials`` counts them all, ``scored`` and ``best`` are over those that succeeded; ``mean`` is
    over what is compared (:class:`Comparison`), None where that is nothing.
    """

    value: Any
    is_default: bool
    trials: int
    scored: int
    best_trial: int | None
    best: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The values of one parameter side by side.

    ``combinations`` are how many combinations of the other parameters the trials have, and
    ``matched`` in how many of them each value that succeeded anywhere has a result. Where there are
    such, the means are over them alone; otherwise over all trials if a sampler chose them, and of
    nothing in a grid, whose values then cannot be compared.
    """

    parameter: str
    combinations: int
    matched: int
    rows: tuple[ValueResult, ...]

    @property
    def controlled(self) -> bool:
        """Whether every value met the same others; if not, the means are confounded."""
        return self.matched > 0

    def ranked(self, mode: str) -> list[tuple[ValueResult, float]]:
        """Return the rows that have a mean, with it, best first."""
        scored = [(row, row.mean) for row in self.rows if row.mean is not None]
        return sorted(scored, key=lambda pair: pair[1], reverse=mode == "max")


def compare(results: JobResults, parameter: str) -> Comparison | None:
    """Compare a parameter's values; None for one sampled from a range.

    Under ``one_at_a_time`` over the trials that equal the defaults (trial 0) in all else, otherwise
    over the combinations of the other parameters in which every value has a result.
    """
    groups: dict[str, list[TrialRecord]] = {}
    for trial in _comparable(results, parameter):
        groups.setdefault(value_key(trial.parameters[parameter]), []).append(trial)
    declared = results.space.parameters.get(parameter)
    order = list(map(value_key, declared.values)) if isinstance(declared, Choice) else None
    if order is None and len(groups) > _MOST_VALUES:
        return None
    blocks = _blocks(results, parameter, groups)
    compared = {key for block in blocks for key in block}
    matched = [block for block in blocks if compared and block.keys() == compared]
    if not matched and results.space.is_sampled:
        scores = {key: _scores(results, group) for key, group in groups.items()}
    else:
        scores = {key: [block[key] for block in matched if key in block] for key in groups}
    rows = [_value_result(results, parameter, groups[key], scores[key]) for key in groups]
    if all(is_number(row.value) for row in rows):
        rows.sort(key=lambda row: row.value)
    elif order is not None:
        places = {key: place for place, key in enumerate(order)}
        rows.sort(key=lambda row: places.get(value_key(row.value), len(places)))
    return Comparison(parameter, len(blocks), len(matched), tuple(rows))


def basis(results: JobResults, comparison: Comparison | None) -> str:
    """Return what else differed between the trials compared; None is the comparison of a range."""
    if results.space.is_one_at_a_time:
        return "the other parameters at their defaults"
    if comparison is None or (not comparison.controlled and results.space.is_sampled):
        return "over the trials sampled, which is no controlled comparison"
    alone = all(row.trials == 1 for row in comparison.rows if row.scored)
    if len(results.varied) == 1 or (comparison.combinations == comparison.matched == 1 and alone):
        return "all else equal"
    if len([row for row in comparison.rows if row.mean is not None]) == 1 < len(comparison.rows):
        return "not comparable, as only one value has a result"
    if not comparison.controlled:
        return "no combination of the other parameters has a result with each value"
    if comparison.matched == comparison.combinations:
        return f"mean over {count(comparison.matched, 'combination')} of the other parameters"
    return (
        f"mean over the {comparison.matched} of {comparison.combinations} combinations of the other"
        " parameters in which each value has a result"
    )


def _comparable(results: JobResults, parameter: str) -> list[TrialRecord]:
    having = [trial for trial in results.trials if parameter in trial.parameters]
    baseline = _baseline(results)
    if baseline is None:
        return having
    return [trial for trial in having if _differs_only_in(parameter, trial, baseline)]


def _differs_only_in(parameter: str, trial: TrialRecord, baseline: TrialRecord) -> bool:
    # A parameter that only one of the two has came or went with its condition, not by itself.
    shared = (trial.parameters.keys() & baseline.parameters.keys()) - {parameter}
    return all(parameter_key(trial, name) == parameter_key(baseline, name) for name in shared)


def _blocks(
    results: JobResults, parameter: str, groups: Mapping[str, Sequence[TrialRecord]]
) -> list[dict[str, float]]:
    """Return, per combination of the other parameters, the mean score of each value in it.

    A value is left out where one of its trials has no score. A parameter that comes and goes with
    the compared one, by its condition, does not tell combinations apart.
    """
    others = [
        name
        for name in results.varied
        if name != parameter
        and all(any(name in trial.parameters for trial in group) for group in groups.values())
    ]
    cells: dict[tuple[str | None, ...], dict[str, list[TrialRecord]]] = {}
    for key, group in groups.items():
        for trial in group:
            place = tuple(parameter_key(trial, name) for name in others)
            cells.setdefault(place, {}).setdefault(key, []).append(trial)
    blocks = []
    for cell in cells.values():
        scores = {key: _scores(results, group) for key, group in cell.items()}
        complete = {key: found for key, found in scores.items() if len(found) == len(cell[key])}
        blocks.append({key: statistics.mean(found) for key, found in complete.items()})
    return blocks


def _scores(results: JobResults, trials: Iterable[TrialRecord]) -> list[float]:
    return [score for trial in trials if (score := results.score(trial)) is not None]


def _value_result(
    results: JobResults, parameter: str, group: Sequence[TrialRecord], scores: Sequence[float]
) -> ValueResult:
    scored = ranked(group, results.metric.name, results.metric.mode)
    best, score = scored[0] if scored else (None, None)
    baseline = _baseline(results)
    key = parameter_key(group[0], parameter)
    return ValueResult(
        value=group[0].parameters[parameter],
        is_default=baseline is not None and parameter_key(baseline, parameter) == key,
        trials=len(group),
        scored=len(scored),
        best_trial=None if best is None else best.number,
        best=score,
        mean=statistics.mean(scores) if scores else None,
    )


def failure_pattern(results: JobResults) -> tuple[str, Any] | None:
    """Return the parameter value that all failed trials had and no other trial, if any.

    Trials that have not finished count as others. Only parameters with few values are looked at:
    of a sampled range every value is its own.
    """
    failed = [trial for trial in results.trials if trial.state is TrialState.FAILED]
    for name, comparison in results.comparisons.items():
        keys = {parameter_key(trial, name) for trial in failed}
        if comparison is None or len(keys) != 1 or None in keys:
            continue
        if sum(parameter_key(trial, name) in keys for trial in results.trials) == len(failed):
            return name, failed[0].parameters[name]
    return None
