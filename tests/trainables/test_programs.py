"""The trainable of a space is the registered one, or is made of what the space says."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Library, SearchSpace
from trainables import datasets, registry
from trainables.contract import Metric, UnknownTrainable
from trainables.programs import ProgramTrainable, trainable_of

RAW: dict[str, Any] = {
    "name": "mine", "command": ["python", "train.py", "{args}"], "parameters": {"lr": 0.1},
    "objectives": [{"metric": "val/acc", "mode": "max"}, {"metric": "seconds", "mode": "min"}],
    "constraints": [{"metric": "size (MB)", "at_most": 3}],
    "patterns": {"val/acc": "acc (.+)", "size (MB)": "m (.)", "loss": "l (.+)", "epoch": "e (.)"},
}  # fmt: skip
FUNCTION: dict[str, Any] = {
    "name": "mine", "trainable": "pkg/mine.py:train", "code": ".", "metric": "loss", "mode": "min",
    "parameters": {"lr": 0.1}, "resumes": True,
    "parameters_schema": {"properties": {"lr": {"type": "number"}}, "additionalProperties": False},
}  # fmt: skip


def test_a_registered_trainable_is_itself() -> None:
    space = Library().get("q4_grid")
    assert trainable_of(space) is registry.get(space.trainable)


def test_a_trainable_that_is_not_installed_is_unknown() -> None:
    raw = {**Library().get("q4_grid").to_json(), "trainable": "gone"}
    with pytest.raises(UnknownTrainable, match="gone"):
        trainable_of(SearchSpace.from_json(raw))


def test_a_command_has_the_metrics_that_its_space_names() -> None:
    found = trainable_of(SearchSpace.from_json(RAW))
    assert isinstance(found, ProgramTrainable)
    assert (found.name, found.title) == ("command", "python train.py {args}")
    assert (found.datasets, found.resumes) == (("none",), False)
    assert found.metrics == (
        Metric("val/acc", "val/acc", "max", "none"),
        Metric("size (MB)", "size (MB)", "", "none"),
        Metric("loss", "loss", "", "none"),
    )
    assert found.schema() == {"type": "object", "additionalProperties": True}


def test_a_function_takes_any_data_and_the_parameters_of_its_schema() -> None:
    found = trainable_of(SearchSpace.from_json(FUNCTION))
    assert found.datasets == ("none", *datasets.names())
    assert found.resumes
    assert found.schema()["properties"] == {"lr": {"type": "number"}}
    assert found.schema()["additionalProperties"] is False
