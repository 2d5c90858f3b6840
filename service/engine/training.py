"""Trains one trial in this process. Ray is not imported, so that children of it start quickly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from results.records import Failure
from results.spec import JobSpec
from results.states import FailureKind
from service.engine.messages import Assignment, Message
from service.engine.reporter import Reporter, learning_rate_name
from trainables import datasets, registry
from trainables.contract import DatasetUnavailable, Train

Send = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What all trials of a job have in common; it travels to every trial process."""

    spec: JobSpec
    datasets_dir: Path
    fashion_mnist_dir: Path | None

    @property
    def is_built_in(self) -> bool:
        """Whether the trainable is one of ours, and not of a user's package."""
        return registry.get(self.spec.space.trainable).entry.startswith("trainables.")


def train_trial(
    assignment: Assignment,
    context: TrialContext,
    send: Send,
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Load the data, train, and send each epoch; ``prepare`` is called just before training."""
    space = context.spec.space
    trainable = registry.get(space.trainable)
    data = _data(context)
    train: Train = trainable.resolve()
    prepare()
    # Its import is not training: the reporter's clock begins after it.
    rate = learning_rate_name(assignment.parameters)
    report = Reporter(space.metric, space.epochs, send, learning_rate=rate)
    train(assignment.parameters, data, report, epochs=space.epochs, seed=assignment.seed)
    report.check_complete()


def at_time_limit(seconds: float) -> Failure:
    """Return the failure of a trial that was ended at its time limit."""
    message = (
        f"the trial was ended at its time limit of {seconds:g} s (time_limit_s): raise it, or "
        "train fewer epochs"
    )
    return Failure(FailureKind.TIME_LIMIT, message)


def _data(context: TrialContext) -> datasets.RegressionData | datasets.ImageData:
    """Load the data; the driver has prepared them on its own node, other nodes fetch them here."""
    name, folder = context.spec.space.dataset, context.datasets_dir
    load = partial(datasets.load, name, folder, source=context.fashion_mnist_dir)
    try:
        return load()
    except DatasetUnavailable:
        datasets.ensure(name, folder, source=context.fashion_mnist_dir)
        return load()
