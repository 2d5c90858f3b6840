"""How a search went: its history, the spread of its values, its curves, and when trials ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from results.analysis import JobResults
from results.figures.figure import MOST_MARKS, Figure, axis, figure, marks, steps, thinned
from results.formatting import duration
from results.plots.early import Early, ended_early
from results.plots.scales import Scale
from results.plots.searches import HistoryPoint
from results.plots.searches import history as history_of
from results.plots.style import EARLY
from results.records import TrialRecord
from results.states import TrialState
from results.wording import axis_label

#: The most curves in one figure, and in its legend.
MOST_CURVES, _MOST_NAMED = 60, 10


def history(results: JobResults, _: Sequence[str]) -> Figure:
    """Return a mark for each configuration by its first trial's number, and the best so far.

    Trials that ended early have hollow marks, and no part in the best so far.
    """
    points, early = history_of(results), ended_early(results)
    traces = [_early_marks(early)] if early.trials else []
    if points:
        shown = thinned(points)
        numbers = [p.trial for p in shown]
        grown = [(p.trial, p.best) for p in _improvements(points)]
        last = max([points[-1].trial, *(trial.number for trial, _ in early.trials)])
        x, y = zip(*grown, (last, points[-1].best), strict=True)
        traces += [
            marks(numbers, [p.score for p in shown], numbers, "one trial", "--series-1"),
            steps(x, y, "best so far", "--series-2"),
        ]
    scale = Scale.of([*(point.score for point in points), *early.values], results.metric.mode)
    return figure(traces, axis("Trial"), axis(axis_label(results.metric), scale))


def _early_marks(early: Early) -> dict[str, Any]:
    shown = thinned(early.trials)
    numbers = [trial.number for trial, _ in shown]
    hollow = {"symbol": "circle-open"}
    values = [value for _, value in shown]
    return marks(numbers, values, numbers, EARLY, "--series-1", opacity=0.6, marker=hollow)


def _improvements(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    before = [None, *(point.best for point in points)]
    return [point for point, best in zip(points, before, strict=False) if point.best != best]


def distribution(results: JobResults, _: Sequence[str]) -> Figure:
    """Return which share of the configurations is at or below each value."""
    scores = sorted(score for _, score in results.ranked)
    shares = [(score, place / len(scores)) for place, score in enumerate(scores, start=1)]
    values, heights = zip(*thinned(shares), strict=True)
    scale = Scale.of(scores, results.metric.mode)
    trace = steps(values, heights, "share of the configurations", "--series-1")
    share = axis("Share of the configurations", range=[0, 1.02])
    return figure([trace], axis(axis_label(results.metric), scale), share)


def curves(results: JobResults, _: Sequence[str]) -> Figure:
    """Return the declared metric by epoch, a line for each trial, of many the best ones."""
    trials = curved(results)[:MOST_CURVES]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"trial {trial.number}, {trial.state}",
            "x": list(results.curves[trial.number].epochs),
            "y": list(results.curves[trial.number].metrics[results.metric.name]),
            "meta": {"trial": trial.number},
            "line": {"dash": "dot" if trial.state is TrialState.STOPPED else "solid"},
        }
        for trial in trials
    ]
    values = [
        value for trial in trials
        for value in results.curves[trial.number].reported(results.metric.name)
    ]  # fmt: skip
    scale = Scale.of(values, results.metric.mode)
    has_legend = len(traces) <= _MOST_NAMED
    values_axis = axis(axis_label(results.metric), scale)
    return figure(traces, axis("Epoch"), values_axis, showlegend=has_legend)


def curved(results: JobResults) -> list[TrialRecord]:
    """Return the trials that have reported the declared metric, best first."""
    name = results.metric.name
    return [
        trial for trial in results.shown
        if trial.number in results.curves and results.curves[trial.number].reported(name)
    ]  # fmt: skip


def timeline(results: JobResults, _: Sequence[str]) -> Figure:
    """Return a bar for each of the latest trials, from its start to its end."""
    trials = started(results)[-MOST_MARKS:]
    now = max(time for trial in trials for time in (trial.started_at, trial.finished_at) if time)
    traces = []
    for state in TrialState:
        found = [trial for trial in trials if trial.state is state]
        if found:
            traces.append(_bars(found, state, now))
    times = axis("Time (UTC)", type="date")
    return figure(traces, times, axis("Trial"), barmode="overlay", showlegend=True)


def started(results: JobResults) -> list[TrialRecord]:
    """Return the trials of the search that have begun, in the order in which they began."""
    begun = [(t.started_at, t.number, t) for t in results.trials if t.started_at is not None]
    return [trial for _, _, trial in sorted(begun, key=lambda row: row[:2])]


def _bars(trials: Sequence[TrialRecord], state: TrialState, now: datetime) -> dict[str, Any]:
    spans = [(t.started_at or now, t.finished_at or now) for t in trials]
    return {
        "type": "bar", "orientation": "h", "name": state.value,
        "base": [_written(start) for start, _ in spans],
        "x": [max(0.0, (end - start).total_seconds() * 1000) for start, end in spans],
        "y": [trial.number for trial in trials],
        "customdata": [trial.number for trial in trials],
        "text": [f"{duration(t.seconds)} of training, on {t.node or 'no node'}" for t in trials],
        "textposition": "none",
        "hovertemplate": "trial %{y}: %{text}<extra>" + state.value + "</extra>",
        "meta": {"color": f"--state-{state.value}"},
    }  # fmt: skip


def _written(time: datetime) -> str:
    """Write a time as plotly reads dates, which know no zone."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
