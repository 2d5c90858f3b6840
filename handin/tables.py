"""The tables of one run: configuration, trials, and an abbreviated table of its epochs."""

from __future__ import annotations

from handin.answers import Answer, at, best_epoch
from handin.wording import Table
from results.comparison import value_key
from results.formatting import duration, number, parameter_value
from results.wording import EXTREME, during_note, in_sentence, words

#: Epochs that the abbreviated table shows, besides the last one and the best by each metric.
SHOWN_EPOCHS = frozenset({1, 2, 5, 10, 15, 20, 50, 75, 100, 125, 150})

_SETTINGS = ("trainable", "dataset", "strategy", "epochs", "seed")


def configuration(answer: Answer) -> list[tuple[str, str]]:
    """Return the rows of the configuration table: the settings, and the values that ran."""
    spec, results = answer.spec, answer.results
    rows = [(words(name), str(spec[name])) for name in _SETTINGS if name in spec]
    if results.varied:
        rows.append(("selected by", f"{in_sentence(results.metric)}, last epoch"))
    values: dict[str, dict[str, str]] = {}
    for trial in results.trials:
        for name, value in trial.parameters.items():
            values.setdefault(name, {})[value_key(value)] = parameter_value(value)
    return [*rows, *((words(name), ", ".join(texts.values())) for name, texts in values.items())]


def trials_table(answer: Answer) -> Table | None:
    """Tabulate the trials of a search, the selected one in bold; None for a single trial.

    It has no test metric: that figure is shown of the selected trial only.
    """
    results = answer.results
    trials, varied = results.trials, results.varied
    if len(trials) < 2:
        return None
    metrics = [info for info in map(results.info, results.metric_names) if results.shows_all(info)]
    header = ["trial", *map(words, varied), *(info.label for info in metrics), "time", "state"]
    rows = [
        [
            str(trial.number),
            *(parameter_value(trial.parameters.get(name, "-")) for name in varied),
            *(number(trial.metrics[m.name]) if m.name in trial.metrics else "-" for m in metrics),
            duration(trial.seconds),
            f"{trial.state} ({words(trial.error.kind)})" if trial.error else trial.state.value,
        ]
        for trial in trials
    ]
    best = results.best
    bold = [row for row, trial in enumerate(trials) if best and trial.number == best.number]
    caption = f"Trials at their last epoch; the selected one in bold{during_note(metrics)}"
    return Table(caption, header, rows, bold)


def epochs_table(answer: Answer) -> Table | None:
    """Tabulate the selected trial's curve at a few epochs, the best in bold; None without it.

    Best is what the declared metric calls best; the epochs shown have the best one by every metric,
    by a test metric only where the run has no validation metric.
    """
    curve, results = answer.best_curve(), answer.results
    if curve is None:
        return None
    metric = results.metric
    infos = [results.info(name) for name in results.metric_names if name in curve.metrics]
    marked = [metric, *(info for info in infos if results.may_mark_best(info))]
    extremes = {best_epoch(curve, info.name, info.mode) for info in marked}
    shown = [e for e in curve.epochs if e in SHOWN_EPOCHS | extremes | {curve.epochs[-1]}]
    rows = [[str(e), *(number(at(curve, info.name, e)) for info in infos)] for e in shown]
    subject = f"Trial {curve.trial}" if len(results.trials) > 1 else "The run"
    best = f"the {EXTREME[metric.mode]} {in_sentence(metric)}"
    caption = f"{subject} by epoch; in bold the one with {best}{during_note(infos)}"
    bold = best_epoch(curve, metric.name, metric.mode)
    return Table(
        caption,
        ["epoch", *(info.label for info in infos)],
        rows,
        [row for row, epoch in enumerate(shown) if epoch == bold],
    )
