"""Which parameters a job varied, and how their values compare.

Pure functions over records, by the declared metric's last value.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from results.analysis import JobResults, rank_in
from results.formatting import count
from results.memory import remembered
from results.records import TrialRecord
from results.states import TrialState
from results.wording import configuration
from search_spaces import Choice

#: A parameter with no declared values is compared value by value up to this many of them.
_MOST_VALUES = 8

#: Made once: ``json.dumps`` makes an encoder for each value.
_encode = json.JSONEncoder(sort_keys=True).encode


def value_key(value: Any) -> str:
    """Return a text that is equal for equal parameter values and tells 1 from true and "1"."""
    return _encode(value)


@remembered
def varied_parameters(results: JobResults) -> tuple[str, ...]:
    """Return the parameters that differ among the trials, in the order declared.

    Being absent (its condition does not hold) counts as a value.
    """
    declared = results.space.parameters
    names = dict.fromkeys(name for trial in results.trials for name in trial.parameters)
    ordered = sorted(names, key=rank_in(list(declared)))
    return tuple(name for name in ordered if len(_keys(results.trials, name)) > 1)


def _keys(trials: Iterable[TrialRecord], name: str) -> set[str | None]:
    return {value_key(t.parameters[name]) if name in t.parameters else None for t in trials}


def describe_trial(results: JobResults, trial: TrialRecord) -> str:
    """Say what sets a trial apart: what differs from the defaults (trial 0), or all that varied.

    Empty for a trial on its own.
    """
    names = varied_parameters(results)
    baseline = results.trial(0)
    if not results.space.is_one_at_a_time or baseline is None:
        return configuration(trial.parameters, names)
    changed = [n for n in names if _keys([trial], n) != _keys([baseline], n)]
    return configuration(trial.parameters, changed) or ("defaults" if names else "")


def default_value(results: JobResults, parameter: str) -> Any | None:
    """Return the value that the job relied on as the default: trial 0's under ``one_at_a_time``.

    None under every other strategy: a value that is merely declared as default took no other part.
    """
    baseline = results.trial(0) if results.space.is_one_at_a_time else None
    return None if baseline is None else baseline.parameters.get(parameter)


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


@remembered
def compare(results: JobResults, parameter: str) -> Comparison | None:
    """Compare a parameter's values; None for one sampled from a range.

    Under ``one_at_a_time`` over the trials that equal the defaults (trial 0) in all else, otherwise
    over the combinations of the other parameters in which every value has a result.
    """
    groups: dict[str, list[TrialRecord]] = {}
    for trial in _comparable(results, parameter):
        groups.setdefault(value_key(trial.parameters[parameter]), []).append(trial)
    declared = _declared_values(results, parameter)
    if declared is None and len(groups) > _MOST_VALUES:
        return None
    blocks = _blocks(results, parameter, groups)
    compared = {key for block in blocks for key in block}
    matched = [block for block in blocks if compared and block.keys() == compared]
    rows = [
        _value_result(
            results, parameter, group, _mean(results, group, [b.get(key) for b in matched])
        )
        for key, group in groups.items()
    ]
    if all(_is_number(row.value) for row in rows):
        rows.sort(key=lambda row: row.value)
    elif declared is not None:
        rows.sort(key=lambda row: rank_in(declared)(value_key(row.value)))
    return Comparison(parameter, len(blocks), len(matched), tuple(rows))


def basis(results: JobResults, comparison: Comparison | None) -> str:
    """Say what else differed between the trials of a comparison; None is that of a range."""
    if results.space.is_one_at_a_time:
        return "the other parameters at their defaults"
    if comparison is None or (not comparison.controlled and results.space.is_sampled):
        return "over the trials sampled, which is no controlled comparison"
    if len(varied_parameters(results)) == 1:
        return "all else equal"
    if not comparison.controlled:
        return "of which no combination of the other parameters has a result with each value"
    if comparison.matched == comparison.combinations:
        return f"mean over {count(comparison.matched, 'combination')} of the other parameters"
    return (
        f"mean over the {comparison.matched} of {comparison.combinations} combinations of the other"
        " parameters in which each value has a result"
    )


def _blocks(
    results: JobResults, parameter: str, groups: Mapping[str, Sequence[TrialRecord]]
) -> list[dict[str, float]]:
    """Return, per combination of the other parameters, the mean score of each value in it.

    A value is left out where one of its trials has no score. A parameter that comes and goes with
    the compared one, by its condition, does not tell combinations apart.
    """
    others = [
        name
        for name in varied_parameters(results)
        if name != parameter and all(_keys(group, name) != {None} for group in groups.values())
    ]
    cells: dict[tuple[str, ...], dict[str, list[float | None]]] = {}
    for key, group in groups.items():
        for trial in group:
            place = tuple(value_key(trial.parameters.get(name)) for name in others)
            cells.setdefault(place, {}).setdefault(key, []).append(results.score(trial))
    return [
        {
            key: statistics.mean(s for s in scores if s is not None)
            for key, scores in cell.items()
            if None not in scores
        }
        for cell in cells.values()
    ]


def _mean(
    results: JobResults, group: Sequence[TrialRecord], matched: Sequence[float | None]
) -> float | None:
    """Return the mean over the matched combinations, or else over what a sampler drew."""
    sampled = not matched and results.space.is_sampled
    values = [results.score(trial) for trial in group] if sampled else matched
    scores = [value for value in values if value is not None]
    return statistics.mean(scores) if scores else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _declared_values(results: JobResults, parameter: str) -> list[str] | None:
    domain = results.space.parameters.get(parameter)
    return list(map(value_key, domain.values)) if isinstance(domain, Choice) else None


def _comparable(results: JobResults, parameter: str) -> list[TrialRecord]:
    having = [trial for trial in results.trials if parameter in trial.parameters]
    baseline = results.trial(0)
    if not results.space.is_one_at_a_time or baseline is None:
        return having
    return [trial for trial in having if _differs_only_in(parameter, trial, baseline)]


def _differs_only_in(parameter: str, trial: TrialRecord, baseline: TrialRecord) -> bool:
    # A parameter that only one of the two has came or went with its condition, not by itself.
    shared = (trial.parameters.keys() & baseline.parameters.keys()) - {parameter}
    return all(
        value_key(trial.parameters[name]) == value_key(baseline.parameters[name]) for name in shared
    )


def _value_result(
    results: JobResults, parameter: str, group: Sequence[TrialRecord], mean: float | None
) -> ValueResult:
    value = group[0].parameters[parameter]
    ranked = replace(results, trials=tuple(group)).ranking()
    best = ranked[0] if ranked else None
    default = default_value(results, parameter)
    return ValueResult(
        value=value,
        is_default=default is not None and value_key(value) == value_key(default),
        trials=len(group),
        scored=len(ranked),
        best_trial=best[0].number if best else None,
        best=best[1] if best else None,
        mean=mean,
    )


def failure_pattern(results: JobResults) -> tuple[str, Any] | None:
    """Return the parameter value that all failed trials had and no other trial, if any.

    Trials that have not finished count as others. Only parameters with few values are looked at:
    of a sampled range every value is its own.
    """
    failed = {t.number: t for t in results.trials if t.state is TrialState.FAILED}
    if not failed:
        return None
    few = (name for name in varied_parameters(results) if compare(results, name) is not None)
    for name in few:
        shared = _keys(failed.values(), name)
        having = {trial.number for trial in results.trials if _keys([trial], name) <= shared}
        if len(shared) == 1 and None not in shared and having == failed.keys():
            return name, next(iter(failed.values())).parameters[name]
    return None
