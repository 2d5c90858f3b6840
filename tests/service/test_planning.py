"""Programs are planned where the service allows them; what the plan holds of them counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import CodeRecord, TokenScope
from results.store import Store
from service.api import create_app
from service.settings import Settings

DIGESTS = ("sha256:" + "0a" * 32, "sha256:" + "0b" * 32)
COMMAND: dict[str, Any] = {
    "name": "mine", "command": ["python", "train.py", "{args}"], "metric": "val/loss", "epochs": 9,
    "mode": "min", "parameters": {"lr": {"values": [0.1, 0.2]}},
}  # fmt: skip
FUNCTION = {**COMMAND, "trainable": "mine.py:train", "code": "."}
del FUNCTION["command"]


@pytest.fixture
def allowed(settings: Settings, store: Store) -> Iterator[TestClient]:
    """Yield a client that may send programs, to a service that knows two archives of code."""
    for digest in DIGESTS:
        store.add_code(CodeRecord(digest, f"{digest[7:]}.tar.gz", 100, 1, 200))
    made = store.create_token("mine", TokenScope.CODE)
    app = create_app(settings.model_copy(update={"allow_commands": True}), store)
    headers = {"Authorization": f"Bearer {made.secret}"}
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        yield client


def plan(client: TestClient, space: dict[str, Any], **members: Any) -> dict[str, Any]:
    body = {"search_space": space, **members}
    answer = client.post("/api/v1/jobs?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    planned: dict[str, Any] = answer.json()
    return planned


def problems(client: TestClient, space: dict[str, Any], **members: Any) -> dict[str, str]:
    body = {"search_space": space, **members}
    answer = client.post("/api/v1/jobs?dry_run=true", json=body)
    assert answer.status_code == 422, answer.text
    return {p["pointer"]: f"{p['detail']}; {p['hint']}" for p in answer.json()["errors"]}


@pytest.mark.parametrize("space", [COMMAND, FUNCTION])
def test_programs_are_refused(client: TestClient, space: dict[str, Any]) -> None:
    answer = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space})
    assert answer.status_code == 403
    assert "ARGBEST_ALLOW_COMMANDS is off" in answer.json()["detail"]


def test_a_plan_shows_the_program_and_where_it_came_from(allowed: TestClient) -> None:
    source = {"commit": "abc", "dirty": False, "packages": {"numpy": "2.2"}}
    spec = plan(allowed, {**COMMAND, "code": DIGESTS[0]}, source=source)["spec"]
    assert (spec["command"], spec["code"]) == (COMMAND["command"], DIGESTS[0])
    assert (spec["trainable"], spec["dataset"], spec["source"]) == ("command", "none", source)


def test_the_code_counts_in_the_fingerprint_and_its_source_does_not(allowed: TestClient) -> None:
    same = [plan(allowed, {**COMMAND, "code": DIGESTS[0]}, source={"n": n}) for n in (1, 2)]
    other = plan(allowed, {**COMMAND, "code": DIGESTS[1]})
    assert same[0]["fingerprint"] == same[1]["fingerprint"] != other["fingerprint"]


@pytest.mark.parametrize("resumes", [True, False])
def test_a_program_that_does_not_resume_has_its_trials_stopped(
    allowed: TestClient, resumes: bool
) -> None:
    space = {**COMMAND, "resumes": resumes, "scheduler": "asha"}
    assert plan(allowed, space)["spec"]["scheduler"].get("stops", False) is not resumes


def test_a_function_may_have_data_and_a_schema(allowed: TestClient) -> None:
    schema = {"properties": {"lr": {"type": "number", "maximum": 1}}, "additionalProperties": False}
    space = {**FUNCTION, "code": DIGESTS[0], "dataset": "ames", "parameters_schema": schema}
    assert plan(allowed, space)["spec"]["dataset"] == "ames"
    assert (
        "at most 1"
        in problems(allowed, {**space, "parameters": {"lr": 2}})["/search_space/parameters/lr"]
    )
    assert (
        "did you mean lr"
        in problems(allowed, {**space, "parameters": {"lrr": 1}})["/search_space/parameters/lrr"]
    )
    assert (
        "no data set" in problems(allowed, {**space, "dataset": "amess"})["/search_space/dataset"]
    )


@pytest.mark.parametrize(
    ("code", "said"), [(".", "path of a folder"), ("sha256:" + "0c" * 32, "no code has the digest")]
)
def test_code_that_was_not_sent_is_refused(allowed: TestClient, code: str, said: str) -> None:
    found = problems(allowed, {**COMMAND, "code": code})["/search_space/code"]
    assert said in found
    assert "argbest submit" in found


def test_overrides_that_the_program_cannot_take_are_refused(allowed: TestClient) -> None:
    found = problems(allowed, COMMAND, parameters={"amp": {"values": [True, False]}})
    assert '"flags": {"amp": {"true": "--amp", "false": ""}}' in found["/search_space/flags/amp"]


def test_a_source_that_is_too_long_is_refused(allowed: TestClient) -> None:
    found = problems(allowed, COMMAND, source={f"k{n}": "y" * 9000 for n in range(3)})
    assert "16384" in found["/source"]


def test_a_request_with_keys_of_a_program_is_told_where_they_belong(allowed: TestClient) -> None:
    answer = allowed.post("/api/v1/jobs", json={"search_space": "q4_grid", "command": ["x"]})
    (problem,) = answer.json()["errors"]
    assert (answer.status_code, problem["pointer"]) == (422, "/command")
    assert problem["hint"] == 'put it into the space: "search_space": {"command": ..., ...}'


@pytest.mark.parametrize(
    ("name", "hint"),
    [("torch_feedfoward", "did you mean torch_feedforward?"),
     ("x", "GET /api/v1/trainables lists them")],
)  # fmt: skip
def test_a_trainable_like_an_unknown_one_is_named(client: TestClient, name: str, hint: str) -> None:
    space = {"name": "mine", "trainable": name, "dataset": "ames", "metric": "a", "mode": "min",
             "epochs": 1, "parameters": {}}  # fmt: skip
    (problem,) = client.post("/api/v1/jobs", json={"search_space": space}).json()["errors"]
    assert (problem["pointer"], problem["hint"]) == ("/search_space/trainable", hint)
