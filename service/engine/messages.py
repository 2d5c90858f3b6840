"""The messages between a job's driver and its trial processes, and their form inside Ray Tune.

The driver sends an :class:`Assignment`, inside a Tune configuration. The trial process answers with
:class:`Started`, an :class:`Epoch` after each epoch, :class:`Checkpointed` for each checkpoint,
:class:`Output` for lines of text, now and then :class:`Used`, and at the end one of :data:`End`.
Tune carries several messages in one result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from results.records import Checkpoint, Failure, Usage
from results.states import FailureKind

#: The keys of a Tune configuration: an assignment, and what all trials of its job have in common.
ASSIGNMENT, CONTEXT = "segment", "job"
#: The key of a Tune result that holds the messages.
MESSAGES = "argbest"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A segment to run: its id, and the trial's number, hyperparameters and seed.

    It ends with a checkpoint after epoch ``until``, which may be the last one of all.
    ``checkpoints`` are those that the trial may go on from, newest first; without one that can be
    used it begins at epoch 1. One that goes on from another trial's state, after ``start_epoch``,
    cannot begin without it: that trial's checkpoint is the last of its own.
    """

    segment: str
    number: int
    parameters: Mapping[str, Any]
    seed: int
    until: int
    checkpoints: tuple[Checkpoint, ...] = ()
    start_epoch: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the plain values, which become a configuration's :data:`ASSIGNMENT`."""
        return {**asdict(self), "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Assignment:
        """Return the assignment that :meth:`to_json` gave."""
        found = tuple(Checkpoint(**checkpoint) for checkpoint in values["checkpoints"])
        return cls(**{**values, "checkpoints": found})


@dataclass(frozen=True, slots=True)
class Started:
    """A segment has begun on the node of that host name, after the epoch ``resumed_from``.

    ``resumed_from`` is 0 at the beginning of a trial. ``note`` says why checkpoints that were
    offered could not be used ("" if none was passed over).
    """

    node: str
    resumed_from: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch has ended, ``seconds`` of training after the trial began.

    ``engine`` names the code that trained, where the trainable has several.
    """

    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint of the trial is in the storage."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class StateOffered:
    """A child process asks the trial process what is wanted after an epoch: a :class:`Wish`."""

    epoch: int
    can_resume: bool


@dataclass(frozen=True, slots=True)
class StateWritten:
    """A child process has written its state to a file, and asks whether it could be stored.

    ``error`` says why the file could not be written ("" if it was).
    """

    path: str
    epoch: int
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """Lines of the trial, each with its line feed."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The trial has been trained to its last epoch."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The segment has ended before the last epoch, as the driver asked; the trial can go on."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial has failed."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Used:
    """What the trial's processes use of their machine."""

    usage: Usage


End = Finished | Stopped | Failed
Message = Started | Epoch | Checkpointed | StateOffered | StateWritten | Output | Used | End
_KINDS = {kind.__name__: kind for kind in get_args(Message)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a trainable after an epoch: a checkpoint of its state, and to stop.

    ``stop`` is to stop after a checkpoint that is stored, ``end`` to stop whether one is or not.
    """

    checkpoint: bool = False
    stop: bool = False
    end: bool = False


def to_json(message: Message) -> list[Any]:
    """Return the message as plain values: a list, since Tune looks into dictionaries."""
    return [type(message).__name__, asdict(message)]


def from_json(values: Sequence[Any]) -> Message:
    """Return the message that :func:`to_json` gave."""
    name, fields = values
    if name == Failed.__name__:
        failure = fields["failure"]
        return Failed(Failure(**{**failure, "kind": FailureKind(failure["kind"])}))
    if name == Checkpointed.__name__:
        return Checkpointed(Checkpoint(**fields["checkpoint"]))
    if name == Used.__name__:
        return Used(Usage(**fields["usage"]))
    message: Message = _KINDS[name](**fields)
    return message


def to_result(messages: Iterable[Message]) -> dict[str, Any]:
    """Return the messages as a Tune result, which is the trial's last one if it holds its end."""
    listed = list(messages)
    done = any(isinstance(message, End) for message in listed)
    return {MESSAGES: [to_json(message) for message in listed], "done": done}


def from_result(result: Mapping[str, Any]) -> list[Message]:
    """Return the messages inside a Tune result."""
    return [from_json(values) for values in result[MESSAGES]]
