"""Every bad body is a 422 with a problem that names the field and the fix."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

SPACE: dict[str, Any] = {
    "name": "mine",
    "trainable": "numpy_neural_regression",
    "dataset": "ames",
    "epochs": 2,
    "metric": "train_rmse",
    "mode": "min",
    "strategy": "grid",
    "parameters": {"learning_rate": {"values": [0.001, 0.01]}, "hidden_size": 10},
}


def inline(**changes: Any) -> dict[str, Any]:
    return {"search_space": {**SPACE, **changes}}


def q4(**changes: Any) -> dict[str, Any]:
    return {"search_space": "q4_feedforward", **changes}


def rate(domain: Any) -> dict[str, Any]:
    return q4(parameters={"learning_rate": domain})


#: What is sent, the pointer of the field that the answer must name, and a word of its fix.
BAD_BODIES: dict[str, tuple[Any, str, str]] = {
    "no search space": ({}, "/search_space", "q2_linear_regression"),
    "search space of the wrong type": ({"search_space": 3}, "/search_space", "name"),
    "unknown search space": ({"search_space": "q4_fedforward"}, "/search_space", "q4_feedforward"),
    "a path for a search space": ({"search_space": "../secret"}, "/search_space", ""),
    "unknown field": (q4(epoch=3), "/epoch", "epochs"),
    "misspelled parameter": (
        q4(parameters={"learning_rat": 0.1}), "/parameters/learning_rat", "learning_rate"),
    "low above high": (rate({"low": 1.0, "high": 0.1}), "/parameters/learning_rate", "low"),
    "log of zero": (
        rate({"low": 0.0, "high": 0.1, "log": True}), "/parameters/learning_rate", "low"),
    "empty values": (rate({"values": []}), "/parameters/learning_rate", "value"),
    "a value of the wrong type": (rate("fast"), "/parameters/learning_rate", "number"),
    "a value out of its range": (rate(-1.0), "/parameters/learning_rate", "0"),
    "a boolean for a number": (rate(True), "/parameters/learning_rate", "number"),
    "an unknown choice": (
        q4(parameters={"optimizer": "sdg"}), "/parameters/optimizer", "sgd"),
    "10^9 trials in a grid": (
        q4(strategy="grid", parameters={
            "hidden_size": {"low": 1, "high": 1000, "step": 1, "type": "int"},
            "batch_size": {"low": 1, "high": 1000, "step": 1, "type": "int"},
            "layers": {"low": 1, "high": 10, "step": 1, "type": "int"},
        }), "", "10000"),
    "10^9 trials of a sampler": (q4(strategy="random", trials=10**9), "/trials", "10000"),
    "unknown sampler": (q4(strategy="annealing"), "/strategy", "tpe"),
    "trials for a grid": (q4(strategy="grid", trials=3), "/trials", "trials"),
    "zero epochs": (q4(epochs=0), "/epochs", "1"),
    "epochs as text": (q4(epochs="20"), "/epochs", "integer"),
    "epochs as boolean": (q4(epochs=True), "/epochs", "integer"),
    "negative seed": (q4(seed=-1), "/seed", "0"),
    "no priority": (q4(priority=0), "/priority", "at least 1"),
    "priority above 100": (q4(priority=101), "/priority", "at most 100"),
    "priority as a real number": (q4(priority=1.5), "/priority", "whole number"),
    "fewer than no models": (q4(keep=-1), "/keep", "at least 0"),
    "more models than trials": (q4(keep=10_001), "/keep", "at most 10000"),
    "negative cpu": (q4(resources_per_trial={"cpu": -1}), "/resources_per_trial/cpu", "0"),
    "unknown resource": (
        q4(resources_per_trial={"tpu": 1}), "/resources_per_trial/tpu", "did you mean gpu or cpu?"),
    "a field of another tool": (q4(method="bayes"), "/method", "write strategy instead"),
    "a strategy of another tool": (q4(strategy="bayes"), "/strategy", "write tpe instead"),
    "a metric that is not reported": (
        inline(metric="accuracy"), "/search_space/metric", "train_rmse"),
    "a metric on test data": (inline(metric="test_rmse"), "/search_space/metric", "train_rmse"),
    "unknown trainable": (
        inline(trainable="xgboost"), "/search_space/trainable", "numpy_neural_regression"),
    "a data set that does not fit": (
        inline(dataset="fashion_mnist"), "/search_space/dataset", "ames"),
    "a mode that is none": (inline(mode="most"), "/search_space/mode", "max"),
    "a grid over an open range": (
        inline(parameters={"learning_rate": {"low": 0.1, "high": 1.0}}),
        "/search_space/parameters/learning_rate", "step"),
    "a condition on nothing": (
        inline(parameters={"learning_rate": {"values": [0.1, 0.2], "when": {"momentum": 1}}}),
        "/search_space/parameters/learning_rate/when", "momentum"),
    "a NUL character": (q4(name="a\0b"), "/name", "NUL character U+0000 at position 1"),
    "a lone surrogate": (q4(name="\ud800"), "/name", "surrogate"),
    "an integer beyond 64 bits": (q4(seed=2**80), "/seed", "64"),
    "a cpu share that Ray cannot count": (
        q4(resources_per_trial={"cpu": 0.00001}), "/resources_per_trial/cpu", "at least 0.0001"),
    "a gpu share that Ray cannot count": (
        q4(resources_per_trial={"gpu": 0.00001}), "/resources_per_trial/gpu", "whole number"),
    "one and a half gpus": (
        q4(resources_per_trial={"gpu": 1.5}), "/resources_per_trial/gpu", "whole number"),
    "a line break in the name": (q4(name="a\nb"), "/name", "line breaks"),
    "an escape sequence in a tag": (q4(tags={"a/b": "\x1b[2J"}), "/tags/a~1b", "control"),
    "a control character in a tag's name": (q4(tags={"a\x07": "b"}), "/tags/a\\u0007", "control"),
    "too many epochs": (q4(epochs=1_000_001), "/epochs", "1000000"),
    "too many epochs inline": (inline(epochs=1_000_001), "/search_space/epochs", "1000000"),
    "not an object": ([1, 2], "", "object"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bad_body_is_a_422_that_names_field_and_fix(client: TestClient, case: str) -> None:
    body, pointer, word = BAD_BODIES[case]
    answer = client.post(
        "/api/v1/jobs",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert answer.headers["content-type"] == "application/problem+json"
    named = [e for e in problem["errors"] if e["pointer"].startswith(pointer)]
    assert named, problem
    assert all(e["detail"] and e["code"] for e in problem["errors"])
    assert word.lower() in json.dumps(problem).lower(), problem
    assert client.get("/api/v1/jobs").json()["items"] == []


#: The verb, what is sent, the pointer that the answer must name, and a word of its fix.
BAD_CHANGES: dict[str, tuple[str, Any, str, str]] = {
    "priority of nothing": ("priority", {}, "/priority", "give the field"),
    "priority as text": ("priority", {"priority": "2"}, "/priority", "not in quotes"),
    "priority out of range": ("priority", {"priority": 0}, "/priority", "at least 1"),
    "a misspelled priority": (
        "priority",
        {"priority": 2, "priorty": 3},
        "/priorty",
        "did you mean priority",
    ),
    "no object": ("priority", 3, "", "send {...}"),
    "extend by nothing": ("extend", {}, "", '"epochs": 6'),
    "extend by null": ("extend", {"trials": None}, "", '"epochs": 6'),
    "extend by text": ("extend", {"epochs": "40"}, "/epochs", "not in quotes"),
    "extend a field that is none": ("extend", {"epoch": 40}, "/epoch", "did you mean epochs"),
    "extend beyond all limits": ("extend", {"epochs": 1_000_001}, "/epochs", "at most 1000000"),
    "confirm too few seeds": ("confirm", {"seeds": 1}, "/seeds", "at least 2"),
    "confirm a field that is none": ("confirm", {"tops": 3}, "/tops", "did you mean top"),
    "extend a grid": ("extend", {"trials": 60}, "/trials", "use a sampler"),
}


@pytest.mark.parametrize("case", BAD_CHANGES)
def test_a_bad_change_is_a_422_that_names_field_and_fix(client: TestClient, case: str) -> None:
    verb, body, pointer, word = BAD_CHANGES[case]
    job = client.post("/api/v1/jobs", json=q4(strategy="grid", epochs=3)).json()
    answer = client.post(f"/api/v1/jobs/{job['id']}/{verb}", json=body)
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert word in problem["errors"][0]["hint"], problem
    assert client.get(f"/api/v1/jobs/{job['id']}").json() == job


def test_a_body_of_many_bad_fields_names_the_first_hundred(client: TestClient) -> None:
    answer = client.post("/api/v1/jobs", json=dict.fromkeys(map(str, range(20_000)), 1))
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100
