"""Says in a :class:`results.records.Failure` why a trial or a job failed."""

from __future__ import annotations

import errno
import traceback

from results.records import Failure
from results.states import FailureKind
from search_spaces.text import storable
from service.engine.reporter import DivergedError
from trainables.contract import (
    CodeUnavailable,
    DatasetUnavailable,
    DeviceUnavailable,
    StateUnavailable,
)
from trainables.program_errors import (
    MemoryExceeded,
    ProgramError,
    ProgramKilled,
    ProgramNotStarted,
)

#: A message and a traceback are cut to this many characters, half of them from each end.
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 20_000
#: A full disk, or all of it that the user may fill.
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNAVAILABLE = (CodeUnavailable, DatasetUnavailable, DeviceUnavailable, StateUnavailable)
_PROGRAM_KINDS = {
    MemoryExceeded: FailureKind.OUT_OF_MEMORY,
    ProgramKilled: FailureKind.WORKER_LOST,
    ProgramNotStarted: FailureKind.INFEASIBLE,
}


def failure_of_trial(error: BaseException) -> Failure:
    """Return why a trial failed, in no more text than every answer and message can carry."""
    if isinstance(error, DivergedError):
        return Failure(FailureKind.DIVERGED, _shortened(str(error), MAX_MESSAGE))
    if isinstance(error, _UNAVAILABLE):
        return Failure(FailureKind.INFEASIBLE, _shortened(str(error), MAX_MESSAGE))
    if isinstance(error, ProgramError):
        return _failure_of_program(error)
    kind, text = FailureKind.USER_ERROR, _text_of(error)
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, OSError) and error.errno in _FULL:
        kind = FailureKind.INFEASIBLE
        message = f"{message}: free some space on the machine that ran the trial"
    if _is_out_of_memory(error):
        kind = FailureKind.OUT_OF_MEMORY
        hint = "use a smaller model, or fewer trials at once (max_concurrent_trials)"
        message = f"{message}: {hint}"
    trace = "".join(traceback.format_exception(error))
    return Failure(kind, _shortened(message, MAX_MESSAGE), _shortened(trace, MAX_TRACEBACK))


def _failure_of_program(error: ProgramError) -> Failure:
    """Return the failure; what the program printed last takes the place of a traceback."""
    message = _shortened(f"{type(error).__name__}: {error}", MAX_MESSAGE)
    kind = _PROGRAM_KINDS.get(type(error), FailureKind.USER_ERROR)
    return Failure(kind, message, storable(_shortened(error.printed, MAX_TRACEBACK)))


def _shortened(text: str, most: int) -> str:
    """Return the text, or the first and the last half of ``most`` characters of a longer one."""
    left_out = len(text) - most
    if left_out <= 0:
        return text
    return f"{text[: most // 2]} ... [{left_out:,} characters left out] ... {text[-(most // 2) :]}"


def _is_out_of_memory(error: BaseException) -> bool:
    """Python and numpy raise MemoryError; torch an error of its own on a GPU, another on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator: can't allocate memory" in _text_of(error)
    )


def _text_of(error: BaseException) -> str:
    """Return the exception's text; a user's class may fail to make it."""
    try:
        return str(error)
    except Exception as failed:  # noqa: BLE001
        return f"(its text cannot be shown: {type(failed).__name__})"
