"""The trainable of a space is the registered one, or is made of what the space says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_spaces import Library, SearchSpace
from trainables import datasets, registry
from trainables.contract import Metric, UnknownTrainable
from trainables.programs import ProgramTrainable, train_of, trainable_of
from trainables.workplace import Workplace

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


def test_an_epoch_waits_for_the_metric_of_a_constraint(tmp_path: Path) -> None:
    lines = [json.dumps({"epoch": 1, "loss": 0.5}), json.dumps({"epoch": 1, "mb": 2})]
    raw = {
        "name": "mine", "command": ["printf", "%s\\n", *(line.replace("{", "{{").replace("}", "}}")
                                                       for line in lines)],
        "parameters": {"lr": 0.1}, "metric": "loss", "mode": "min", "epochs": 2, "early_end": True,
        "constraints": [{"metric": "mb", "at_most": 3}],
    }  # fmt: skip
    space, reported, printed = SearchSpace.from_json(raw), [], bytearray()
    train = train_of(space, Workplace(tmp_path), printed.extend)
    train(
        {"lr": 0.1}, None, lambda epoch, metrics, **_: reported.append((epoch, metrics)),
        epochs=2, seed=1,
    )  # fmt: skip
    assert reported == [(1, {"loss": 0.5, "mb": 2.0})]
    assert b"left out" not in printed
