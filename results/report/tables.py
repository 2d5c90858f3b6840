"""The report's tables as text, the same for HTML, Markdown and PDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.analysis import MOST_SHOWN
from results.formatting import duration, moment, number, parameter_value
from results.wording import during_note, prettify, words
from trainables.contract import Metric

Report = Mapping[str, Any]

#: Of more trials than this, only the best one's curves are listed; the JSON report has them all.
_MOST_CURVES = 8


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


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what identifies the job, as pairs of a label and a text."""
    job = report["job"]
    pairs = [("Job", job["id"]), *((prettify(name), job[name]) for name in _FACTS)]
    pairs += [(prettify(name), moment(job[name])) for name in _TIMES]
    pairs += list(report["constants"].items())
    if job["error"] is not None:
        pairs.append(("Error", job["error"]["message"]))
    return [(label, parameter_value(v)) for label, v in pairs if v not in (None, "")]


_FACTS = ("name", "state", "search_space", "trainable", "dataset", "strategy", "epochs", "seed")
_TIMES = ("created_at", "started_at", "finished_at")


def tables(report: Report) -> list[Table]:
    """Return all tables that have a row, in reading order."""
    found = [
        trials_table(report),
        *(comparison_table(report, c) for c in report["comparison"]),
        curves_table(report),
        failures_table(report),
    ]
    return [table for table in found if table.rows]


def trials_table(report: Report) -> Table:
    """List the trials shown, best first, those without a rank behind them by number.

    Of several trials no test metric is listed: that figure is the selected one's only.
    """
    ordered = sorted(report["trials"], key=lambda t: (t["rank"] is None, t["rank"], t["number"]))
    trials = ordered[: report["shown"]]
    varied = report["varied"]
    metrics = [name for name in report["metrics"] if _shows_all(report, name)]
    labels = [metric_label(report["metrics"][name]) for name in metrics]
    rows = tuple(
        (
            _cell(trial["rank"]),
            str(trial["number"]),
            trial["state"],
            *(_cell(trial["parameters"].get(name)) for name in varied),
            *(number(trial["metrics"].get(name)) for name in metrics),
            str(trial["epochs"]),
            duration(trial["seconds"]),
        )
        for trial in trials
    )
    columns = ("Rank", "Trial", "State", *map(prettify, varied), *labels, "Epochs", "Time")
    right = (True, True, False, *(False for _ in varied), *(True for _ in labels), True, True)
    some = f", {len(trials)} of {len(ordered)}" if len(trials) < len(ordered) else ""
    title = f"Trials at their last epoch, best first{some}{_during(report, metrics)}"
    return Table(title, columns, rows, right, _best_row(report, trials))


def _shows_all(report: Report, metric: str) -> bool:
    """As :meth:`results.analysis.JobResults.shows_all`, of a built report."""
    is_declared = metric == report["metric"]["name"]
    return is_declared or len(report["trials"]) < 2 or not _is_test(report, metric)


def _during(report: Report, metrics: Iterable[str]) -> str:
    return during_note(Metric(**report["metrics"][name]) for name in dict.fromkeys(metrics))


def _is_test(report: Report, metric: str) -> bool:
    return bool(report["metrics"][metric]["split"] == "test")


def _best_row(report: Report, trials: Sequence[Mapping[str, Any]]) -> int | None:
    best = report["best"]
    numbers = [trial["number"] for trial in trials]
    return None if best is None or best["trial"] not in numbers else numbers.index(best["trial"])


def metric_label(info: Mapping[str, Any]) -> str:
    """Return a metric's label short enough for a column: without what is in parentheses."""
    return str(info["label"]).partition(" (")[0]


def comparison_table(report: Report, comparison: Mapping[str, Any]) -> Table:
    """List a parameter's values with the best and the mean score of their trials."""
    label = metric_label(report["metric"])
    rows = tuple(
        (
            _cell(row["value"]) + (" (default)" if row["is_default"] else ""),
            f"{row['scored']} of {row['trials']}",
            _cell(row["best_trial"]),
            number(row["best"]),
            number(row["mean"]),
        )
        for row in comparison["rows"]
    )
    name = prettify(comparison["parameter"])
    columns = (name, "Succeeded", "Best trial", f"{label}, best", "Mean")
    best = report["best"]
    stressed = [i for i, row in enumerate(comparison["rows"]) if best and _is_best(row, best)]
    title = f"Effect of the {words(comparison['parameter'])}, {comparison['basis']}"
    return Table(title, columns, rows, (False, *[True] * 4), next(iter(stressed), None))


def _is_best(row: Mapping[str, Any], best: Mapping[str, Any]) -> bool:
    return bool(row["best_trial"] == best["trial"])


def curves_table(report: Report) -> Table:
    """List where each curve began, was best and ended; of many trials, the best one's.

    A test metric is the best trial's only, and no epoch of it is called best: nothing may be
    chosen by it.
    """
    best, many = report["best"], len(report["trials"]) > _MOST_CURVES
    selected = None if best is None else best["trial"]
    curves = [
        curve
        for curve in report["curves"]
        if curve["trial"] == selected or (_shows_all(report, curve["metric"]) and not many)
    ]
    rows = tuple(
        (
            str(curve["trial"]),
            metric_label(report["metrics"][curve["metric"]]),
            _point(curve["first"]),
            "" if _is_test(report, curve["metric"]) else _point(curve["best"]),
            _point(curve["last"]),
        )
        for curve in curves
    )
    columns = ("Trial", "Metric", "First", "Best", "Last")
    title = f"Curves: value (epoch){_during(report, [curve['metric'] for curve in curves])}"
    return Table(title, columns, rows, (True, False, True, True, True))


def _point(point: Mapping[str, Any] | None) -> str:
    return "" if point is None else f"{number(point['value'])} ({point['epoch']})"


def failures_table(report: Report) -> Table:
    """List the trials that failed, with the reason; of many the first."""
    rows = tuple(
        (str(t["number"]), words(t["error"]["kind"]), t["error"]["message"])
        for t in report["trials"]
        if t["error"] is not None
    )
    some = f", the first {MOST_SHOWN} of {len(rows)}" if len(rows) > MOST_SHOWN else ""
    columns = ("Trial", "Kind", "Message")
    return Table(f"Failures{some}", columns, rows[:MOST_SHOWN], (True, False, False))


def _cell(value: Any) -> str:
    return "" if value is None else parameter_value(value)
