"""What runs in a trial process: one trainable with one configuration, reporting to Ray Tune.

Every message to the driver is a Tune result with an ``event``: ``started`` when the process has
begun, ``epoch`` after each epoch, ``failed`` just before an exception ends the trial.
"""

from __future__ import annotations

import faulthandler
import logging
import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from results.records import Failure
from results.states import FailureKind
from trainables import datasets, registry
from trainables.contract import DatasetUnavailable

#: The result key that searchers and schedulers compare.
OBJECTIVE = "objective"


class DivergedError(Exception):
    """A metric was NaN or infinite: the training has diverged."""


class TrainableExitError(Exception):
    """The trainable tried to end its process, which Tune would take for success."""


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What all trials of a job have in common; it travels to every trial process."""

    trainable: str
    dataset: str
    epochs: int
    seed: int
    metric: str
    time_limit_s: float | None
    datasets_dir: Path
    fashion_mnist_dir: Path | None


def parameters_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of a Tune configuration, from a list or from a sampler."""
    listed = config.get("trial")
    return dict(listed["parameters"] if listed is not None else config)


def run_trial(config: Mapping[str, Any], context: TrialContext) -> None:
    """Train one trial to its end; Tune calls this in a trial process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    tune.report({"event": "started"})
    if context.time_limit_s is not None:
        # A watchdog in C: it ends the process even where a kernel never returns to Python.
        faulthandler.dump_traceback_later(context.time_limit_s, exit=True, file=2)
    try:
        _train(config, context)
    except (Exception, SystemExit) as error:
        tune.report({"event": "failed", "failure": asdict(_failure(error))})
        if isinstance(error, SystemExit):
            raise TrainableExitError(f"the trainable called exit({error.code})") from error
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def _train(config: Mapping[str, Any], context: TrialContext) -> None:
    trainable = registry.get(context.trainable)
    data = _data(context)
    names = frozenset(metric.name for metric in trainable.metrics)
    reporter = EpochReporter(names, context.metric)
    train = trainable.resolve()
    train(parameters_of(config), data, reporter, epochs=context.epochs, seed=context.seed)


def _data(context: TrialContext) -> datasets.RegressionData | datasets.ImageData:
    """Load the data; the driver has prepared them on its own node, other nodes fetch them here."""
    load = partial(
        datasets.load, context.dataset, context.datasets_dir, source=context.fashion_mnist_dir
    )
    try:
        return load()
    except DatasetUnavailable:
        datasets.ensure(context.dataset, context.datasets_dir, source=context.fashion_mnist_dir)
        return load()


@dataclass(slots=True)
class EpochReporter:
    """Checks each epoch's metrics and hands them to Tune; implements ``trainables`` ``Report``."""

    names: frozenset[str]
    metric: str
    started: float = field(default_factory=time.monotonic)

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Report one epoch; raise :class:`DivergedError` for a value that is not finite."""
        plain = {name: float(value) for name, value in metrics.items()}
        if plain.keys() != self.names:
            raise ValueError(
                f"the trainable reported {sorted(plain)} in epoch {epoch} where it declares "
                f"{sorted(self.names)}"
            )
        for name, value in plain.items():
            if not math.isfinite(value):
                raise DivergedError(
                    f"{name} was {value} in epoch {epoch}: the training diverged; "
                    "try a lower learning rate"
                )
        seconds = time.monotonic() - self.started
        tune.report(
            {
                "event": "epoch",
                "epoch": epoch,
                "metrics": plain,
                "seconds": seconds,
                OBJECTIVE: plain[self.metric],
            }
        )


def _failure(error: BaseException) -> Failure:
    if isinstance(error, DivergedError):
        return Failure(FailureKind.DIVERGED, str(error))
    if isinstance(error, DatasetUnavailable):
        return Failure(FailureKind.INFEASIBLE, str(error))
    text = "".join(traceback.format_exception(error))
    message = f"{type(error).__name__}: {error}"
    if _is_out_of_memory(error):
        hint = "use a smaller model, or fewer trials at once (max_concurrent_trials)"
        return Failure(FailureKind.OUT_OF_MEMORY, f"{message.rstrip(': ')}: {hint}", text)
    return Failure(FailureKind.USER_ERROR, message, text)


def _is_out_of_memory(error: BaseException) -> bool:
    """Python and numpy raise MemoryError; torch an error of its own on a GPU, another on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator: can't allocate memory" in str(error)
    )
