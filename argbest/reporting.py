"""``report``: how a program tells argbest its metrics.

It needs nothing but Python 3.8 or later. In a trial the numbers go to the service; anywhere else
they are printed, so that a program runs unchanged without argbest's service.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Mapping, Optional  # noqa: UP035 - for Python 3.8

#: The pipe that the trial reads; not set outside of a trial.
PIPE = "ARGBEST_REPORT"


def report(
    metrics: Optional[Mapping[str, Any]] = None,  # noqa: UP045 - for Python 3.8
    /,
    epoch: Optional[int] = None,  # noqa: UP045
    **more: Any,
) -> None:
    """Report metrics: numbers by name, as a dict, as keywords, or as both.

    ``epoch`` counts from 1; where it is left out, argbest counts. Nested dicts are joined by "/".
    A number may be one of numpy's or torch's. Raises ``TypeError`` for a value that is no number.

    >>> report({"loss/train": 0.5}, accuracy=0.9, epoch=1)
    {"epoch": 1, "loss/train": 0.5, "accuracy": 0.9}
    """
    values = {} if epoch is None else {"epoch": _plain("epoch", epoch)}
    for name, value in {**(metrics or {}), **more}.items():
        values[str(name)] = _plain(name, value)
    line = json.dumps(values) + "\n"
    pipe = os.environ.get(PIPE)
    if not (pipe and _write(pipe, line.encode())):
        sys.stdout.write(line)
        sys.stdout.flush()


def _plain(name: object, value: Any) -> Any:
    """Return the value as JSON has it: a number, or a dict of them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(key, inner) for key, inner in value.items()}
    if isinstance(value, (bool, str, bytes)):
        raise TypeError(f"report: {name} is {value!r}, but must be a number")
    if isinstance(value, int):
        return int(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise TypeError(f"report: {name} is of type {kind}, but must be a number") from None
    return int(number) if name == "epoch" and number.is_integer() else number


def _write(pipe: str, line: bytes) -> bool:
    """Write the line to the trial's pipe; False where nobody reads there any more.

    It is opened each time, so that also children of the program may report. A line of up to 4,096
    bytes is written whole, also when several processes report at once.
    """
    try:
        descriptor = os.open(pipe, os.O_WRONLY)
    except OSError:
        return False
    try:
        while line:
            line = line[os.write(descriptor, line) :]
    except BrokenPipeError:
        return False
    finally:
        os.close(descriptor)
    return True
