"""States of the torch trainables, and tensors out of a state that was read from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from trainables import contract, resume
from trainables.state_files import StateError
from trainables.torch_models import Architecture, Weights
from trainables.torch_steps import Problem, State

#: Adam's moments, in the order of :attr:`trainables.torch_steps.State.moments`.
_MOMENTS = ("first", "second")


def tensors(value: Any) -> Any:
    """Return ``value`` with each array of numbers in it copied to a tensor on the CPU.

    Dicts, lists and tuples are copied too: ``load_state_dict`` and ``set_state`` take the result.
    """
    if isinstance(value, Mapping):
        return {key: tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(tensors, value))
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return torch.tensor(value)
    return value


def to_state(
    trainable: str, epoch: int, problem: Problem, state: State, generator: torch.Generator
) -> contract.State:
    """Return the state after ``epoch`` as numpy arrays; those on the CPU share their memory.

    ``w1``, ``b1``, ``w2``, ... are the weights (outputs, inputs) and biases (outputs,), float32;
    ``moments`` has Adam's, ``generator`` the random numbers' position. With the ``activation`` (of
    a network with hidden layers) the weights are the model.
    """
    names = [name for name, _ in _shapes(problem.architecture)]
    values: dict[str, Any] = {"trainable": trainable, "epoch": epoch, "steps": state.steps}
    if problem.architecture.layers:
        values["activation"] = problem.architecture.activation
    values |= _named(names, state.weights)
    if state.moments:
        halves = state.moments[: len(names)], state.moments[len(names) :]
        values["moments"] = {
            moment: _named(names, half) for moment, half in zip(_MOMENTS, halves, strict=True)
        }
    values["generator"] = generator.get_state().numpy()
    return values


def restore(
    stored: contract.State,
    trainable: str,
    problem: Problem,
    generator: torch.Generator,
    device: torch.device,
) -> State:
    """Return the weights, moments and steps of a state, and set the generator to its position.

    Raises ``StateError`` if the state is of another trainable, architecture or optimizer.
    """
    shapes = dict(_shapes(problem.architecture))
    names = {*shapes, "steps", "generator"}
    if problem.architecture.layers:
        names.add("activation")
    if problem.optimizer.name == "adam":
        names.add("moments")
    resume.check_state(stored, trainable, names)
    activation = stored.get("activation", problem.architecture.activation)
    if activation != problem.architecture.activation:
        wanted = problem.architecture.activation
        raise StateError(f"the state to resume has activation {activation!r}, not {wanted!r}")
    weights = _tensors_of(stored, shapes, device)
    moments: Weights = ()
    if "moments" in names:
        resume.check_names(stored["moments"], _MOMENTS, "'moments' of the state to resume")
        for moment in _MOMENTS:
            resume.check_names(stored["moments"][moment], shapes, f"{moment!r} of 'moments'")
            moments += _tensors_of(stored["moments"][moment], shapes, device)
    _set(generator, stored["generator"])
    return State(weights, moments, resume.whole(stored, "steps", 2**62))


def _shapes(architecture: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names and shapes of the weights, in the order of the models."""
    for layer, (inputs, outputs) in enumerate(pairwise(architecture.sizes), 1):
        yield f"w{layer}", (outputs, inputs)
        yield f"b{layer}", (outputs,)


def _named(names: list[str], weights: Weights) -> dict[str, Any]:
    arrays = (weight.detach().cpu().numpy() for weight in weights)
    return dict(zip(names, arrays, strict=True))


def _tensors_of(
    stored: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], device: torch.device
) -> Weights:
    arrays = (resume.array(stored, name, shape, np.float32) for name, shape in shapes.items())
    return tuple(torch.tensor(array, device=device) for array in arrays)


def _set(generator: torch.Generator, position: Any) -> None:
    try:
        generator.set_state(torch.tensor(np.asarray(position)))
    except (RuntimeError, TypeError) as error:
        raise StateError(f"'generator' of the state to resume: {error}") from error
