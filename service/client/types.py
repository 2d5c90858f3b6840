"""The JSON of the API as the client hands it out: plain dictionaries, with types for checkers.

Keys may be added by a newer server; they are kept, and simply have no declared type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from results.states import JobState

#: Where `argbest serve` listens unless it is told otherwise.
DEFAULT_URL = "http://127.0.0.1:8000"

#: One trial's curve: ``epoch`` and each metric, lists of equal length.
Curve = dict[str, list[float]]

#: Any JSON object whose keys depend on the server (a cluster, a data set, ...).
JsonObject = dict[str, Any]

_FINISHED = frozenset(state for state in JobState if state.is_finished)


class Failure(TypedDict):
    """Why a job or a trial failed: a word, a sentence and, for user code, a traceback."""

    kind: str
    message: str
    traceback: NotRequired[str | None]


class Progress(TypedDict):
    """How far a job is: numbers of trials and of epochs."""

    trials: int
    finished: int
    failed: int
    running: int
    epochs_done: int
    epochs_total: int


class Best(TypedDict):
    """The trial with the best last value of the job's metric."""

    trial: int
    parameters: dict[str, Any]
    metric: str
    value: float
    metrics: dict[str, float]


class Job(TypedDict):
    """A job; times are ISO 8601 in UTC."""

    id: str
    name: str
    state: str
    progress: Progress
    best: Best | None
    spec: dict[str, Any]
    error: Failure | None
    fingerprint: str
    dashboard_url: NotRequired[str | None]
    created_at: str
    started_at: str | None
    finished_at: str | None


class Trial(TypedDict):
    """A trial; ``metrics`` are those of its last epoch, ``seconds`` its training time."""

    number: int
    state: str
    parameters: dict[str, Any]
    seed: int
    metrics: dict[str, float]
    epochs: int
    seconds: float
    node: str | None
    attempts: int
    error: Failure | None


class JobPage(TypedDict):
    """One page of jobs, newest first; ``next_cursor`` is None on the last one."""

    items: list[Job]
    next_cursor: str | None


class Plan(TypedDict):
    """What a job would run: its configurations, or how they would be sampled."""

    spec: dict[str, Any]
    fingerprint: str
    trials: int
    configurations: list[dict[str, Any]] | None
    sampling: dict[str, Any] | None


class PlotInfo(TypedDict):
    """A plot that can be fetched by ``name``."""

    name: str
    title: str
    caption: str


@dataclass(frozen=True, slots=True)
class JobEvent:
    """The job changed; ``data`` is the whole job."""

    data: Job
    kind: Literal["job"] = "job"


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """A trial changed; ``data`` is the whole trial."""

    data: Trial
    kind: Literal["trial"] = "trial"


Event = JobEvent | TrialEvent


def is_finished(job: Job) -> bool:
    """Whether the job will not change any more (a state this client does not know may change)."""
    return job["state"] in _FINISHED


def has_succeeded(job: Job) -> bool:
    """Whether the job finished and all went well."""
    return job["state"] == JobState.SUCCEEDED
