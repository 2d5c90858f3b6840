"""The messages between trial and driver: what Tune carries becomes the same message again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from results.records import Failure
from results.states import FailureKind
from service.engine.messages import (
    ASSIGNMENT,
    MESSAGE,
    OBJECTIVE,
    Assignment,
    Epoch,
    Failed,
    Message,
    Started,
    from_result,
    to_result,
)

EPOCH = Epoch(3, {"loss": 0.25, "accuracy": 0.5}, 0.5, 1.5, "numba")


@pytest.mark.parametrize(
    "message",
    [
        Started("node-a"),
        EPOCH,
        Failed(Failure(FailureKind.USER_ERROR, "ValueError: no", "Traceback ...")),
        Failed(Failure(FailureKind.DIVERGED, "loss was nan in epoch 2")),
    ],
)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    carried = json.loads(json.dumps(to_result(message)))
    assert from_result({**carried, "hostname": "node-a", "done": False}) == message


def test_an_epoch_carries_the_value_that_samplers_compare() -> None:
    assert to_result(EPOCH)[OBJECTIVE] == 0.5
    assert OBJECTIVE not in to_result(Started("node-a"))


def test_numbers_in_a_message_are_hidden_from_tunes_statistics() -> None:
    """Tune keeps the mean, the smallest and the largest of every number in a dictionary."""
    assert type(to_result(EPOCH)[MESSAGE]) is list


@pytest.mark.parametrize(
    "result",
    [
        {"val_loss": 0.5},
        {"event": "epoch", "epoch": 1},
        {OBJECTIVE: 0.5},
        {MESSAGE: None},
        {MESSAGE: 7},
        {MESSAGE: ["Epoch"]},
        {MESSAGE: ["Epoch", {"epoch": 1}]},
        {MESSAGE: ["Epoch", None]},
        {MESSAGE: ["Nonsense", {}]},
        {MESSAGE: [["Epoch"], {}]},
        {MESSAGE: ["Failed", {}]},
        {MESSAGE: ["Failed", {"failure": {"kind": "nonsense", "message": ""}}]},
    ],
)
def test_a_result_that_is_no_message_of_ours_is_none(result: dict[str, Any]) -> None:
    assert from_result(result) is None


def test_an_assignment_comes_back_from_its_configuration() -> None:
    assignment = Assignment(7, {"learning_rate": 0.1, "layers": 2}, 42)
    config = json.loads(json.dumps({ASSIGNMENT: assignment.to_json()}))
    assert Assignment.of(config) == assignment
