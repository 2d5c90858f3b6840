"""The tables of one run: configuration, trials, and an abbreviated table of its epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.handin.answers import Answer, Curve
from results.handin.wording import Table, wall_time, words
from results.wording import number, parameter_value

#: Epochs that the abbreviated table shows, besides the last one and the best by each metric.
SHOWN_EPOCHS = frozenset({1, 2, 5, 10, 15, 20, 50, 75, 100, 125, 150})

_SETTINGS = ("trainable", "dataset", "strategy", "epochs", "seed")


def configuration(answer: Answer) -> list[tuple[str, str]]:
    """Return the rows of the configuration table: what was set, and what was searched."""
    spec, varied = answer.spec, answer.varied()
    rows = [(words(name), str(spec[name])) for name in _SETTINGS if name in spec]
    if varied:
        rows.append(("selected by", f"{answer.label(spec['metric'])}, last epoch"))
    parameters = answer.trials[0]["parameters"] if answer.trials else {}
    for name, value in parameters.items():
        values = varied.get(name, [value])
        rows.append((words(name), ", ".join(parameter_value(value) for value in values)))
    return rows


def trials_table(answer: Answer) -> Table | None:
    """Tabulate the trials of a search, the selected one in bold; None for a single trial."""
    trials, varied = answer.trials, list(answer.varied())
    if len(trials) < 2:
        return None
    metrics = metric_names(answer)
    header = ["trial", *map(words, varied), *map(answer.label, metrics), "time", "state"]
    rows = [
        [
            str(trial["number"]),
            *(parameter_value(trial["parameters"].get(name, "-")) for name in varied),
            *(_cell(trial["metrics"], metric) for metric in metrics),
            wall_time(trial.get("seconds")),
            _state(trial),
        ]
        for trial in trials
    ]
    best = answer.best["trial"] if answer.best else None
    bold = [row for row, trial in enumerate(trials) if trial["number"] == best]
    return Table("Trials after their last epoch; the selected one in bold", header, rows, bold)


def epochs_table(answer: Answer) -> Table | None:
    """Tabulate the selected trial's curve at a few epochs, the best in bold; None without it."""
    curve, spec = answer.best_curve(), answer.spec
    if curve is None:
        return None
    best = curve.best_epoch(spec["metric"], spec["mode"])
    metrics = [name for name in metric_names(answer) if name in curve.metrics]
    modes = {
        n: info["mode"] for n, info in answer.report.get("metrics", {}).items() if n in metrics
    }
    extremes = {best, *(curve.best_epoch(name, mode) for name, mode in modes.items())}
    shown = [e for e in curve.epochs if e in SHOWN_EPOCHS | extremes | {curve.epochs[-1]}]
    rows = [[str(e), *(number(curve.at(metric, e)) for metric in metrics)] for e in shown]
    subject = f"Trial {curve.trial}" if len(answer.trials) > 1 else "The run"
    caption = f"{subject} by epoch; in bold the one with the best {_lower(answer, spec['metric'])}"
    header = ["epoch", *map(answer.label, metrics)]
    return Table(caption, header, rows, (shown.index(best),))


def metric_names(answer: Answer) -> list[str]:
    """Return the metrics in the report's order, or else in that of the first curve."""
    named = list(answer.report.get("metrics", {}))
    if named or not answer.curves:
        return named
    return list(Curve.from_json(answer.curves[0]).metrics)


def _lower(answer: Answer, metric: str) -> str:
    """Return the metric's label as it stands inside a sentence ("RMSE" stays as it is)."""
    label = answer.label(metric)
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _cell(metrics: Mapping[str, Any], metric: str) -> str:
    value = metrics.get(metric)
    return "-" if value is None else number(value)


def _state(trial: Mapping[str, Any]) -> str:
    """Return the trial's state and, for a failed one, the kind of failure."""
    error = trial.get("error")
    kind = error.get("kind") if isinstance(error, Mapping) else None
    return f"{trial['state']} ({words(kind)})" if kind else str(trial["state"])
