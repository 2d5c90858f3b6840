"""What `argbest plan` says of a search before anything runs."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from service.cli.planned import plan_lines
from service.schemas import PlanView
from tests.service.http.samples import JOB

SPACE = {
    "name": "small", "trainable": "torch_feedforward", "dataset": "fashion_mnist", "epochs": 27,
    "metric": "validation_accuracy", "mode": "max", "strategy": "auto", "trials": 24,
    "parameters": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
}  # fmt: skip


def lines(client: TestClient, space: Any, **members: Any) -> list[str]:
    body = {"search_space": space, **members}
    answer = client.post("/api/v1/jobs?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    return list(plan_lines(PlanView.model_validate(answer.json())))


def test_confirmation_and_scheduler_are_told_beforehand(client: TestClient) -> None:
    assert lines(client, SPACE)[:-1] == [
        "24 trials of 27 epochs, strategy gp",
        "then at most 20 more, of all 27 epochs, to confirm the best 3 and the default with 5 "
        "further seeds each",
        "objective: validation_accuracy (max)",
        "scheduler: asha reduction_factor=3 min_epochs=1 stops=false",
        "no cost can be estimated yet: no finished job of trainable torch_feedforward on "
        "fashion_mnist to go by",
    ]


def test_all_that_limits_a_search_is_told(client: TestClient) -> None:
    found = lines(
        client, SPACE, strategy="tpe", confirm=False, scheduler="median", budget={"epochs": 500},
        constraints=[{"metric": "model_bytes", "at_most": 1_000_000},
                     {"metric": "train_loss", "at_least": 0.1, "at_most": 2}],
        enqueue=[{}, *({"learning_rate": rate} for rate in (0.002, 0.01, 0.02))],
    )  # fmt: skip
    assert found[1:-1] == [
        "objective: validation_accuracy (max)",
        "constraints: model_bytes <= 1000000, train_loss <= 2, train_loss >= 0.1",
        "scheduler: median min_epochs=1 min_trials=5",
        "budget: epochs=500",
        "runs first: learning_rate=0.001; learning_rate=0.002; learning_rate=0.01; and 1 more",
    ]


def test_several_objectives_and_seeds_are_told(client: TestClient) -> None:
    objectives = [{"metric": "validation_accuracy", "mode": "max"},
                  {"metric": "seconds", "mode": "min"}]  # fmt: skip
    found = lines(client, SPACE, objectives=objectives, repeats=3)
    assert "objectives: validation_accuracy (max), seconds (min)" in found
    assert "every configuration runs with 3 seeds" in found


def test_what_is_not_there_is_not_told(client: TestClient) -> None:
    found = lines(client, JOB["search_space"])
    assert [line.partition(" ")[0] for line in found[1:]] == ["objective:", "no"]


def test_core_hours_are_those_of_training() -> None:
    cost = {"trials": 2, "epochs": 4, "core_hours": 0.5, "basis": "the pace of 1 finished job"}
    spec = {"epochs": 2, "strategy": "grid", "metric": "loss", "mode": "min"}
    view = {"spec": spec, "fingerprint": "", "trials": 2, "configurations": [], "sampling": None}
    found = list(plan_lines(PlanView.model_validate({**view, "estimate": cost})))
    assert found[-1] == ("at most about 0.5 core-hours of training, by the pace of 1 finished job")
    cost |= {"expected_epochs": 2, "expected_core_hours": 0.25}
    found = list(plan_lines(PlanView.model_validate({**view, "estimate": cost})))
    said = "about 0.25 core-hours of training, at most 0.5, by the pace of 1 finished job"
    assert found[-1] == said
