"""One model per answer of the API: FastAPI describes them, the client reads them.

An answer keeps keys it does not know, which a newer server may send, and takes any text for a
state. This module imports nothing of the server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from results.states import JobState, Purpose, TrialState
from search_spaces import Problem

Item = TypeVar("Item")
#: The key is left out where the value is None.
_LEFT_OUT: Any = Field(None, exclude_if=lambda value: value is None)


class Answer(BaseModel):
    """Base of all answers: built from records by the server, read from JSON by the client."""

    model_config = ConfigDict(extra="allow", from_attributes=True)


def _as_json(spec: Any) -> Any:
    return spec.to_json() if hasattr(spec, "to_json") else spec


#: A job's specification, which the server has as an object.
Spec = Annotated[dict[str, Any], BeforeValidator(_as_json)]


def _words(states: type[JobState | TrialState | Purpose]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [state.value for state in states]})


class ProgressView(Answer):
    """Numbers of a job's trials and epochs; ``trials`` is the planned number.

    ``finished`` counts the ``failed`` and the ``stopped`` trials too. ``paused`` ones wait until
    their scheduler lets them go on. ``epochs_total`` is the most that they may train, less of which
    is trained where a scheduler or a budget ends trials early, and what they have trained where a
    job that has finished stopped some. ``epochs_expected`` is about what they will have trained at
    the end, by the scheduler's reduction factor and the budget's epochs; it is left out where
    nothing says that it is less than ``epochs_total``.
    """

    trials: int
    finished: int
    failed: int
    running: int
    epochs_done: int
    epochs_total: int
    stopped: int = 0
    paused: int = 0
    epochs_expected: int | None = _LEFT_OUT


class FailureView(Answer):
    """Why a job or trial failed: a kind, a sentence and, for user code, a traceback."""

    kind: str
    message: str
    traceback: str | None


class BestView(Answer):
    """The best configuration by the job's metric.

    ``trial`` is its first trial, ``value`` the mean of its ``n`` trials' last values, with their
    standard deviation (n - 1; null for one trial). ``metrics`` are the means of all metrics.
    """

    trial: int
    parameters: dict[str, Any]
    metric: str
    value: float
    metrics: dict[str, float]
    standard_deviation: float | None = None
    n: int = 1


class FrontView(BestView):
    """A configuration that no other one beats in every objective; ``objectives`` has its values."""

    objectives: dict[str, float]


class BestDetailView(BestView):
    """The best configuration in full, and whether it is better than the others.

    ``front`` has the configurations that no other one beats in every objective, by the first one;
    it is left out where the search has one objective. ``confirmation`` is what the trials with
    further seeds say, with a ``verdict`` in words; null where none has run. ``diagnosis`` lists
    what may be wrong with the search, once the job has finished. ``spent`` has the epochs and
    seconds that were useful, stopped early, failed, confirming or repeated.
    """

    front: list[FrontView] | None = _LEFT_OUT
    confirmation: dict[str, Any] | None = None
    diagnosis: list[dict[str, Any]] = []
    spent: dict[str, Any] = {}


class ScoreView(Answer):
    """The mean of the job's metric over the ``n`` trials of a configuration.

    The standard deviation has n - 1; it is null for one trial.
    """

    mean: float = Field(validation_alias=AliasChoices("mean", "value"))
    standard_deviation: float | None
    n: int


class ChangeView(Answer):
    """A change of a job (``trial`` is null) or of one of its trials; larger ids are later.

    ``state`` is the state that it changed to, "deleted" for a job that was deleted. ``attempt`` is
    the trial's at that moment. ``detail`` says why, where there is a reason.
    """

    id: int
    job_id: str
    trial: int | None
    state: str
    at: datetime
    attempt: int | None = None
    detail: str = ""


class HistoryView(Answer):
    """What happened to a trial, oldest first, as far as it is kept.

    ``last`` is the id of the newest event of all, after which a stream goes on.
    """

    items: list[ChangeView]
    next_cursor: None = None
    last: int


class StartView(Answer):
    """Where a stream of changes begins: after the newest one, which has the id ``last``."""

    last: int


class GoneView(Answer):
    """Events after the id ``after`` are no longer kept: what follows begins with everything.

    ``oldest`` is the id of the oldest event that is kept, null if none is.
    """

    after: int
    oldest: int | None


class JobView(Answer):
    """A job.

    ``priority`` is its weight in the shares of the cluster. ``slots`` is how many of its trials may
    run at a time, null while it holds no share. ``waiting`` says why the job or its trials wait,
    null if they do not. ``tags`` and ``notes`` are what people say of it now. ``history``, where it
    was asked for, has at most 40 best values so far, each after the number of trials that had
    finished by then. ``ended_by`` says why its search ended early, "" if it did not. ``chosen``
    says why ``auto`` chose its strategy and its scheduler, "" where it did not. ``change`` is the
    change that an event of this job stands for; it is left out elsewhere. ``rested``, where a
    finished job is asked for alone, has the seconds between its start and its end in which it had
    ended already or was paused; it is left out where there are none.
    """

    id: str
    name: str
    state: Annotated[str, _words(JobState)]
    progress: ProgressView
    best: BestView | None
    spec: Spec
    fingerprint: str
    error: FailureView | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    dashboard_url: str | None
    links: dict[str, str]
    priority: int = 1
    slots: int | None = None
    waiting: str | None = None
    ended_by: str = ""
    chosen: str = ""
    tags: dict[str, str] = {}
    notes: str = ""
    history: list[tuple[int, float]] | None = _LEFT_OUT
    change: ChangeView | None = _LEFT_OUT
    rested: float | None = _LEFT_OUT

    @property
    def is_finished(self) -> bool:
        """Whether the job will not change any more; one in an unknown state may."""
        return any(state.is_finished and state == self.state for state in JobState)

    @property
    def has_succeeded(self) -> bool:
        """Whether the job finished and all went well."""
        return self.state == JobState.SUCCEEDED


class ExtendedView(JobView):
    """A job that was extended; trials in ``restarts`` have no checkpoint and begin at epoch 1."""

    restarts: list[int]


class UsageView(Answer):
    """What the processes of a trial used of their machine, when that was looked at last.

    ``cpu`` is in processors, ``memory`` in bytes that they have for themselves, ``memory_peak`` the
    most of these in the attempt. ``gpu`` (0 to 1) and ``gpu_memory`` are those of all programs on
    the trial's GPUs; null without one.
    """

    cpu: float
    memory: int
    memory_peak: int
    gpu: float | None = None
    gpu_memory: int | None = None


class TrialView(Answer):
    """A trial.

    ``metrics`` are those of its last epoch, ``seconds`` its training time, ``engine`` names the
    code that trained it ("" if unknown). ``rank`` counts from 1, the job's best, in lists of all
    trials; it is null for a trial that has no rank or is shown alone. ``resumed_from`` is the epoch
    after which its attempt last went on (0: it began at epoch 1), ``checkpoint`` the epoch of its
    newest checkpoint (0: it has none), ``model_bytes`` the size of the one that was made last.
    ``configuration`` is the number of the first trial with the same configuration. A trial with a
    ``parent`` went on from that trial's state after ``start_epoch``, with other parameters; its
    curve begins at the next epoch. ``score``, in lists of all trials, is over the trials of a
    ranked configuration; ``violations`` says there which constraints a configuration breaks, which
    is not ranked then. ``usage`` is there while the trial runs, and where it is shown alone; there,
    ``defaults`` has the default of every parameter that applies. ``change`` is the change that an
    event of this trial stands for; it is left out elsewhere.
    """

    number: int
    state: Annotated[str, _words(TrialState)]
    parameters: dict[str, Any]
    seed: int
    metrics: dict[str, float]
    epochs: int
    seconds: float
    node: str | None
    attempts: int = Field(validation_alias=AliasChoices("attempts", "attempt"))
    error: FailureView | None
    started_at: datetime | None
    finished_at: datetime | None
    engine: str = ""
    rank: int | None = None
    resumed_from: int = 0
    checkpoint: int = 0
    model_bytes: int = 0
    purpose: Annotated[str, _words(Purpose)] = Purpose.SEARCH.value
    configuration: int | None = None
    parent: int | None = None
    start_epoch: int = 0
    score: ScoreView | None = None
    violations: list[str] = []
    usage: UsageView | None = _LEFT_OUT
    defaults: dict[str, Any] | None = _LEFT_OUT
    change: ChangeView | None = _LEFT_OUT

    @property
    def is_finished(self) -> bool:
        """Whether the trial will not change any more; one in an unknown state may."""
        return any(state.is_finished and state == self.state for state in TrialState)


#: One trial's curve: ``epoch`` and each metric, lists of equal length; null where an epoch did
#: not report the metric.
Curve = dict[str, list[int | float | None]]


class CurveView(Answer):
    """One trial's curve: its number, its epochs and, under each metric's name, its values.

    A value is null where the epoch did not report the metric.
    """

    __pydantic_extra__: dict[str, list[float | None]] = Field(init=False)

    trial: int
    epoch: list[int]


class ColumnsView(Answer):
    """All trials of a job in few bytes: a list for each member of a trial, by number.

    A list whose values are alike is ``{"all": value}``. ``parameters`` and ``metrics`` have one for
    each name, with null where a trial has none. Times are seconds since 1970. ``errors``,
    ``violations`` and ``scores`` (of several seeds) are by the number of their trial. ``last`` is
    the id of the last event that they hold for sure: a stream goes on after it.
    """

    last: int
    trials: int
    columns: dict[str, Any]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    errors: dict[int, FailureView]
    violations: dict[int, list[str]]
    scores: dict[int, ScoreView]


class EstimateView(Answer):
    """The most that a job costs, its confirmation included.

    ``core_hours`` is null where no finished job says how long an epoch takes; ``basis`` says which
    ones do. ``expected_epochs`` and ``expected_core_hours`` are about what it costs by the
    scheduler's reduction factor; they are left out where that is not less than the most.
    """

    trials: int
    epochs: int
    core_hours: float | None
    basis: str
    expected_epochs: int | None = _LEFT_OUT
    expected_core_hours: float | None = _LEFT_OUT


class ReadSpaceView(Answer):
    """A text of YAML or JSON as it was read, and the line (from 1) of each member by pointer."""

    search_space: Any
    lines: dict[str, int]


class PlanView(Answer):
    """What a job would run: its configurations, or how a sampler would draw them.

    ``distinct`` is the number of different configurations; null where they are endless. ``chosen``
    says why ``auto`` chose the strategy and the scheduler that ``spec`` has, "" where it did not.
    ``history`` says how many trials from elsewhere the sampler is told, and which it is not.
    """

    spec: Spec
    fingerprint: str
    trials: int
    configurations: list[dict[str, Any]] | None
    sampling: dict[str, Any] | None
    distinct: int | None = None
    chosen: str = ""
    history: dict[str, Any] | None = None
    estimate: EstimateView | None = None


class ReplayedView(Answer):
    """A way to stop early, over several orders of a job's trials.

    ``epochs`` trained in all and ``seconds`` of wall time are means. ``found_best``: in how many
    orders the job's best trial won; the ranks are those of the winner among the job's trials, null
    if no order has a winner.
    """

    orders: int
    epochs: float
    seconds: float
    found_best: int
    median_rank: float | None
    worst_rank: int | None


class ReplayView(Answer):
    """What early stopping would have cost a finished job.

    ``epochs`` were trained by the job, in ``seconds`` of wall time on ``slots`` slots; ``saved`` is
    the part of them that the scheduler would not have trained. ``short_run``: every trial trains
    ``short_epochs`` epochs, then the best ``short_best`` of them train to the end. Where the
    trainable does not resume (``resumes``), trials are stopped rather than promoted, and the best
    of the short run are trained again from the start.
    """

    scheduler: Any
    trials: int
    slots: int
    epochs: int
    seconds: float
    saved: float
    stopping: ReplayedView
    short_run: ReplayedView
    short_epochs: int
    short_best: int
    findings: list[str]
    resumes: bool = True


class PlotView(Answer):
    """A plot: its name in the address, its title and a caption."""

    name: str
    title: str
    caption: str


class FigureView(Answer):
    """An interactive figure: its name in the address, its title and a caption.

    ``why_not`` says why the job has no such figure, "" if it has. From ``least`` to ``most`` of the
    ``parameters`` may be chosen for it; ``most`` is 0 where it takes no choice.
    """

    name: str
    title: str
    caption: str
    why_not: str = ""
    parameters: list[str] = []
    least: int = 0
    most: int = 0


class PlotlyView(Answer):
    """A figure as plotly reads it: its traces and its layout."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class CourseView(Answer):
    """How a job's best value grew: lists of one length, a point per improvement, and the end.

    ``best`` holds from the moment when so many ``trials`` had ended, so many ``epochs`` were
    trained and so many ``seconds`` had passed since the job's start.
    """

    trials: list[int]
    epochs: list[int]
    seconds: list[float]
    best: list[float]


class SpreadView(Answer):
    """The distribution of a job's values: the ``shares`` that are at or below ``values``."""

    values: list[float]
    shares: list[float]


class ComparedJobView(Answer):
    """A job among others; ``label`` is its metric's."""

    id: str
    name: str
    state: Annotated[str, _words(JobState)]
    seed: int
    metric: str
    mode: str
    label: str
    progress: ProgressView
    best: BestView | None
    course: CourseView
    spread: SpreadView


class DifferenceView(Answer):
    """A member of the jobs' specs, as a JSON pointer, with its value in each job.

    A value is null also where a job has no such member.
    """

    pointer: str
    values: list[Any]


class BandView(Answer):
    """The mean of several jobs' best values and its standard deviation (n - 1) at places ``x``."""

    x: list[float]
    mean: list[float]
    deviation: list[float]


class RepeatsView(Answer):
    """Jobs that differ only in their seed, with the mean of their best values.

    ``bands`` has their courses over trials, epochs and seconds.
    """

    jobs: list[str]
    final: float
    deviation: float
    bands: dict[str, BandView]


class ComparisonView(Answer):
    """Jobs side by side, in the order in which they were asked for."""

    jobs: list[ComparedJobView]
    differences: list[DifferenceView]
    repeats: list[RepeatsView]


class SearchSpaceView(Answer):
    """A declared search space, as its file declares it."""

    name: str
    title: str
    trainable: str
    dataset: str
    epochs: int
    metric: str
    mode: str
    strategy: str
    parameters: dict[str, Any]
    trials: int | None = _LEFT_OUT
    description: str | None = _LEFT_OUT
    objectives: list[dict[str, Any]] | None = _LEFT_OUT
    constraints: list[dict[str, Any]] | None = _LEFT_OUT
    scheduler: dict[str, Any] | str | None = _LEFT_OUT
    budget: dict[str, Any] | None = _LEFT_OUT
    enqueue: list[dict[str, Any]] | None = _LEFT_OUT
    warm_start: list[str] | None = _LEFT_OUT
    history: Any = _LEFT_OUT
    repeats: int | None = _LEFT_OUT
    confirm: dict[str, Any] | bool | None = _LEFT_OUT
    command: list[str] | None = _LEFT_OUT
    code: str | None = _LEFT_OUT
    environment: dict[str, str] | None = _LEFT_OUT
    flags: dict[str, Any] | None = _LEFT_OUT
    patterns: dict[str, str] | None = _LEFT_OUT
    early_end: bool | None = _LEFT_OUT
    resumes: bool | None = _LEFT_OUT
    parameters_schema: dict[str, Any] | None = _LEFT_OUT


class BrokenSpaceView(Answer):
    """A file that does not declare a usable search space, and why."""

    file: str
    problems: list[Problem]


class MetricView(Answer):
    """A metric that a trainable reports; ``mode`` is "" where neither direction is better."""

    name: str
    label: str
    mode: Annotated[str, WithJsonSchema({"type": "string", "enum": ["min", "max", ""]})]
    split: str
    unit: str = ""
    measured: str = "after"


class TrainableView(Answer):
    """A trainable; ``parameters`` is their JSON Schema, ``resumes`` whether trials may pause.

    ``changeable`` are the parameters that may change while it trains, as the scheduler pbt does. It
    takes the data sets in ``datasets``, and users' own of its ``kinds``.
    """

    name: str
    title: str
    datasets: list[str]
    metrics: list[MetricView]
    parameters: dict[str, Any]
    resumes: bool = False
    kinds: list[str] = []
    changeable: list[str] = []


class BrokenTrainableView(Answer):
    """An installed package's trainable that cannot be used, and why."""

    package: str
    entry_point: str
    problems: list[Problem]


class DatasetView(Answer):
    """A data set, and whether this node has its files; ``size`` is in bytes.

    ``kind`` is what it is made for. A user's ``own`` has a ``digest``, of its content, and a
    ``card``, which lists leave out.
    """

    name: str
    title: str
    available: bool
    where: str
    size: int
    rows: int
    splits: dict[str, int]
    source: str
    license: str
    citation: str
    checksums: dict[str, list[str]]
    kind: str = ""
    own: bool = False
    digest: str = ""
    created_at: datetime | None = None
    card: dict[str, Any] | None = None


class CodeView(Answer):
    """Code that was sent: its digest, the archive's bytes, its files and their bytes unpacked.

    ``is_new`` answers an upload: False where the same code was there.
    """

    digest: str
    bytes: int = Field(validation_alias=AliasChoices("bytes", "size"))
    files: int
    unpacked: int
    is_new: bool | None = _LEFT_OUT


class NodeView(Answer):
    """A node of the Ray cluster; null where Ray does not say."""

    host: str | None
    address: str | None
    state: str
    is_head: bool
    resources: dict[str, float]
    cpu_percent: float | None
    memory_bytes: float | None


class ClusterView(Answer):
    """The Ray cluster."""

    address: str
    dashboard_url: str
    nodes: list[NodeView]


class CapacityView(Answer):
    """How many CPUs and GPUs the nodes have together."""

    cpu: float
    gpu: float


class OccupantView(Answer):
    """A job that has a share of the cluster; each of its trials takes so many CPUs and GPUs."""

    id: str
    name: str
    state: Annotated[str, _words(JobState)]
    priority: int
    slots: int
    running: int
    cpu: float
    gpu: float


class RunningTrialView(Answer):
    """A trial that runs, on which node and since when; null where nobody has said yet."""

    job_id: str
    number: int
    node: str | None
    started_at: datetime | None
    usage: UsageView | None = None


class QueuedView(Answer):
    """A job that waits for a controller."""

    id: str
    name: str
    priority: int
    created_at: datetime


class DatabaseView(Answer):
    """The database: ``sqlite`` or ``postgresql``, its bytes, and what is wrong with it, or ""."""

    kind: str
    size: int | None
    problem: str


class DiskView(Answer):
    """The disk of the data folder, in bytes, and why it takes no job, or ""."""

    folder: str
    free: int | None
    total: int | None
    problem: str


class ControllerView(Answer):
    """A controller of this data folder: its host, and how long ago it was seen at work."""

    host: str
    seconds_ago: float


class TokenView(Answer):
    """A token, without its secret.

    ``job`` is the id of the one job that the token of a link reads; it is left out for the others.
    """

    name: str
    scope: str
    job: str | None = _LEFT_OUT


class ClusterUsageView(Answer):
    """What occupies the cluster.

    ``nodes`` is null where Ray's dashboard does not answer; ``nodes_problem`` says why. What the
    nodes have together, ``capacity``, is null until a driver has seen it. ``jobs`` have the slots,
    ``trials`` run in them. ``queued`` jobs wait for a controller; ``queue`` has those that begin
    first. ``token`` is the one that was sent, null where none is asked for.
    """

    address: str
    dashboard_url: str
    nodes: list[NodeView] | None
    nodes_problem: str
    capacity: CapacityView | None
    jobs: list[OccupantView]
    trials: list[RunningTrialView]
    queued: int
    queue: list[QueuedView]
    database: DatabaseView
    disk: DiskView
    controllers: list[ControllerView]
    token: TokenView | None


class JobList(Answer):
    """A page of jobs; ``next_cursor`` is null on the last one."""

    items: list[JobView]
    next_cursor: str | None


class WholeList(Answer, Generic[Item]):
    """All items at once."""

    items: list[Item]
    next_cursor: None = None


class TrialList(WholeList[TrialView]):
    """All trials of a job by number."""


CurveList = WholeList[CurveView]
PlotList = WholeList[PlotView]
FigureList = WholeList[FigureView]
DatasetList = WholeList[DatasetView]


class SearchSpaceList(WholeList[SearchSpaceView]):
    """The declared search spaces, and the files that declare none."""

    broken: list[BrokenSpaceView]


class TrainableList(WholeList[TrainableView]):
    """The trainables, and the installed ones that cannot be used."""

    broken: list[BrokenTrainableView] = []


class HealthView(Answer):
    """The process is alive."""

    status: str


class TokenDetailView(TokenView):
    """A token in the list of all; it begins with ``prefix``.

    ``made_by`` names the token with which a client made it, "" for one made on the server's
    machine. ``expires_at`` is null for one that does not expire.
    """

    prefix: str
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


TokenList = WholeList[TokenDetailView]


class NewTokenView(TokenDetailView):
    """A token that was just made: its ``secret`` is shown only now."""

    secret: str


class ShareView(NewTokenView):
    """A link to one job: the ``path`` on this service, with the secret, that a browser opens."""

    path: str


class LogPartView(Answer):
    """A part of a trial's log: its bytes from ``offset`` to before ``next_offset``."""

    text: str
    offset: int
    next_offset: int


class ReadinessView(Answer):
    """Whether the service can take work.

    ``parts`` has "ok" or a sentence for each part, ``allows_commands`` says whether programs of
    clients are run. Both are left out where the reader may not see them, ``token`` where no valid
    one was sent; ``token`` is null where it could not be checked.
    """

    status: str
    parts: dict[str, str] = {}
    token: TokenView | None = None
    allows_commands: bool = False


class VersionView(Answer):
    """The versions of argbest and of the libraries that results depend on."""

    argbest: str
    python: str
    ray: str
    torch: str
    numpy: str
    optuna: str


class ProblemView(Answer):
    """An error: RFC 9457 problem details, with one problem per wrong field in ``errors``."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Problem]
    hint: str
    request_id: str
