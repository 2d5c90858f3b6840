"""What a trial of a population was trained with: its own epochs, and those of trials before it.

A trial with a ``parent`` went on from that trial's state after its ``start_epoch``. Its own reports
begin at the next epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results.records import Curve, JsonObject, TrialRecord

#: What to do instead of running one trial of a population again.
AGAIN = "submit the whole search again with its seed: it finds the same schedule"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of training: epochs ``first`` to ``last`` with these ``parameters``, by a trial."""

    trial: int
    first: int
    last: int
    parameters: JsonObject


def ancestry(trials: Mapping[int, TrialRecord], number: int) -> tuple[TrialRecord, ...]:
    """Return the trials from whose states a trial went on, the first one first, and the trial.

    ``trials`` are a job's by number; an ancestor that is not among them ends the search for more.
    """
    found: list[TrialRecord] = []
    trial = trials.get(number)
    while trial is not None:
        found.append(trial)
        trial = None if trial.parent is None else trials.get(trial.parent)
    return tuple(reversed(found))


def schedule(trials: Mapping[int, TrialRecord], number: int) -> tuple[Part, ...]:
    """Return with which parameters the model of a trial was trained, in order of the epochs.

    A stretch without an epoch is left out: of a copy that was copied before it had trained.
    """
    line = ancestry(trials, number)
    ends = [*(trial.start_epoch for trial in line[1:]), *(trial.epochs for trial in line[-1:])]
    parts = (
        Part(trial.number, trial.start_epoch + 1, last, trial.parameters)
        for trial, last in zip(line, ends, strict=True)
    )
    return tuple(part for part in parts if part.first <= part.last)


def whole_curve(
    trials: Mapping[int, TrialRecord], curves: Mapping[int, Curve], number: int
) -> Curve | None:
    """Return a trial's curve with the epochs of the trials from which it went on before its own.

    None where one of them has no curve.
    """
    parts = schedule(trials, number)
    if not parts or any(part.trial not in curves for part in parts):
        return None
    rows = [
        (epoch, {name: values[index] for name, values in curves[part.trial].metrics.items()})
        for part in parts
        for index, epoch in enumerate(curves[part.trial].epochs)
        if part.first <= epoch <= part.last
    ]
    names = dict.fromkeys(name for _, values in rows for name in values)
    columns = {name: tuple(values.get(name) for _, values in rows) for name in names}
    return Curve(number, tuple(epoch for epoch, _ in rows), columns)


def why_not_again(number: int, parent: int, start_epoch: int) -> str:
    """Return in a sentence why a trial that went on from its ``parent`` is not run again alone."""
    return (
        f"trial {number} went on from trial {parent} after epoch {start_epoch}: it is part of a "
        "schedule, and its parameters alone do not give its curve again"
    )


def origin_text(trial: TrialRecord) -> str:
    """Return in words from whose state a trial went on, "" for one that began by itself."""
    return "" if trial.parent is None else f"trial {trial.parent}, epoch {trial.start_epoch}"
