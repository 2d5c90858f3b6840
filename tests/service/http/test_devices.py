"""A job whose trials are to train on a GPU must ask for one."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

LOGISTIC = {"search_space": "q4_logistic_regression"}
INLINE = {
    "name": "rates", "trainable": "torch_logistic_regression", "dataset": "fashion_mnist",
    "epochs": 1, "metric": "validation_accuracy", "mode": "max", "strategy": "grid",
    "parameters": {"device": {"values": ["auto", "cuda"]}},
}  # fmt: skip
CUDA = {"parameters": {"device": "cuda"}}


def plan(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/jobs?dry_run=true", json=body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**LOGISTIC, **CUDA}, "/parameters/device"),
        ({"search_space": INLINE}, "/search_space/parameters/device"),
        ({"search_space": INLINE, **CUDA}, "/parameters/device"),
    ],
)
def test_a_gpu_that_trials_are_not_given_is_refused_with_the_fix(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = plan(client, **body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "resources_per_trial.gpu (--gpus)" in error["hint"]
    assert plan(client, **body, resources_per_trial={"gpu": 0.5}).status_code == 200


def test_a_gpu_that_no_trial_uses_need_not_be_given(client: TestClient) -> None:
    assert plan(client, search_space=INLINE, strategy="single").status_code == 200
    assert plan(client, **LOGISTIC, parameters={"device": "cpu"}).status_code == 200
