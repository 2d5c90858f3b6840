"""The messages between a job's driver and its trial processes, and their form inside Ray Tune.

The driver sends an :class:`Assignment`, inside a Tune configuration. The trial process answers with
:class:`Started`, an :class:`Epoch` after each epoch, :class:`Output` for what a user's code prints
and, before an exception ends it, :class:`Failed`, each inside a Tune result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from results.records import Failure
from results.states import FailureKind

#: The one key of a Tune configuration: a trial's number, parameters and seed.
ASSIGNMENT = "trial"
#: The key of a Tune result that holds the message, and that of the value which samplers compare.
MESSAGE = "argbest"
OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A trial to run: its number in the job, its hyperparameters and its seed."""

    number: int
    parameters: Mapping[str, Any]
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the plain values, which become a configuration's :data:`ASSIGNMENT`."""
        return {"number": self.number, "parameters": dict(self.parameters), "seed": self.seed}

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Assignment:
        """Return the assignment inside a Tune configuration."""
        return cls(**config[ASSIGNMENT])


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt has begun on the node of that host name."""

    node: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch has ended, ``seconds`` after training began.

    ``objective`` is the value of the job's metric, if this epoch has it. ``engine`` names the code
    that trained, where the trainable has several.
    """

    epoch: int
    metrics: Mapping[str, float]
    objective: float | None
    seconds: float
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt has failed; its process ends, or takes another trial."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Output:
    """Lines that a trial has printed, each with its line feed and the trial's number in front."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A child process has trained its trial to the end; it is sent to the trial process alone."""


Message = Started | Epoch | Failed | Output | Finished
_KINDS = {kind.__name__: kind for kind in (Started, Epoch, Failed, Output, Finished)}


def to_result(message: Message, objective: float | None = None) -> dict[str, Any]:
    """Return the message as a Tune result, with the last epoch's ``objective`` if there is one.

    The message is a list, because Tune keeps statistics of every number in a dictionary.
    """
    result: dict[str, Any] = {MESSAGE: [type(message).__name__, asdict(message)]}
    if isinstance(message, Epoch) and message.objective is not None:
        objective = message.objective
    return result if objective is None else {**result, OBJECTIVE: objective}


def from_result(result: Mapping[str, Any]) -> Message | None:
    """Return the message inside a Tune result, None for a result that is none of ours.

    A trainable that was written for Ray Tune calls ``ray.tune.report`` itself, say.
    """
    try:
        name, fields = result[MESSAGE]
        if name == Failed.__name__:
            failure = fields["failure"]
            return Failed(Failure(**{**failure, "kind": FailureKind(failure["kind"])}))
        message: Message = _KINDS[name](**fields)
    except (KeyError, TypeError, ValueError):
        return None
    return message
