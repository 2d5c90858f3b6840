"""The trainable of a search space: a registered one, or its program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from search_spaces import NO_DATASET, RESERVED_METRICS, Program, SearchSpace, function_of
from trainables import datasets, functions, registry
from trainables.commands import CommandRun, to_stdout
from trainables.contract import Metric, Train
from trainables.datasets import Kind
from trainables.declaration import Trainable
from trainables.workplace import Workplace

#: Takes any parameters.
_OPEN: Mapping[str, Any] = {"type": "object", "additionalProperties": True}


@dataclass(frozen=True, slots=True)
class ProgramTrainable:
    """A space's program, with the members of a :class:`trainables.declaration.Trainable`.

    ``metrics`` are those that the space compares or finds by patterns; a program may report others.
    """

    name: str
    title: str
    program: Program
    datasets: tuple[str, ...]
    kinds: tuple[Kind, ...]
    metrics: tuple[Metric, ...]
    resumes: bool
    #: It does not say which parameters may change while it trains: a search has to name them.
    changeable: None = None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the parameters; open where it is not known."""
        return dict(self.program.parameters_schema or _OPEN)


def trainable_of(space: SearchSpace) -> Trainable | ProgramTrainable:
    """Return the trainable that a space runs; raise :class:`UnknownTrainable` if there is none."""
    program = space.program
    if program is None:
        return registry.get(space.trainable)
    taken = (NO_DATASET, *datasets.names()) if program.is_function else (NO_DATASET,)
    kinds = datasets.KINDS if program.is_function else ()
    title = space.trainable if program.is_function else " ".join(program.command)
    metrics = tuple(_metrics(space, program))
    return ProgramTrainable(space.trainable, title, program, taken, kinds, metrics, program.resumes)


def train_of(
    space: SearchSpace, workplace: Workplace, log: Callable[[bytes], None] = to_stdout
) -> Train:
    """Return the function that trains the trials of a space; a program runs in ``workplace``.

    ``log`` takes what a command prints.

    Raises :class:`trainables.contract.UnknownTrainable` where there is none, and whatever the
    import of a user's module raises.
    """
    program = space.program
    if program is None:
        return registry.get(space.trainable).resolve()
    function = function_of(space.trainable)
    if function is not None:
        return functions.load(*function, workplace.code)
    deciding = {o.metric for o in space.objectives} | {c.metric for c in space.constraints}
    run = CommandRun(program, frozenset(deciding - {*RESERVED_METRICS}), workplace, log)
    # A function without the parameter resume begins with epoch 1.
    return run if program.resumes else cast("Train", run.from_the_beginning)


def _metrics(space: SearchSpace, program: Program) -> list[Metric]:
    """Return what the space says of the program's metrics, the objectives first."""
    modes: dict[str, Literal["min", "max", ""]] = {o.metric: o.mode for o in space.objectives}
    modes |= {c.metric: "" for c in space.constraints if c.metric not in modes}
    modes |= {name: "" for name in program.patterns if name not in modes}
    own = {name: mode for name, mode in modes.items() if name not in (*RESERVED_METRICS, "epoch")}
    return [Metric(name, name, mode, "none") for name, mode in own.items()]
