"""The moves of a job's trials, of which a lease holder writes any number in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.records import Checkpoint, EpochReport, Failure, NewTrial, Usage
from results.states import TrialState


@dataclass(frozen=True, slots=True)
class AddTrial:
    """Add a trial that a sampler suggested; adding the same one again changes nothing."""

    trial: NewTrial


@dataclass(frozen=True, slots=True)
class StartTrial:
    """Mark a trial running, from epoch 1 or from the checkpoint after epoch ``resumed_from``.

    A paused trial is promoted by this move.

    ``is_retry`` says that it has failed or was lost before: that begins a new attempt.
    """

    number: int
    node: str | None
    resumed_from: int = 0
    is_retry: bool = False


@dataclass(frozen=True, slots=True)
class Reports:
    """Write reports, each at most once; attempt 0 means the trial's attempt at this move."""

    reports: Sequence[EpochReport]


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """Remember a file that the storage holds; its epoch has been reported before."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class NoteUsage:
    """Remember what a running trial uses of its machine; of one that does not run, nothing."""

    number: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class RequeueTrial:
    """Queue a running trial again, with its attempt kept; ``detail`` says why in its event."""

    number: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PauseTrial:
    """Let a running trial wait at a rung; one that does not run stays as it is."""

    number: int


@dataclass(frozen=True, slots=True)
class FinishTrial:
    """Mark a trial finished; ``detail`` says why in its event, where ``error`` does not."""

    number: int
    state: TrialState
    error: Failure | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlanTrials:
    """Set how many trials the job has in all: fewer after an early end, more for a confirmation.

    ``ended_by`` says in a sentence why the search has ended early; "" leaves what was said.
    ``at_once`` is how many of the trials that are left could run at the same time, None for all.
    """

    total: int
    ended_by: str = ""
    at_once: int | None = None


Move = (
    AddTrial
    | StartTrial
    | Reports
    | AddCheckpoint
    | NoteUsage
    | RequeueTrial
    | PauseTrial
    | FinishTrial
    | PlanTrials
)
