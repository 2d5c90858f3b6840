"""Which parameters a job varied, and how their values compare.

Pure functions over records, by the declared metric's last value.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from results.analysis import LISTING_STRATEGIES, JobResults, rank_in
from results.records import TrialRecord
from results.states import TrialState
from results.wording import configuration

#: A parameter with no declared values is compared value by value up to this many of them.
_MOST_VALUES = 8


def value_key(value: Any) -> str:
    """Return a text that is equal for equal parameter values and tells 1 from true and "1"."""
    return json.dumps(value, sort_keys=True)


def varied_parameters(results: JobResults) -> tuple[str, ...]:
    """Return the parameters that differ among the trials, in the order declared.

    Being absent (its condition does not hold) counts as a value.
    """
    declared = results.job.spec["parameters"]
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
    if results.strategy != "one_at_a_time" or baseline is None:
        return configuration(trial.parameters, names)
    changed = [n for n in names if _keys([trial], n) != _keys([baseline], n)]
    return configuration(trial.parameters, changed) or ("defaults" if names else "")


def default_value(results: JobResults, parameter: str) -> Any | None:
    """Return a parameter's default: trial 0's under ``one_at_a_time``, else the declared one."""
    if results.strategy == "one_at_a_time":
        baseline = results.trial(0)
        return None if baseline is None else baseline.parameters.get(parameter)
    domain = results.job.spec["parameters"].get(parameter)
    return domain.get("default") if isinstance(domain, Mapping) else None


@dataclass(frozen=True, slots=True)
class ValueResult:
    """How the trials with one value of a parameter did, by the declared metric's last value.

    ``trials`` counts them all, ``scored`` those that ``best`` and ``mean`` are over; both are None
    where none succeeded.
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

    ``controlled``: the trials differ in this parameter alone (``one_at_a_time``), or every value
    met the same others (``grid``); otherwise a sampler chose and the means are confounded.
    """

    parameter: str
    controlled: bool
    rows: tuple[ValueResult, ...]

    def ranked(self, mode: str) -> list[tuple[ValueResult, float]]:
        """Return the rows that have a mean, with it, best first."""
        scored = [(row, row.mean) for row in self.rows if row.mean is not None]
        return sorted(scored, key=lambda pair: pair[1], reverse=mode == "max")


def compare(results: JobResults, parameter: str) -> Comparison | None:
    """Compare a parameter's values; None for one sampled from a range.

    Under ``one_at_a_time`` over the trials that equal the defaults (trial 0) in all else, otherwise
    over all trials, which makes it marginal to the other parameters.
    """
    groups: dict[str, list[TrialRecord]] = {}
    for trial in _comparable(results, parameter):
        groups.setdefault(value_key(trial.parameters[parameter]), []).append(trial)
    declared = _declared_values(results, parameter)
    if declared is None and len(groups) > _MOST_VALUES:
        return None
    rows = [_value_result(results, parameter, group) for group in groups.values()]
    if all(_is_number(row.value) for row in rows):
        rows.sort(key=lambda row: row.value)
    elif declared is not None:
        rows.sort(key=lambda row: rank_in(declared)(value_key(row.value)))
    return Comparison(parameter, results.strategy in LISTING_STRATEGIES, tuple(rows))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _declared_values(results: JobResults, parameter: str) -> list[str] | None:
    domain = results.job.spec["parameters"].get(parameter)
    values = domain.get("values") if isinstance(domain, Mapping) else None
    return None if values is None else [value_key(value) for value in values]


def _comparable(results: JobResults, parameter: str) -> list[TrialRecord]:
    having = [trial for trial in results.trials if parameter in trial.parameters]
    baseline = results.trial(0)
    if results.strategy != "one_at_a_time" or baseline is None:
        return having
    return [trial for trial in having if _differs_only_in(parameter, trial, baseline)]


def _differs_only_in(parameter: str, trial: TrialRecord, baseline: TrialRecord) -> bool:
    # A parameter that only one of the two has came or went with its condition, not by itself.
    shared = (trial.parameters.keys() & baseline.parameters.keys()) - {parameter}
    return all(
        value_key(trial.parameters[name]) == value_key(baseline.parameters[name]) for name in shared
    )


def _value_result(results: JobResults, parameter: str, group: Sequence[TrialRecord]) -> ValueResult:
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
        mean=statistics.mean(score for _, score in ranked) if ranked else None,
    )


def failure_pattern(results: JobResults) -> tuple[str, Any] | None:
    """Return the parameter value that all failed trials had and no other finished trial, if any.

    Only parameters with few values are looked at: of a sampled range every value is its own.
    """
    finished = [trial for trial in results.trials if trial.state.is_finished]
    failed = {t.number: t for t in finished if t.state is TrialState.FAILED}
    if not failed or len(failed) == len(finished):
        return None
    few = (name for name in varied_parameters(results) if compare(results, name) is not None)
    for name in few:
        shared = _keys(failed.values(), name)
        having = {trial.number for trial in finished if _keys([trial], name) <= shared}
        if len(shared) == 1 and None not in shared and having == failed.keys():
            return name, next(iter(failed.values())).parameters[name]
    return None
