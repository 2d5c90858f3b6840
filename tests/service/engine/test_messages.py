"""The messages between trial and driver: what Tune carries becomes the same message again."""

from __future__ import annotations

import json

import pytest

from results.records import Checkpoint, Failure
from results.states import FailureKind
from service.engine.messages import (
    ASSIGNMENT,
    MESSAGES,
    Assignment,
    Checkpointed,
    Epoch,
    Failed,
    Finished,
    Message,
    Output,
    Started,
    StateOffered,
    StateWritten,
    Stopped,
    from_json,
    from_result,
    to_json,
    to_result,
)

CHECKPOINT = Checkpoint(7, 3, 1.5, "jobs/a/7/b-3.npz", 1000, "0" * 64)
EPOCH = Epoch(3, {"loss": 0.25, "accuracy": 0.5}, 1.5, "numba")
NOT_ENDS: list[Message] = [
    Started("node-a"),
    Started("node-a", 12, "the checkpoint after epoch 13 is left out: damaged"),
    EPOCH,
    Checkpointed(CHECKPOINT),
    StateOffered(3, can_resume=True),
    StateWritten("/tmp/state.npz", 3, 1.5, "no space"),
    Output("trial 7: hello\n"),
]
ENDS: list[Message] = [
    Finished(),
    Stopped(),
    Failed(Failure(FailureKind.USER_ERROR, "ValueError: no", "Traceback ...")),
    Failed(Failure(FailureKind.DIVERGED, "loss was nan in epoch 2")),
]


@pytest.mark.parametrize("message", NOT_ENDS + ENDS)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert from_json(json.loads(json.dumps(to_json(message)))) == message


def test_several_messages_travel_in_one_result_which_is_the_last_with_an_end() -> None:
    carried = json.loads(json.dumps(to_result(NOT_ENDS)))
    assert not carried["done"]
    assert from_result({**carried, "hostname": "node-a"}) == NOT_ENDS
    for end in ENDS:
        assert to_result([EPOCH, end])["done"]


def test_numbers_in_a_message_are_hidden_from_tunes_statistics() -> None:
    """Tune keeps the mean, the smallest and the largest of every number in a dictionary."""
    assert [type(values) for values in to_result([EPOCH])[MESSAGES]] == [list]


def test_an_assignment_comes_back_from_its_configuration() -> None:
    assignment = Assignment("s", 7, {"learning_rate": 0.1, "layers": 2}, 42, 9, (CHECKPOINT,))
    config = json.loads(json.dumps({ASSIGNMENT: assignment.to_json()}))
    assert Assignment.from_json(config[ASSIGNMENT]) == assignment
