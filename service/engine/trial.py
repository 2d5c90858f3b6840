"""Runs one trial in a trial process of Ray's and reports to the driver (see ``messages``)."""

from __future__ import annotations

import faulthandler
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ray import tune

from results.records import Failure
from results.spec import JobSpec
from results.states import FailureKind
from service.engine.failures import failure_of_trial
from service.engine.messages import Assignment, Failed, Message, Started, to_result
from service.engine.reporter import Reporter, learning_rate_name
from trainables import datasets, registry
from trainables.contract import DatasetUnavailable

#: A process that cannot say that its time limit has passed is ended this many seconds after it.
LAST_RESORT_SECONDS = 10.0

Send = Callable[[Message], None]


class TrialError(Exception):
    """A trial has failed; the text, of bounded length, is also in the message to the driver."""


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What all trials of a job have in common; it travels to every trial process."""

    spec: JobSpec
    datasets_dir: Path
    fashion_mnist_dir: Path | None


def run_trial(config: Mapping[str, Any], context: TrialContext) -> None:
    """Train one trial to its end; Tune calls this in a trial process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    send = _send_to_tune
    send(Started(socket.gethostname()))
    try:
        with time_limit(context.spec.time_limit_s, send):
            _train(Assignment.of(config), context, send)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it fails the trial, and is reported
        failure = failure_of_trial(error)
        send(Failed(failure))
        # Not the exception itself: Tune takes an exit for success, and Ray ships any text whole.
        raise TrialError(failure.traceback or failure.message) from None


def _send_to_tune(message: Message) -> None:
    """Report to Tune, and wait until the driver has taken the message."""
    tune.report(to_result(message))


@contextmanager
def time_limit(
    seconds: float | None, send: Send, end: Callable[[int], NoReturn] = os._exit
) -> Iterator[None]:
    """End this process once the block has run for so many seconds, and report that to the driver.

    A timer thread does so. Where it cannot run, because the training keeps Python's lock, a timer
    in C ends the process a little later, without a report.
    """
    if seconds is None:
        yield
        return
    over, lock = False, threading.Lock()

    def expire() -> None:
        with lock:  # kept until the process ends, so that the block cannot end meanwhile
            if not over:
                send(Failed(_at_time_limit(seconds)))
                end(1)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + LAST_RESORT_SECONDS, exit=True, file=2)
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _at_time_limit(seconds: float) -> Failure:
    message = (
        f"the trial was ended at its time limit of {seconds:g} s (time_limit_s): raise it, or "
        "train fewer epochs"
    )
    return Failure(FailureKind.TIME_LIMIT, message)


def _train(assignment: Assignment, context: TrialContext, send: Send) -> None:
    space = context.spec.space
    trainable = registry.get(space.trainable)
    data = _data(context)
    train = trainable.resolve()
    # Its import is not training: the reporter's clock begins after it.
    names = frozenset(metric.name for metric in trainable.metrics)
    rate = learning_rate_name(assignment.parameters)
    report = Reporter(names, space.metric, space.epochs, send, learning_rate=rate)
    train(assignment.parameters, data, report, epochs=space.epochs, seed=assignment.seed)
    report.check_complete()


def _data(context: TrialContext) -> datasets.RegressionData | datasets.ImageData:
    """Load the data; the driver has prepared them on its own node, other nodes fetch them here."""
    name, folder = context.spec.space.dataset, context.datasets_dir
    load = partial(datasets.load, name, folder, source=context.fashion_mnist_dir)
    try:
        return load()
    except DatasetUnavailable:
        datasets.ensure(name, folder, source=context.fashion_mnist_dir)
        return load()
