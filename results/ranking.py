"""The one order of a job's trials: best score first, of equal scores the lower number."""

from __future__ import annotations

import math
from collections.abc import Iterable

from results.records import TrialRecord
from results.states import TrialState

#: The metrics of every trial: its training seconds, the size of its newest checkpoint in bytes.
SECONDS, MODEL_BYTES = "seconds", "model_bytes"


def value_of(trial: TrialRecord, metric: str) -> float | None:
    """Return the metric's last value, None if the trial has none.

    Besides what it reported, every trial has ``seconds``, how long it has trained, and one with a
    checkpoint has ``model_bytes``, the size of the one that was made last.
    """
    if metric in trial.metrics:
        return trial.metrics[metric]
    if metric == SECONDS:
        return trial.seconds
    return float(trial.model_bytes) if metric == MODEL_BYTES and trial.model_bytes else None


def score_of(trial: TrialRecord, metric: str) -> float | None:
    """Return the metric's last value, or None unless the trial succeeded with a finite one."""
    value = value_of(trial, metric)
    if trial.state is not TrialState.SUCCEEDED or value is None or not math.isfinite(value):
        return None
    return value


def sort_key(value: float, number: int, mode: str) -> tuple[float, int]:
    """Return the key that sorts trials best first, from a score and a trial's number."""
    return (-value if mode == "max" else value, number)


def ranked(
    trials: Iterable[TrialRecord], metric: str, mode: str
) -> tuple[tuple[TrialRecord, float], ...]:
    """Return the trials that have a score, each with it, best first."""
    scored = [(trial, value) for trial in trials if (value := score_of(trial, metric)) is not None]
    scored.sort(key=lambda pair: sort_key(pair[1], pair[0].number, mode))
    return tuple(scored)


def ranks(trials: Iterable[TrialRecord], metric: str, mode: str) -> dict[int, int]:
    """Return the rank, from 1, of each trial that has a score, by the trial's number."""
    ordered = ranked(trials, metric, mode)
    return {trial.number: rank for rank, (trial, _) in enumerate(ordered, start=1)}
