"""The facts and tables of a report as text, the same for HTML, Markdown and PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from results.analysis import MOST_SHOWN, JobResults
from results.comparison import Comparison, basis
from results.curve_shape import CurvePoint, CurveSummary, summarize_curve
from results.formatting import count, duration, mean_text, moment, number, parameter_value
from results.lineage import origin_text
from results.provenance import provenance
from results.ranking import MODEL_BYTES, value_of
from results.records import TrialRecord
from results.wording import during_note, prettify, words
from search_spaces import Constraint
from trainables.contract import Metric

#: Above this many trials, only the best one's curves are listed; the JSON report has them all.
_MOST_CURVES = 8
#: The most metrics that have a column; the JSON report has them all.
_MOST_METRICS = 8


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text: ``highlight`` is the index of the row to stress, or None.

    ``numeric`` says of each column whether it is aligned to the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    highlight: int | None = None


def facts(results: JobResults) -> list[tuple[str, str]]:
    """Return what identifies the job, as pairs of a label and a text."""
    job, space = results.job, results.space
    engines = engines_of(results)
    pairs = [
        ("Job", job.id),
        ("Name", job.name),
        ("State", job.state.value),
        ("Search space", space.name),
        *provenance(job.spec.to_json()),
        ("Strategy", space.strategy),
        *declared(results),
        ("Epochs", str(space.epochs)),
        ("Seed", str(job.spec.seed)),
        ("Engine", engines[0] if len(engines) == 1 else ""),
        ("Created at", moment(job.created_at)),
        ("Started at", moment(job.started_at)),
        ("Finished at", moment(job.finished_at)),
        *((name, parameter_value(value)) for name, value in constants(results).items()),
        ("Error", "" if job.error is None else job.error.message),
    ]
    return [(label, text) for label, text in pairs if text]


def declared(results: JobResults) -> list[tuple[str, str]]:
    """Return what the search declares besides its parameters, as pairs of a label and a text."""
    space = results.space
    scheduler = space.scheduler.to_json()
    own = scheduler if isinstance(scheduler, Mapping) else {}
    history = count(len(space.history), "trial") if space.history else ""
    return [
        ("Chosen by auto", results.job.spec.chosen),
        ("Scheduler", "" if space.scheduler.is_none else _named(space.scheduler.name, own)),
        ("Constraints", "; ".join(map(_limits, space.constraints))),
        ("Budget", _members(space.budget.to_json())),
        ("Warm start", ", ".join(f"job {job_id}" for job_id in space.warm_start)),
        ("History", f"{history} from elsewhere" if history else ""),
    ]


def _named(name: str, members: Mapping[str, Any]) -> str:
    """Return ``asha (reduction factor 3, min epochs 1)``."""
    shown = _members({key: value for key, value in members.items() if key != "name"})
    return f"{name} ({shown})" if shown else name


def _members(members: Mapping[str, Any]) -> str:
    return ", ".join(f"{words(name)} {parameter_value(v)}" for name, v in members.items())


def _limits(limit: Constraint) -> str:
    """Return ``model_bytes at most 100``."""
    bounds = {"at least": limit.at_least, "at most": limit.at_most}
    named = [f"{name} {number(v)}" for name, v in bounds.items() if v is not None]
    return f"{limit.metric} {' and '.join(named)}"


def engines_of(results: JobResults) -> list[str]:
    """Return the engines that trained the trials, as far as they are known."""
    return list(dict.fromkeys(trial.engine for trial in results.trials if trial.engine))


def constants(results: JobResults) -> dict[str, Any]:
    """Return the parameters that all trials have in common."""
    first = results.trials[0].parameters if results.trials else {}
    return {name: value for name, value in first.items() if name not in results.varied}


def tables(results: JobResults) -> list[Table]:
    """Return all tables that have a row, in reading order."""
    compared = [each for each in results.comparisons.values() if each is not None]
    compared = [] if results.breaks_all else compared
    found = [
        front_table(results),
        trials_table(results),
        schedule_table(results),
        *(comparison_table(results, comparison) for comparison in compared),
        curves_table(results),
        failures_table(results),
    ]
    return [table for table in found if table.rows]


def trials_table(results: JobResults) -> Table:
    """List the trials shown, best first, those without a rank behind them by number.

    If there are several trials, no test metric is listed: that figure is the selected one's only.
    """
    infos = [info for info in map(results.info, results.metric_names) if results.shows_all(info)]
    asked = {results.metric.name, *(limit.metric for limit in results.space.constraints)}
    asked |= {objective.metric for objective in results.space.secondary}
    infos = [m for i, m in enumerate(infos) if i < _MOST_METRICS or m.name in asked]
    infos += [results.info(MODEL_BYTES)] * (MODEL_BYTES in asked)
    extra = [
        name
        for name, is_there in (
            ("Mean ± standard deviation", results.space.repeats > 1),
            ("Not ranked", bool(results.ranking.violations)),
            ("Went on from", any(trial.parent is not None for trial in results.trials)),
        )
        if is_there
    ]
    varied, engines = results.varied, ["Engine"] * (len(engines_of(results)) > 1)
    rows = tuple(
        (
            str(results.ranks.get(trial.number, "")),
            str(trial.number),
            trial.state.value,
            *(_parameter(trial, name) for name in varied),
            *(number(value_of(trial, info.name)) for info in infos),
            str(trial.epochs),
            duration(trial.seconds),
            *(_EXTRA[name](results, trial) for name in extra),
            *(trial.engine for _ in engines),
        )
        for trial in results.shown
    )
    labels = [_short(info) for info in infos]
    head = ("Rank", "Trial", "State", *map(prettify, varied), *labels, "Epochs", "Time", *extra,
            *engines)  # fmt: skip
    left = (*(False for _ in varied), *(True for _ in labels))
    numeric = (True, True, False, *left, True, True, *(False for _ in (*extra, *engines)))
    some = f", {len(rows)} of {len(results.trials)}" if len(rows) < len(results.trials) else ""
    title = f"Trials with their last values, best first{some}{during_note(infos)}"
    best = [place for place, trial in enumerate(results.shown) if trial is results.best]
    return Table(title, head, rows, numeric, next(iter(best), None))


def _mean(results: JobResults, trial: TrialRecord) -> str:
    one = results.ranking.by_trial.get(trial.number)
    return "" if one is None else mean_text(one.value, one.standard_deviation, one.n)


def _broken(results: JobResults, trial: TrialRecord) -> str:
    return "; ".join(results.ranking.violations.get(trial.number, ()))


#: Columns of :func:`trials_table` that only some jobs have.
_EXTRA: Mapping[str, Callable[[JobResults, TrialRecord], str]] = {
    "Mean ± standard deviation": _mean,
    "Not ranked": _broken,
    "Went on from": lambda _, trial: origin_text(trial),
}


def schedule_table(results: JobResults) -> Table:
    """List the values with which the best trial was trained, where it went on from others."""
    best = results.best
    parts = () if best is None or best.parent is None else results.schedule_of(best.number)
    rows = tuple(
        (f"{p.first} to {p.last}", str(p.trial), *(_value(p.parameters, n) for n in results.varied))
        for p in parts
    )
    columns = ("Epochs", "Trial", *map(prettify, results.varied))
    numeric = (False, True, *(False for _ in results.varied))
    return Table("Schedule of the best trial", columns, rows, numeric)


def front_table(results: JobResults) -> Table:
    """List the configurations that no other one beats in every objective."""
    space = results.space
    names = [_short(results.info(objective.metric)) for objective in space.objectives]
    columns = ("Trial", *map(prettify, results.varied), *names)
    numeric = (True, *(False for _ in results.varied), *(True for _ in names))
    rows = tuple(
        (
            str(one.trial.number),
            *(_parameter(one.trial, name) for name in results.varied),
            *map(number, one.values),
        )
        for one in results.ranking.front[:MOST_SHOWN]
        if space.secondary
    )
    return Table("Pareto front: no other configuration is better in all", columns, rows, numeric)


def _parameter(trial: TrialRecord, name: str) -> str:
    return _value(trial.parameters, name)


def _value(parameters: Mapping[str, Any], name: str) -> str:
    """Return a parameter's value, ``null`` included; empty where the parameter did not apply."""
    return parameter_value(parameters[name]) if name in parameters else ""


def _short(info: Metric) -> str:
    """Return a metric's label short enough for a column: without what is in parentheses."""
    return info.label.partition(" (")[0]


def comparison_table(results: JobResults, comparison: Comparison) -> Table:
    """List a parameter's values with the best and the mean score of their trials."""
    rows = tuple(
        (
            parameter_value(row.value) + " (default)" * row.is_default,
            f"{row.scored} of {row.trials}",
            "" if row.best_trial is None else str(row.best_trial),
            number(row.best),
            number(row.mean),
        )
        for row in comparison.rows
    )
    name, label = prettify(comparison.parameter), _short(results.metric)
    columns = (name, "Succeeded", "Best trial", f"{label}, best", "Mean")
    best = None if results.job.best is None else results.job.best.trial
    stressed = [i for i, row in enumerate(comparison.rows) if row.scored and row.best_trial == best]
    title = f"Effect of the {words(comparison.parameter)}, {basis(results, comparison)}"
    return Table(title, columns, rows, (False, *[True] * 4), next(iter(stressed), None))


def curves_table(results: JobResults) -> Table:
    """List where each curve began, was best and ended; of many trials, the best one's.

    A test metric is the best trial's only, and no epoch of it is called best: nothing may be
    chosen by it.
    """
    many = len(results.trials) > _MOST_CURVES
    shown = [
        (trial, info, summary)
        for trial, info, summary in curve_summaries(results)
        if trial is results.best or (results.shows_all(info) and not many)
    ]
    rows = tuple(
        (
            str(summary.trial),
            _short(info),
            _point(summary.first),
            "" if info.split == "test" else _point(summary.best),
            _point(summary.last),
        )
        for _, info, summary in shown
    )
    columns = ("Trial", "Metric", "First", "Best", "Last")
    note = during_note(dict.fromkeys(info for _, info, _ in shown))
    return Table(f"Curves: value (epoch){note}", columns, rows, (True, False, True, True, True))


def curve_summaries(results: JobResults) -> Iterator[tuple[TrialRecord, Metric, CurveSummary]]:
    """Yield a summary for each trial's curve of each metric that has a value."""
    for trial in results.trials:
        for info in map(results.info, results.metric_names):
            curve = results.curves.get(trial.number)
            summary = None if curve is None else summarize_curve(curve, info)
            if summary is not None:
                yield trial, info, summary


def _point(point: CurvePoint | None) -> str:
    return "" if point is None else f"{number(point.value)} ({point.epoch})"


def failures_table(results: JobResults) -> Table:
    """List the trials that failed, with the reason; of many the first."""
    failed = [(t.number, t.error) for t in results.trials if t.error is not None]
    rows = tuple((str(n), words(error.kind), error.message) for n, error in failed[:MOST_SHOWN])
    some = f", the first {len(rows)} of {len(failed)}" if len(rows) < len(failed) else ""
    return Table(f"Failures{some}", ("Trial", "Kind", "Message"), rows, (True, False, False))
