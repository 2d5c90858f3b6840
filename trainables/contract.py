"""The contract between a trainable and the code that runs it.

A trainable is one function, :class:`Train`. It gets its hyperparameters, its data and a ``report``
callable. It needs neither Ray nor a database nor HTTP, so it runs the same in a test, in a notebook
and in a trial process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args, get_type_hints

_LONGEST_TEXT = 200
#: The unit of a metric that is measured in the unit of the data set's target.
TARGET_UNIT = "unit of the target"
#: What the table of curves has besides a column for each metric.
_COLUMNS = ("trial", "epoch")

#: What a trainable needs to go on after an epoch: arrays and plain values by name, as
#: :mod:`trainables.state_files` writes them. ``"epoch"`` is the number of epochs trained.
State = Mapping[str, Any]


class Report(Protocol):
    """Receives the metrics of one finished epoch, and the state after it where one is wanted."""

    def __call__(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,
    ) -> None:
        """Take the ``metrics`` (name to plain float) of ``epoch``, a whole number counted from 1.

        Each epoch is reported once, in order; in a trial, ``ValueError`` refuses another order.
        A declared metric may be left out at some epochs, except the objective at the last one, and
        metrics that are not declared may be added: all are stored, drawn and exported.

        ``engine`` names the code that trained this epoch where a trainable has several whose
        rounding differs; it is shown with the trial. Other trainables need not pass it.

        ``state`` returns the state after this epoch. It is called at most once, before ``report``
        returns and in the same thread, so it may return the arrays that are trained on without
        copying them; where no state is wanted it is not called.
        """


class Train(Protocol):
    """Trains one model with one configuration and reports after every epoch."""

    def __call__(
        self,
        config: Mapping[str, Any],
        data: Any,
        report: Report,
        *,
        epochs: int,
        seed: int,
        resume: State | None = None,
    ) -> None:
        """Train for ``epochs`` epochs and call ``report(epoch, metrics)`` after each of them.

        With ``resume``, a state of an earlier run with the same configuration and seed, go on after
        ``resume["epoch"]``: the next epoch to report is ``resume["epoch"] + 1``, and ``epochs`` is
        still the total. The function owns the arrays in it and may train on them in place. A
        trainable without this parameter always begins with epoch 1 (:func:`accepts_resume`).

        A trial that returns earlier has failed, since trials are compared after equally many
        epochs. ``config`` has JSON values by hyperparameter; missing ones take the default of the
        parameter model. ``data`` is one of the classes of :mod:`trainables.datasets`. With the same
        arguments a numpy trainable reports the same numbers bit for bit.

        In a trial the function of a user's package runs in a fresh process, in its main thread, and
        the global random generators are seeded. A built-in one shares its process with other
        trials, so it seeds what it uses and leaves global state as it was.
        """


def accepts_resume(train: Callable[..., object]) -> bool:
    """Return whether ``train`` has a parameter ``resume`` that can be passed by name.

    ``**options`` do not count: a function that ignores the state would begin with epoch 1.
    """
    try:
        parameter = inspect.signature(train).parameters.get("resume")
    except (TypeError, ValueError):  # a callable without a signature, such as one written in C
        return False
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return parameter is not None and parameter.kind in by_name


@dataclass(frozen=True, slots=True)
class Metric:
    """Describes one number that a trainable reports.

    ``mode`` is the better direction ("" where neither is). ``split`` is the part of the data that
    the metric is measured on; a metric of the test split never selects a configuration. ``unit`` is
    shown on plot axes ("" for a pure ratio). ``measured`` is "after" for a metric of the model as
    the epoch left it and "during" for a mean over the epoch, while the model changed.

    Raises ``ValueError`` for a mode, split or ``measured`` not listed here, and for a name, label
    or unit that is not one printable line, or the name of a column that curves have anyway.
    """

    name: str
    label: str
    mode: Literal["min", "max", ""]
    split: Literal["train", "validation", "test", "none"]
    unit: str = ""
    measured: Literal["during", "after"] = "after"

    def __post_init__(self) -> None:
        for field, text in (("name", self.name), ("label", self.label), ("unit", self.unit)):
            printable = isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_TEXT
            if not printable or (field != "unit" and not text.strip()):
                raise ValueError(
                    f"metric {self.name!r}: {field} is {text!r}, but must be one printable line of "
                    f"at most {_LONGEST_TEXT} characters"
                )
        if self.name in _COLUMNS:
            raise ValueError(
                f"metric {self.name!r}: curves have a column of this name: choose another name"
            )
        choices = get_type_hints(type(self))
        for field in ("mode", "split", "measured"):
            value, allowed = getattr(self, field), get_args(choices[field])
            if value not in allowed:
                listed = ", ".join(map(repr, allowed))
                message = f"metric {self.name!r}: {field} is {value!r}, but must be one of {listed}"
                raise ValueError(message)


class TrainableError(Exception):
    """Base of this package's errors; the message names the fault and the remedy.

    TrainableError
      UnknownTrainable   no trainable has that name
      UnknownDataset     no data set has that name
      DatasetUnavailable the data set's files can be neither found nor fetched
      CodeUnavailable    the code that was sent along cannot be had on a node
      DeviceUnavailable  the trial has no GPU to train on
      StateUnavailable   the state that the trial is to begin with cannot be had
    """


class UnknownTrainable(TrainableError):
    """No trainable has that name."""


class UnknownDataset(TrainableError):
    """No data set has that name."""


class DatasetUnavailable(TrainableError):
    """A data set's files were neither found nor fetched; the message lists what was tried."""


class CodeUnavailable(TrainableError):
    """A program's code cannot be fetched or unpacked on a node; the message says why."""


class DeviceUnavailable(TrainableError):
    """A trial's process has no GPU to train on; the message says what to ask for."""


class StateUnavailable(TrainableError):
    """A trial's process cannot have the state that it begins with; the message says why."""
