"""How a run of a job ends: by what its trials came to, or by an exception in its driver."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ray.exceptions import RayError
from ray.tune import TuneError

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import Failure, TrialRecord
from results.states import FailureKind, JobState, TrialState
from service.engine.ray_connection import InfeasibleError, RayUnavailableError
from trainables.contract import TrainableError


@dataclass(frozen=True, slots=True)
class Ending:
    """The state that a run leaves its job in: a final one, or ``QUEUED`` if trials are left."""

    state: JobState
    error: Failure | None = None


class StoppedEarlyError(Exception):
    """Tune has ended its run although trials are left and the job is not pausing."""


#: Exceptions that are not the job's fault; the next driver goes on with it. The job was taken over,
#: or cancelled as it ended, or the driver got a signal, or the store, Ray, the disk or the network
#: failed.
NOT_THE_JOBS_FAULT = (
    LeaseLost,
    IllegalMove,
    StoreUnavailable,
    StoppedEarlyError,
    RayUnavailableError,
    RayError,
    OSError,
)


def outcome(records: Sequence[TrialRecord]) -> Ending:
    """Return success if any trial succeeded, else a failure with the first trial's reason."""
    if any(record.state is TrialState.SUCCEEDED for record in records):
        return Ending(JobState.SUCCEEDED)
    first = next((record.error for record in records if record.error), None)
    kind = first.kind if first else FailureKind.USER_ERROR
    early = any(record.state is TrialState.STOPPED for record in records)
    why = "the search ended before a trial had trained to its end" if early else "no trial was run"
    message = f"no trial succeeded of {len(records)}: {why}"
    if first:
        message = f"no trial succeeded of {len(records)}; the first failure: {first.message}"
    return Ending(JobState.FAILED, Failure(kind, message))


def ending_of(error: Exception) -> Ending | None:
    """Return how an exception in the driver ends the job; None if the next driver goes on."""
    if isinstance(error, TrainableError | InfeasibleError):
        return Ending(JobState.FAILED, Failure(FailureKind.INFEASIBLE, str(error)))
    for cause in _causes(error):
        if isinstance(cause, PermissionError):
            return Ending(JobState.FAILED, _no_permission(cause))
        if isinstance(cause, NOT_THE_JOBS_FAULT):
            return None
    return Ending(JobState.FAILED, _internal(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, and the ones that Tune has wrapped into it.

    Tune puts what its callbacks raise into a ``TuneError`` of which only the text is left, and an
    exception of Ray's that it does not expect into a ``RuntimeError`` as its cause. No other
    context counts: Tune calls back while it handles the death of an actor.
    """
    yield error
    wrapped = error.__context__ if isinstance(error, TuneError) else error.__cause__
    if wrapped is not None:
        yield from _causes(wrapped)


def _no_permission(error: PermissionError) -> Failure:
    """No other driver on this host could do more: its user is the same."""
    message = (
        f"the service may not use {error.filename}: {error.strerror}; give its user access to the "
        "folder, then retry the job"
    )
    return Failure(FailureKind.INFEASIBLE, message)


def _internal(error: Exception) -> Failure:
    # A TuneError's text is a whole traceback, whose last line says what happened.
    last = str(error).strip().splitlines()[-1:]
    what = ": ".join([type(error).__name__, *last])
    message = f"argbest itself failed ({what}): please report this with the traceback"
    return Failure(FailureKind.INTERNAL, message, "".join(traceback.format_exception(error)))
