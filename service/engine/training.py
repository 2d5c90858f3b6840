"""Trains one segment in this process. Ray is not imported, so that children of it start quickly."""

from __future__ import annotations

import pickle
import socket
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from results.records import Failure
from results.spec import JobSpec
from results.states import FailureKind
from search_spaces import RESERVED_METRICS
from service.engine.code_files import JobCode
from service.engine.job_data import load_data
from service.engine.messages import Assignment, Message, Started
from service.engine.reporter import Driver, Reporter, learning_rate_name
from trainables import registry, state_files
from trainables.contract import StateUnavailable, accepts_resume
from trainables.program_limits import Limits
from trainables.programs import train_of
from trainables.workplace import Workplace

Send = Callable[[Message], None]


class Packed(bytes):
    """Bytes whose text is short: Tune puts the text of all values into each trial's tag."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return how many there are."""
        return f"{len(self)} bytes"


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What all trials of a job have in common; it travels to every trial process.

    ``storage`` is the URI of the checkpoints' storage, ``checkpoint_seconds`` the time between two
    of a trial, ``max_checkpoint_bytes`` the size of the largest one that is loaded. A program takes
    at most so much memory and room on the disk (0: no limit). ``code`` is what was sent along for
    it.
    """

    job_id: str
    spec: JobSpec
    datasets_dir: Path
    fashion_mnist_dir: Path | None
    storage: str
    checkpoint_seconds: float
    max_checkpoint_bytes: int
    max_program_memory_bytes: int = 0
    max_program_disk_bytes: int = 0
    code: JobCode | None = None

    def to_bytes(self) -> bytes:
        """Return what :meth:`from_bytes` takes, without what only a sampler needs of the space.

        Each assignment carries it.
        """
        space = replace(self.spec.space, enqueue=(), history=(), warm_start=(), checked=True)
        context = replace(self, spec=replace(self.spec, space=space))
        return Packed(zlib.compress(pickle.dumps(context)))

    @staticmethod
    @lru_cache(maxsize=1)
    def from_bytes(data: bytes) -> TrialContext:
        """Return the context that a driver of the same version gave :meth:`to_bytes` of."""
        # It comes by Ray, which pickles all that it carries.
        found: TrialContext = pickle.loads(zlib.decompress(data))  # noqa: S301
        return found

    @property
    def may_stop_trials(self) -> bool:
        """Whether a trial may be stopped before its last epoch, for good."""
        space = self.spec.space
        return space.scheduler.ends_trials or not space.budget.is_endless

    @property
    def is_built_in(self) -> bool:
        """Whether the trainable is one of ours, and not of a user's package."""
        return registry.is_built_in(self.spec.space.trainable)


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a segment goes on: after ``epoch``, with the state in the file ``path``.

    ``seconds`` of training are done. ``note`` says why newer checkpoints were passed over.
    """

    epoch: int = 0
    seconds: float = 0.0
    path: Path | None = None
    note: str = ""


def train_segment(
    assignment: Assignment,
    context: TrialContext,
    driver: Driver,
    resume: Resume,
    folder: Path,
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Load the data, train, and send each epoch; ``prepare`` is called just before training.

    ``folder`` is the segment's; a program gets a :func:`workplace` in it. A trainable that cannot
    be resumed begins at epoch 1 again. Raises :class:`StateUnavailable` as :func:`check_start`.
    """
    space = context.spec.space
    train = train_of(space, workplace(context, folder))
    if resume.path is not None and not accepts_resume(train):
        resume = Resume(note=f"{space.trainable} cannot be resumed")
    check_start(assignment, resume)
    driver.send(Started(socket.gethostname(), resume.epoch, resume.note))
    options = {}
    if resume.path is not None:
        options["resume"] = state_files.load(resume.path, max_bytes=context.max_checkpoint_bytes)
    data = load_data(context.spec, context.datasets_dir, source=context.fashion_mnist_dir)
    prepare()
    # Its import is not training: the reporter's clock begins after it.
    report = _reporter(assignment, context, driver, resume, can_resume=accepts_resume(train))
    parameters, seed = assignment.parameters, assignment.seed
    train(parameters, data, report, epochs=space.epochs, seed=seed, **options)
    report.check_complete()


def _reporter(
    assignment: Assignment,
    context: TrialContext,
    driver: Driver,
    resume: Resume,
    *,
    can_resume: bool,
) -> Reporter:
    """Return what checks and sends the reports of a segment."""
    space = context.spec.space
    return Reporter(
        [o.metric for o in space.objectives if o.metric not in RESERVED_METRICS],
        space.epochs,
        driver,
        learning_rate=learning_rate_name(assignment.parameters),
        reported=resume.epoch,
        seconds=resume.seconds,
        can_resume=can_resume,
        until=assignment.until,
        may_stop=context.may_stop_trials,
        early_end=space.program is not None and space.program.early_end,
    )


def check_start(assignment: Assignment, resume: Resume) -> None:
    """Raise :class:`StateUnavailable` for a trial that would begin before its ``start_epoch``."""
    if resume.epoch < assignment.start_epoch:
        raise StateUnavailable(
            f"the state of another trial after epoch {assignment.start_epoch}, from which this one "
            f"goes on, cannot be had: {resume.note or 'it was not stored'}"
        )


def workplace(context: TrialContext, folder: Path) -> Workplace:
    """Return where a program of a segment runs: in a folder inside the segment's."""
    limits = Limits(
        memory=context.max_program_memory_bytes,
        disk=context.max_program_disk_bytes,
        checkpoint=context.max_checkpoint_bytes,
    )
    return Workplace(folder / "program", limits)


def at_time_limit(seconds: float) -> Failure:
    """Return the failure of a trial that was ended at its time limit."""
    message = (
        f"the trial was ended at its time limit of {seconds:g} s (time_limit_s): raise it, or "
        "train fewer epochs"
    )
    return Failure(FailureKind.TIME_LIMIT, message)
