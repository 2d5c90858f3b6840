"""A trial runs again as a job of its own, and its curve is compared bit for bit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from search_spaces import SearchSpace
from service.cli.reproduce import Compared, compare
from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi
from tests.service.stand_ins import spec


@pytest.fixture
def job(api: FakeApi) -> str:
    """The id of a finished job, whose specification is whole."""
    made = api.add_job(spec=program().to_json())
    return str(api.finish(made)["id"])


def program() -> Any:
    code = {"trainable": "command", "dataset": "none", "code": "sha256:" + "a" * 64}
    flags = {"flags": {"gone": {"true": "--gone"}}}
    command = {"command": ["python", "train.py", "{args}"], "metric": "loss"}
    parameters = {"learning_rate": {"values": [0.1, 0.01]}, "optimizer": {"values": ["sgd", "x"]},
                  "gone": {"values": [True], "when": {"optimizer": "x"}}}  # fmt: skip
    return spec(
        **code, **flags, **command, parameters=parameters, strategy="grid", trials=4, epochs=2,
        seed=7, source={"commit": "c0ffee"}, cpu=2.0,
    )  # fmt: skip


def test_the_trial_s_configuration_seed_code_and_source_run_again(api: FakeApi, job: str) -> None:
    result = run(api, "reproduce", job, "1")
    assert result.exit_code == 0, result.stderr
    sent = body(api)
    space = SearchSpace.from_json(sent["search_space"])
    assert space.strategy == "single"
    assert {n: d.default for n, d in space.parameters.items()} == {
        "learning_rate": 0.01, "optimizer": "sgd",
    }  # fmt: skip
    assert space.program is not None
    assert space.program.code == "sha256:" + "a" * 64
    assert (space.epochs, sent["seed"]) == (2, 42)
    assert sent["source"] == {"commit": "c0ffee"}
    assert sent["tags"] == {"reproduces": f"{job}/1"}
    assert sent["resources_per_trial"] == {"cpu": 2.0, "gpu": 0.0}
    assert "same" in result.stdout
    assert "1 of 1 metric the same, bit for bit" in result.stderr
    assert "argbest: " in result.stderr  # another version answers there


def test_data_that_are_not_the_same_are_named(api: FakeApi) -> None:
    data = {"digest": "d" * 64, "kind": "regression", "target": "price", "parts": ["train"]}
    made = api.finish(api.add_job(spec=program().to_json() | {"data": data}))
    result = run(api, "reproduce", str(made["id"]), "0")
    assert f"data: {'d' * 64} then, none now" in result.stderr


def test_as_json(api: FakeApi, job: str) -> None:
    shown = json.loads(run(api, "reproduce", job, "0", "--json").stdout)
    assert (shown["job"], shown["is_equal"]) == ("j2", True)
    assert [metric["metric"] for metric in shown["metrics"]] == ["train_loss"]


def test_a_trial_without_an_epoch_cannot_be_compared(api: FakeApi) -> None:
    made = api.add_job(spec=program().to_json(), changes=({"epochs": 0}, {}))
    result = run(api, "reproduce", str(made["id"]), "0")
    assert result.exit_code == 2
    assert "reported no epoch" in result.stderr


def test_curves_are_compared_over_the_first_one_s_epochs() -> None:
    first: dict[str, Any] = {"epoch": [1, 2], "loss": [0.5, 0.25], "seconds": [1.0, 2.0],
                             "late": [None, 1.0], "gone": [1.0, 1.0]}  # fmt: skip
    second: dict[str, Any] = {"epoch": [1, 2, 3], "loss": [0.5, 0.25, 0.1],
                              "seconds": [1.0, 2.5, 3.0], "late": [None, 1.0, 2.0]}  # fmt: skip
    assert list(compare(first, second)) == [
        Compared("loss", 2),
        Compared("seconds", 2, 2, (2.0, 2.5)),
        Compared("late", 2),
        Compared("gone", 2, 1, (1.0, None)),
    ]


def test_a_shorter_second_curve_differs() -> None:
    found = list(compare({"epoch": [1, 2], "loss": [0.5, 0.25]}, {"epoch": [1], "loss": [0.5]}))
    assert found == [Compared("loss", 2, 2, (0.25, None))]
