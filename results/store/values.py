"""Checks of everything that goes into the database, so that it can always be read again.

PostgreSQL refuses NUL characters, no encoding holds a lone surrogate, and JSON has no NaN: each
is refused here, on every database alike, with a ``ValueError`` that names the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from results.records import MOST_PRIORITY, Checkpoint, EpochReport, Failure, NewTrial, Usage
from results.states import FailureKind, Purpose
from search_spaces import storable, unstorable

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_BIG_INTEGER = 2**63 - 1


def text(value: object, name: str) -> str:
    """Return ``value``; raise ValueError if it holds a NUL character or a lone surrogate."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string, not {type(value).__name__}")
    if character := unstorable(value):
        raise ValueError(f"{name} holds {character}, which cannot be stored: remove it")
    return value


def optional_text(value: str | None, name: str) -> str | None:
    """Return ``value``, checked as by :func:`text` unless it is None."""
    return None if value is None else text(value, name)


def integer(value: object, name: str, *, low: int, high: int = _LARGEST_INTEGER) -> int:
    """Return ``value``; raise ValueError unless it is an integer from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, not {value!r}")
    return value


def priority(value: object) -> int:
    """Return a job's priority; raise ValueError unless it is an integer from 1 to 100."""
    return integer(value, "priority", low=1, high=MOST_PRIORITY)


def is_number(value: object) -> bool:
    """Whether a trial could have the number ``value``."""
    return isinstance(value, int) and 0 <= value <= _LARGEST_INTEGER


def finite(value: object, name: str, *, fix: str = "") -> float:
    """Return ``value`` as a float; raise ValueError unless it is a finite number.

    ``fix`` says what to do where it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a plain number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, not {value!r}{fix and f': {fix}'}")
    return number


def amount(value: object, name: str) -> float:
    """Return ``value`` as a float; raise ValueError unless it is finite and not below 0."""
    number = finite(value, name)
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, not {value!r}")
    return number


def duration(value: object, name: str, *, positive: bool = False) -> float:
    """Return ``value``, in seconds; raise ValueError unless it is finite and not below 0.

    With ``positive`` it may not be 0 either.
    """
    seconds = finite(value, name)
    if seconds < 0 or (positive and seconds == 0):
        least = "greater than 0" if positive else "0 or more"
        raise ValueError(f"{name} must be {least} seconds, not {value!r}")
    return seconds


def plain_json(value: Any, name: str) -> Any:
    """Return a copy of ``value`` in dict, list, str, int, float, bool and None alone.

    Raises ValueError, naming the place as in ``spec.parameters.dropout``, for anything else and
    for a number or a string that could not be stored.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return text(value, name)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, not {value!r}: JSON has no such number")
        return float(value)
    if isinstance(value, Mapping):
        return {
            text(key, f"a key of {name}"): plain_json(item, f"{name}.{key}")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain_json(item, f"{name}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"{name} must be a JSON value, not {type(value).__name__}")


def metrics(values: Mapping[str, float], name: str) -> dict[str, float]:
    """Return the metrics of one epoch as plain floats; raise ValueError for one not finite."""
    return {
        text(metric, f"a key of {name}"): finite(
            value, f"{name}.{metric}", fix="fail the trial as diverged"
        )
        for metric, value in values.items()
    }


def new_trial(trial: NewTrial) -> dict[str, Any]:
    """Return the columns that a new trial brings."""
    number = integer(trial.number, "trial.number", low=0)
    return {
        "number": number,
        "parameters": plain_json(trial.parameters, f"trial {number}: parameters"),
        "seed": integer(trial.seed, f"trial {number}: seed", low=0, high=_LARGEST_BIG_INTEGER),
        "purpose": Purpose(trial.purpose).value,
        "configuration": number
        if trial.configuration is None
        else integer(trial.configuration, f"trial {number}: configuration", low=0, high=number),
        **_parent(trial),
    }


def _parent(trial: NewTrial) -> dict[str, Any]:
    """Return the columns that say from whose state a new trial goes on: an earlier trial's."""
    name, high = f"trial {trial.number}", trial.number - 1
    if trial.parent is None:
        return {"parent": None, "start_epoch": integer(trial.start_epoch, name, low=0, high=0)}
    return {
        "parent": integer(trial.parent, f"{name}: parent", low=0, high=high),
        "start_epoch": integer(trial.start_epoch, f"{name}: start_epoch", low=1),
    }


def checkpoint(new: Checkpoint) -> dict[str, Any]:
    """Return the columns that a new checkpoint brings."""
    name = f"checkpoint of trial {new.trial}"
    return {
        "name": text(new.name, f"{name}: name"),
        "trial": new.trial,
        "epoch": integer(new.epoch, f"{name}: epoch", low=1),
        "seconds": duration(new.seconds, f"{name}: seconds"),
        "size": integer(new.size, f"{name}: size", low=0, high=_LARGEST_BIG_INTEGER),
        "sha256": text(new.sha256, f"{name}: sha256"),
    }


def usage(new: Usage) -> dict[str, Any]:
    """Return what a trial uses as JSON, without the peak, which the store knows."""
    gpu, gpu_memory = new.gpu, new.gpu_memory
    return {
        "cpu": amount(new.cpu, "usage: cpu"),
        "memory": integer(new.memory, "usage: memory", low=0, high=_LARGEST_BIG_INTEGER),
        "gpu": None if gpu is None else amount(gpu, "usage: gpu"),
        "gpu_memory": None
        if gpu_memory is None
        else integer(gpu_memory, "usage: gpu_memory", low=0, high=_LARGEST_BIG_INTEGER),
    }


def report(job_id: str, new: EpochReport) -> dict[str, Any]:
    """Return the columns that a report brings; its attempt may be 0."""
    name = f"report of trial {new.trial}, epoch {new.epoch}"
    text(new.engine, f"{name}: engine")
    return {
        "job_id": job_id,
        "trial": integer(new.trial, f"{name}: trial", low=0),
        "attempt": integer(new.attempt, f"{name}: attempt", low=0),
        "epoch": integer(new.epoch, f"{name}: epoch", low=1),
        "metrics": metrics(new.metrics, f"{name}: metrics"),
        "seconds": duration(new.seconds, f"{name}: seconds"),
    }


def failure_json(failure: Failure | None) -> dict[str, str | None] | None:
    """Return a failure as it is stored.

    Its texts come from whatever code failed. What cannot be stored of them is escaped rather than
    refused, or a job could never be recorded as failed.
    """
    if failure is None:
        return None
    return {
        "kind": FailureKind(failure.kind).value,
        "message": storable(failure.message),
        "traceback": None if failure.traceback is None else storable(failure.traceback),
    }
