"""What runs in a trial process: a trainable with one configuration or a stack of them.

It reports to Ray Tune. Every message to the driver is a Tune result with an ``event``: ``started``
when the process has begun, ``epoch`` after each epoch, ``failed`` just before an exception ends the
process. An epoch has ``reports``, pairs of a member's place in the stack and its metrics, and
``diverged``, pairs of a place and a sentence for each member that reports no more.
"""

from __future__ import annotations

import faulthandler
import logging
import math
import operator
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from results.records import Failure
from results.spec import JobSpec
from results.states import FailureKind
from trainables import datasets, registry
from trainables.contract import DatasetUnavailable, DeviceUnavailable

#: A failure's message and traceback are cut to this many characters, half of them from each end.
MOST_MESSAGE = 2_000
MOST_TRACEBACK = 20_000
#: The result key that searchers and schedulers compare.
OBJECTIVE = "objective"
#: The key of a Tune configuration under which a stack's trials are listed, with number and
#: parameters; a sampler's configuration is its parameters, and none can have this name.
LISTED = "listed-trials"


class DivergedError(Exception):
    """A metric was NaN or infinite in every trial of the stack: the training has diverged."""


class TrialError(Exception):
    """A trial has failed; the text, of bounded length, is what the driver was told of it."""


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What all trials of a job have in common; it travels to every trial process."""

    spec: JobSpec
    datasets_dir: Path
    fashion_mnist_dir: Path | None


def parameters_of(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the hyperparameters of each trial of a stack, listed or one from a sampler."""
    listed = config.get(LISTED)
    return [dict(config)] if listed is None else [dict(one["parameters"]) for one in listed]


def run_trial(config: Mapping[str, Any], context: TrialContext) -> None:
    """Train one stack of trials to its end; Tune calls this in a trial process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    tune.report({"event": "started"})
    if context.spec.time_limit_s is not None:
        # A watchdog in C: it ends the process even where a kernel never returns to Python.
        faulthandler.dump_traceback_later(context.spec.time_limit_s, exit=True, file=2)
    try:
        _train(parameters_of(config), context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it fails the trial, and is told
        failure = _failure(error)
        tune.report({"event": "failed", "failure": asdict(failure)})
        # Not the exception itself: an exit is success to Tune, and Ray would ship any text whole.
        raise TrialError(failure.traceback or failure.message) from None
    finally:
        faulthandler.cancel_dump_traceback_later()


def _train(configs: Sequence[Mapping[str, Any]], context: TrialContext) -> None:
    spec = context.spec
    trainable = registry.get(spec.space.trainable)
    data = _data(context)
    names = frozenset(metric.name for metric in trainable.metrics)
    # Its import is not training: the reporter's clock begins after it.
    if len(configs) > 1:
        train_stack = trainable.resolve_stack()
        report = EpochReporter(names, spec.space.metric, len(configs), spec.space.epochs)
        train_stack(configs, data, report, epochs=spec.space.epochs, seed=spec.seed)
    else:
        train = trainable.resolve()
        report = EpochReporter(names, spec.space.metric, 1, spec.space.epochs)
        train(configs[0], data, report.alone, epochs=spec.space.epochs, seed=spec.seed)
    report.check_complete()


def _data(context: TrialContext) -> datasets.RegressionData | datasets.ImageData:
    """Load the data; the driver has prepared them on its own node, other nodes fetch them here."""
    load = partial(
        datasets.load,
        context.spec.space.dataset,
        context.datasets_dir,
        source=context.fashion_mnist_dir,
    )
    try:
        return load()
    except DatasetUnavailable:
        datasets.ensure(
            context.spec.space.dataset, context.datasets_dir, source=context.fashion_mnist_dir
        )
        return load()


@dataclass(slots=True)
class EpochReporter:
    """Checks each epoch's metrics and hands them to Tune; a ``trainables`` ``StackReport``.

    ``metric`` of the first member is the objective: only samplers compare, and have stacks of one.
    Every member is told its share of the stack's time, so that a job's trials add up to what it
    took.
    """

    names: frozenset[str]
    metric: str
    members: int
    epochs: int
    reported: int = 0
    started: float = field(default_factory=time.monotonic)
    diverged: set[int] = field(default_factory=set)

    def alone(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Report one epoch of a trial alone; a ``trainables`` ``Report``."""
        self(epoch, [metrics])

    def __call__(self, epoch: int, metrics: Sequence[Mapping[str, float]]) -> None:
        """Report one epoch of the members that have not diverged in an earlier one.

        One with a value that is not finite is told as diverged. Raises :class:`DivergedError` when
        none is left, and ``ValueError`` for another epoch than the next one, and for other metrics
        or members than there should be.
        """
        epoch = self._next(epoch)
        if len(metrics) != self.members:
            raise ValueError(
                f"the trainable reported {len(metrics)} trials in epoch {epoch} where the stack "
                f"has {self.members}"
            )
        plain = {
            member: self._plain(epoch, one)
            for member, one in enumerate(metrics)
            if member not in self.diverged
        }
        diverged = {member: why for member, one in plain.items() if (why := _wrong(epoch, one))}
        reports = {member: one for member, one in plain.items() if member not in diverged}
        self.diverged.update(diverged)
        result: dict[str, Any] = {
            "event": "epoch",
            "epoch": epoch,
            "seconds": (time.monotonic() - self.started) / self.members,
            # Lists, because Tune keeps statistics of every number in a dictionary.
            "reports": list(reports.items()),
            "diverged": list(diverged.items()),
        }
        if 0 in reports:
            result[OBJECTIVE] = reports[0][self.metric]
        tune.report(result)
        self.reported = epoch
        if len(self.diverged) == self.members:
            raise DivergedError("; ".join(diverged.values()))

    def check_complete(self) -> None:
        """Raise ``ValueError`` unless every epoch has been reported."""
        if self.reported != self.epochs:
            raise ValueError(
                f"the trainable returned after it had reported {self.reported} of {self.epochs} "
                "epochs: report each of them once"
            )

    def _next(self, epoch: int) -> int:
        """Return the epoch as a plain int, which a user's numpy may not have made it."""
        wanted = self.reported + 1
        try:
            whole = operator.index(epoch)
        except TypeError:
            whole = None
        if whole != wanted or wanted > self.epochs:
            raise ValueError(
                f"the trainable reported epoch {epoch!r} after {self.reported} of {self.epochs} "
                "epochs: report each of them once, as whole numbers from 1"
            )
        return wanted

    def _plain(self, epoch: int, metrics: Mapping[str, float]) -> dict[str, float]:
        plain = {name: float(value) for name, value in metrics.items()}
        if plain.keys() != self.names:
            raise ValueError(
                f"the trainable reported {sorted(plain)} in epoch {epoch} where it declares "
                f"{sorted(self.names)}"
            )
        return plain


def _wrong(epoch: int, metrics: Mapping[str, float]) -> str | None:
    """Return what is wrong with the first metric that is not finite; None if all are."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            return (
                f"{name} was {value} in epoch {epoch}: the training diverged; "
                "try a lower learning rate"
            )
    return None


def _failure(error: BaseException) -> Failure:
    """Say why the trial failed, in no more text than every answer and message can carry."""
    failure = _whole_failure(error)
    text = failure.traceback
    return Failure(
        failure.kind,
        _shortened(failure.message, MOST_MESSAGE),
        None if text is None else _shortened(text, MOST_TRACEBACK),
    )


def _shortened(text: str, most: int) -> str:
    """Return the text, or the first and the last half of ``most`` characters of a longer one."""
    left_out = len(text) - most
    if left_out <= 0:
        return text
    return f"{text[: most // 2]} ... [{left_out:,} characters left out] ... {text[-(most // 2) :]}"


def _whole_failure(error: BaseException) -> Failure:
    if isinstance(error, DivergedError):
        return Failure(FailureKind.DIVERGED, str(error))
    if isinstance(error, DatasetUnavailable | DeviceUnavailable):
        return Failure(FailureKind.INFEASIBLE, str(error))
    text = "".join(traceback.format_exception(error))
    message = f"{type(error).__name__}: {error}"
    if _is_out_of_memory(error):
        hint = "use a smaller model, or fewer trials at once (max_concurrent_trials, stack)"
        return Failure(FailureKind.OUT_OF_MEMORY, f"{message.rstrip(': ')}: {hint}", text)
    return Failure(FailureKind.USER_ERROR, message, text)


def _is_out_of_memory(error: BaseException) -> bool:
    """Python and numpy raise MemoryError; torch an error of its own on a GPU, another on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator: can't allocate memory" in str(error)
    )
