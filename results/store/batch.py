"""The moves of a job's trials, of which a lease holder writes any number in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.records import Checkpoint, EpochReport, Failure, NewTrial
from results.states import TrialState


@dataclass(frozen=True, slots=True)
class AddTrial:
    """Add a trial that a sampler suggested; adding the same one again changes nothing."""

    trial: NewTrial


@dataclass(frozen=True, slots=True)
class StartTrial:
    """Mark a trial running, from epoch 1 or from the checkpoint after epoch ``resumed_from``.

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
class RequeueTrial:
    """Queue a running trial again, with its attempt kept; ``detail`` says why in its event."""

    number: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FinishTrial:
    """Mark a trial finished."""

    number: int
    state: TrialState
    error: Failure | None = None


Move = AddTrial | StartTrial | Reports | AddCheckpoint | RequeueTrial | FinishTrial
