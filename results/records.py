"""Plain values of the store: jobs, trials, reports, curves, leases and tokens.

Every time is a ``datetime`` in UTC, every duration is in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from results.spec import JobSpec
from results.states import FailureKind, JobState, Purpose, TrialState, has_failed_by_itself

JsonObject = Mapping[str, Any]

#: The largest priority of a job; the least is 1.
MOST_PRIORITY = 100
#: The most tags of a job.
MOST_TAGS = 50


class Rest(NamedTuple):
    """A time in which a job had ended, or was paused, until it went on."""

    begin: datetime
    end: datetime

    def seconds(self, until: datetime | None = None) -> float:
        """Return how long it was, or how much of it was before ``until``."""
        end = self.end if until is None else min(self.end, until)
        return max(0.0, (end - self.begin).total_seconds())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial or a job failed: the kind, a sentence for the user, a traceback if known."""

    kind: FailureKind
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class NewTrial:
    """A configuration to run; ``number`` counts from 0 within the job.

    ``configuration`` is the number of the first trial with this configuration, None for the trial
    itself. A trial with a ``parent`` goes on from that trial's state after ``start_epoch``.
    """

    number: int
    parameters: JsonObject
    seed: int
    purpose: Purpose = Purpose.SEARCH
    configuration: int | None = None
    parent: int | None = None
    start_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, counted over its trials.

    ``trials`` is the planned number, which for a sampler is known before its trials are.
    ``finished`` counts the ``failed`` and ``stopped`` ones too. ``paused`` ones wait for their
    scheduler. ``epochs_total`` is what all trials would train if none was ended early,
    and what they have trained where a job that has finished stopped some.
    """

    trials: int
    finished: int
    failed: int
    running: int
    epochs_done: int
    epochs_total: int
    stopped: int = 0
    paused: int = 0


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best configuration among those whose trials of the search have all succeeded.

    ``trial`` is its first trial, ``value`` the mean over its ``n`` trials of the last value of
    ``metric``, the first objective, with the ``standard_deviation`` (n - 1; None for one trial).
    ``metrics`` are the means of all metrics.
    """

    trial: int
    parameters: JsonObject
    metric: str
    value: float
    metrics: Mapping[str, float]
    standard_deviation: float | None = None
    n: int = 1


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it is stored.

    ``claims`` counts how often the job was claimed since it was accepted, resumed, retried or
    extended, without the claims that were released on purpose: more than one means that a driver
    was lost. ``priority`` (1 to 100) is the job's weight in the shares of the cluster. ``slots`` is
    how many of its trials may run at a time; None if it holds no share. ``ended_by`` says in a
    sentence why the search ended before all its trials, "" if it did not. ``tags`` and ``notes``
    are what people say of it now. ``history`` has the best values so far, each with the number of
    trials that had finished by then.
    """

    id: str
    name: str
    state: JobState
    spec: JobSpec
    fingerprint: str
    progress: Progress
    best: BestTrial | None
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    lease_token: int = 0
    claims: int = 0
    priority: int = 1
    slots: int | None = None
    ended_by: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    history: tuple[tuple[int, float], ...] = ()

    def lacks(self, total: str) -> bool:
        """Whether the finished job may never have run all the ``trials`` or ``epochs`` asked for.

        All of a cancelled job; trials of one whose search ended before all of them.
        """
        is_short = total == "trials" and bool(self.ended_by)
        return self.state is JobState.CANCELLED or is_short


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """An archive of code: its digest, its name in the storage, its size and what it holds.

    ``files`` is the number of files in it, ``unpacked`` their bytes.
    """

    digest: str
    name: str
    size: int
    files: int
    unpacked: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a running trial used of their machine, when that was looked at last.

    ``cpu`` is how many processors they kept busy since the look before, ``memory`` the bytes that
    they have for themselves, ``memory_peak`` the most of these in any look of the attempt. ``gpu``
    (0 to 1) is how busy the trial's GPUs were, the mean of them, and ``gpu_memory`` the bytes in
    use there, each of all programs that use these GPUs; None without one.
    """

    cpu: float
    memory: int
    memory_peak: int = 0
    gpu: float | None = None
    gpu_memory: int | None = None


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial as it is stored.

    ``metrics`` holds the last value of each metric that the current attempt reported, ``epochs``
    is the last epoch that it reported, ``seconds`` how long it has trained. ``attempt`` counts from
    1 (0: not yet started). ``node`` names the machine that runs or ran it. ``engine`` names the
    code that trains it, from the latest report that named one ("" if none did). ``resumed_from`` is
    the epoch after which the current attempt last went on (0: it began at epoch 1), ``checkpoint``
    the epoch of the newest checkpoint (0: there is none), ``model_bytes`` the size of the
    checkpoint that was made last, which may have been deleted since (0: none was made).
    ``configuration`` is the number of the first trial with this configuration, its own if that is
    this one (also where the value is negative). A trial with a ``parent`` went on from that trial's
    state after ``start_epoch`` (0: it began by itself), so its first report is of the epoch after.
    ``usage`` is what it used of its machine, or last used; None if nobody has looked.
    """

    number: int
    state: TrialState
    parameters: JsonObject
    seed: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    node: str | None = None
    engine: str = ""
    attempt: int = 0
    error: Failure | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    resumed_from: int = 0
    checkpoint: int = 0
    model_bytes: int = 0
    purpose: Purpose = Purpose.SEARCH
    configuration: int = -1
    usage: Usage | None = None
    parent: int | None = None
    start_epoch: int = 0

    def __post_init__(self) -> None:
        if self.configuration < 0:
            object.__setattr__(self, "configuration", self.number)

    @property
    def trained(self) -> int:
        """How many epochs the current attempt has trained itself, without those of its parent."""
        return self.epochs - self.start_epoch

    @property
    def has_failed_by_itself(self) -> bool:
        """Whether it failed, and its configuration is taken to be the reason."""
        return has_failed_by_itself(self.state, self.error.kind if self.error else None)


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial that runs: whose, on which node since when, and what it uses."""

    job_id: str
    number: int
    node: str | None
    started_at: datetime | None
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many CPUs and GPUs the nodes of the cluster have together."""

    cpu: float
    gpu: float


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How often trials ended in a state, where they failed with one kind of failure."""

    state: TrialState
    kind: FailureKind | None
    trials: int


@dataclass(frozen=True, slots=True)
class EpochReport:
    """The metrics of one epoch; ``(trial, attempt, epoch)`` is written at most once.

    ``attempt`` and ``epoch`` count from 1; attempt 0 stands for the trial's current one.
    ``seconds`` is how long this attempt has trained up to the end of the epoch. ``engine`` names
    the code that trained it ("": unnamed).
    """

    trial: int
    attempt: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file in the storage that holds a trial's state after an epoch.

    ``seconds`` is how long the trial had trained by then. ``name`` is the file's name in the
    storage, ``size`` its bytes, ``sha256`` their digest (64 hexadecimal digits).
    """

    trial: int
    epoch: int
    seconds: float
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a job (``trial`` None) or of one of its trials; larger ids are later.

    ``state`` is the state that it changed to, or has kept where its priority changed; ``deleted``
    for a job that was deleted. ``attempt`` is the trial's at that moment, None for a job.
    ``detail`` says why, where there is a reason ("worker_lost", "goes on after epoch 12").
    """

    id: int
    job_id: str
    trial: int | None
    state: str
    at: datetime
    attempt: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """The curves of one trial: ``epochs``, ascending, and for each metric a value per epoch.

    The value is None where an epoch did not report the metric.
    """

    trial: int
    epochs: tuple[int, ...]
    metrics: Mapping[str, tuple[float | None, ...]]

    def reported(self, metric: str) -> tuple[float, ...]:
        """Return the metric's values without the epochs that have none."""
        return tuple(value for value in self.metrics.get(metric, ()) if value is not None)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one job. Each claim has a larger ``token``, which every write carries."""

    job_id: str
    owner: str
    token: int


@dataclass(frozen=True, slots=True)
class Held:
    """A job's state, and how many of its trials may run at a time, when its lease was renewed."""

    state: JobState
    slots: int


@dataclass(frozen=True, slots=True)
class DriverProcess:
    """The process that drives a job; its start tells it from a later process of the same id.

    ``started`` is in clock ticks since boot on Linux, elsewhere in seconds since 1970.
    """

    host: str
    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job under a lease; ``expired`` if the lease has run out and nobody claimed the job yet."""

    state: JobState
    lease: Lease
    driver: DriverProcess | None
    expired: bool


@dataclass(frozen=True, slots=True)
class LeaseCounts:
    """Counts of lease events since the database was made; they only grow.

    ``take_overs``: jobs claimed again because their holder was gone. ``refused_writes``: writes
    under a lease when another holder had a newer one.
    """

    take_overs: int
    refused_writes: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things took since the database was made, as (number, seconds together); both grow.

    ``job_wait``: from a job's acceptance to its first start. ``job_run``: from its first start to
    its end, pauses included; a job that goes on after its end counts again when it ends once more,
    from when it went on. ``trial``: the training of the attempt with which a trial ended.
    """

    job_wait: tuple[int, float]
    job_run: tuple[int, float]
    trial: tuple[int, float]


@dataclass(frozen=True, slots=True)
class Extended:
    """A job that was extended, and the numbers of its trials that begin again from epoch 1."""

    job: JobRecord
    restarts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of jobs; ``next_cursor`` is None on the last one."""

    items: tuple[JobRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A user's data set: the digest of its content, its kind and its card.

    ``size`` is the bytes of the content in the storage.
    """

    name: str
    digest: str
    kind: str
    size: int
    card: Mapping[str, Any]
    created_at: datetime


class TokenScope(StrEnum):
    """What a token may be used for; each scope includes those before it.

    ``SHARE`` reads one job. The others are for all jobs.
    """

    SHARE = "share"
    READ = "read"
    SUBMIT = "submit"
    CODE = "code"
    ADMIN = "admin"

    def covers(self, needed: TokenScope) -> bool:
        """Whether a token of this scope may do what needs ``needed``."""
        order = list(TokenScope)
        return order.index(self) >= order.index(needed)


#: The scopes of tokens for all jobs, the least first.
SCOPES = (TokenScope.READ, TokenScope.SUBMIT, TokenScope.CODE, TokenScope.ADMIN)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it is stored: ``prefix`` is how it begins, the rest is not kept.

    ``last_used_at`` may be a minute behind, more if the disk is full; ``expires_at`` is None for
    one that does not expire. ``job`` is the id of the job that one of the scope ``share`` reads,
    None for the others. ``made_by`` names the token with which a client made it, "" for one that
    was made on the server's machine.
    """

    name: str
    prefix: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    job: str | None = None
    made_by: str = ""


#: What the name of a token may be: a regular expression for all of it.
TOKEN_NAME = "[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"  # noqa: S105 - a pattern
#: The longest that a token which expires may live: its end must be a date.
MAX_TOKEN_DAYS = 36_500
#: The longest that a link to one job may live.
MAX_SHARE_DAYS = 90


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; a client sends its ``secret``, which is shown only now."""

    record: TokenRecord
    secret: str = field(repr=False)
