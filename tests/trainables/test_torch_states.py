"""States of the torch trainables, and tensors from states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainables.torch_problems import CPU, TWO_HIDDEN, random_batches, start
from trainables.contract import State
from trainables.state_files import StateError
from trainables.torch_optimizers import Optimizer
from trainables.torch_states import restore, tensors, to_state
from trainables.torch_steps import EagerEngine, Problem

ADAM = Problem(TWO_HIDDEN, 2, Optimizer("adam", 0.01))


def made(problem: Problem = ADAM) -> dict[str, Any]:
    state, _ = EagerEngine(problem).run(start(problem), random_batches(problem, 3))
    generator = torch.Generator().manual_seed(8)
    torch.rand(5, generator=generator)
    return dict(to_state("net", 2, problem, state, generator))


def read(state: State, problem: Problem = ADAM) -> Any:
    return restore(state, "net", problem, torch.Generator(), CPU)


def test_a_state_has_everything_by_name() -> None:
    state = made()
    assert [*state] == [
        "trainable", "epoch", "steps", "activation", "w1", "b1", "w2", "b2", "w3", "b3", "moments",
        "generator",
    ]  # fmt: skip
    assert (state["epoch"], state["steps"], state["activation"]) == (2, 3, "tanh")
    assert state["w1"].shape == (8, 12)
    assert [*state["moments"]] == ["first", "second"]
    assert state["moments"]["second"]["w3"].shape == (4, 8)
    assert (state["moments"]["second"]["w3"] >= 0).all()


def test_what_is_restored_is_what_was_there_and_a_copy() -> None:
    state = made()
    generator = torch.Generator()
    found = restore(state, "net", ADAM, generator, CPU)
    again = to_state("net", 2, ADAM, found, generator)
    for name, value in state.items():
        if name == "moments":
            for moment, arrays in value.items():
                assert all(np.array_equal(again[name][moment][k], a) for k, a in arrays.items())
        else:
            assert np.array_equal(again[name], value)
    found.weights[0].zero_()
    found.moments[0].zero_()
    assert state["w1"].any()
    assert state["moments"]["first"]["w1"].any()


def test_read_only_arrays_are_restored_without_a_warning() -> None:
    state = made()
    for value in (state["w1"], state["generator"], state["moments"]["first"]["b1"]):
        value.setflags(write=False)
    assert read(state).steps == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": -1}, "'steps' of the state to resume is -1"),
        ({"moments": None}, "'moments' of the state to resume is of type NoneType"),
        ({"moments": {"first": {}}}, "'moments' of the state to resume lacks 'second'"),
        ({"moments": {"first": {}, "second": {}}}, "'first' of 'moments' lacks 'b1'"),
        ({"generator": np.zeros(3, "u1")}, "'generator' of the state to resume: "),
        ({"generator": np.zeros(5056, "u1")}, "'generator' of the state to resume: "),
        ({"generator": np.zeros(5056, "f4")}, "'generator' of the state to resume: "),
        ({"generator": "x"}, "'generator' of the state to resume: "),
        ({"w1": np.zeros((8, 12))}, "'w1' of the state to resume is float64"),
        ({"activation": "relu"}, "has activation 'relu', not 'tanh'"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(StateError, match=message):
        read(made() | changes)


def test_moments_of_another_shape_are_refused() -> None:
    state = made()
    state["moments"]["second"]["b3"] = np.zeros(5, "f4")
    with pytest.raises(StateError, match=r"'b3' .* shape \(5,\), but .* shape \(4,\)"):
        read(state)


def test_tensors_fill_a_model_and_its_optimizer() -> None:
    def fresh() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(1)
        model = torch.nn.Linear(3, 2)
        return model, torch.optim.Adam(model.parameters(), 0.1)

    def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        model(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()

    model, optimizer = fresh()
    step(model, optimizer)
    as_arrays = {
        "model": {k: v.numpy().copy() for k, v in model.state_dict().items()},
        "moments": {
            number: {k: v.numpy().copy() for k, v in moments.items()}
            for number, moments in optimizer.state_dict()["state"].items()
        },
    }
    twin, twin_optimizer = fresh()
    twin.load_state_dict(tensors(as_arrays["model"]))
    groups = tensors(optimizer.state_dict()["param_groups"])
    twin_optimizer.load_state_dict({"state": tensors(as_arrays["moments"]), "param_groups": groups})
    step(model, optimizer)
    step(twin, twin_optimizer)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_tensors_keep_other_values_and_copy() -> None:
    array, text = np.arange(3.0), np.array(["a"])
    found = tensors({"a": [array, (1, None)], 2: "x", "t": text})
    assert found["a"][1] == (1, None)
    assert found[2] == "x"
    assert found["t"] is text
    found["a"][0].zero_()
    assert array.tolist() == [0, 1, 2]
