"""Runs one trial in a trial process of Ray's and reports to the driver (see ``messages``).

A built-in trainable runs in this process, which Ray uses again for other trials. A user's trainable
runs in a fresh child of it, so that no state is left for the next trial.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from ray import tune

from results.records import Failure
from service.engine.child_runner import run_in_child
from service.engine.failures import failure_of_trial
from service.engine.messages import Assignment, Epoch, Failed, Message, Started, to_result
from service.engine.training import Send, TrialContext, at_time_limit, train_trial

#: A process that cannot say that its time limit has passed is ended this many seconds after it.
LAST_RESORT_SECONDS = 10.0


class TrialError(Exception):
    """A trial has failed; the text, of bounded length, is also in the message to the driver."""


class _Sender:
    """Reports messages to Tune, and waits each time until the driver has taken the message."""

    def __init__(self) -> None:
        self._objective: float | None = None

    def __call__(self, message: Message) -> None:
        if isinstance(message, Epoch) and message.objective is not None:
            self._objective = message.objective
        tune.report(to_result(message, self._objective))


def run_trial(config: Mapping[str, Any], context: TrialContext) -> None:
    """Train one trial to its end; Tune calls this in a trial process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    send, assignment = _Sender(), Assignment.of(config)
    send(Started(socket.gethostname()))
    if context.is_built_in:
        failure = _run_here(assignment, context, send)
    else:
        failure = run_in_child(assignment, context, send)
    if failure is not None:
        send(Failed(failure))
        # Not the exception itself: Tune takes an exit for success, and Ray ships any text whole.
        raise TrialError(failure.traceback or failure.message)


def _run_here(assignment: Assignment, context: TrialContext, send: Send) -> Failure | None:
    try:
        with time_limit(context.spec.time_limit_s, send):
            train_trial(assignment, context, send)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it fails the trial
        return failure_of_trial(error)
    return None


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
                send(Failed(at_time_limit(seconds)))
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
