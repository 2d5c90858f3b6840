"""Who may submit a program and let it run again, over the real application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import SCOPES, EpochReport, TokenScope
from results.states import JobState, TrialState
from results.store import Store
from service.api import create_app
from service.settings import Settings

PROGRAM = {
    "name": "mine", "command": ["python", "train.py", "{args}"], "epochs": 2, "metric": "loss",
    "mode": "min", "strategy": "grid", "parameters": {"rate": {"values": [0.1, 0.2]}},
}  # fmt: skip
JOB = {"search_space": "q2_linear_regression", "epochs": 1}
MAY = frozenset({TokenScope.CODE, TokenScope.ADMIN})
Headers = dict[str, str]


@pytest.fixture
def allowing(settings: Settings, store: Store) -> Iterator[TestClient]:
    """The application of a service that runs programs."""
    app = create_app(settings.model_copy(update={"allow_commands": True}), store)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def bearer(store: Store) -> Callable[[TokenScope], Headers]:
    made = {scope: store.create_token(f"{scope}-token", scope).secret for scope in SCOPES}
    return lambda scope: {"Authorization": f"Bearer {made[scope]}"}


def is_off(answer: Any) -> bool:
    """Whether the answer says that programs are off, and how to turn them on."""
    problem = answer.json()
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "www-authenticate" not in answer.headers
    assert "argbest serve --allow-commands" in problem["hint"]
    return "ARGBEST_ALLOW_COMMANDS is off" in problem["detail"]


def lacks_scope(answer: Any) -> bool:
    """Whether the answer says that the token's scope is too small, and which is needed."""
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="code"' in answer.headers["www-authenticate"]
    assert "--scope code" in answer.json()["hint"]
    return "this needs code" in answer.json()["detail"]


@pytest.mark.parametrize("dry_run", ["", "?dry_run=true"])
def test_without_the_setting_no_program_is_accepted(client: TestClient, dry_run: str) -> None:
    assert is_off(client.post(f"/api/v1/jobs{dry_run}", json={"search_space": PROGRAM}))
    function = {**PROGRAM, "trainable": "a.py:train", "code": "sha256:" + "0" * 64}
    del function["command"]
    assert is_off(client.post(f"/api/v1/jobs{dry_run}", json={"search_space": function}))
    assert client.get("/api/v1/jobs").json()["items"] == []
    assert client.post(f"/api/v1/jobs{dry_run}", json=JOB).status_code in (200, 202)


@pytest.mark.parametrize("scope", SCOPES)
def test_code_is_taken_from_those_who_may_run_it(
    client: TestClient, allowing: TestClient, bearer: Callable[[TokenScope], Headers],
    scope: TokenScope,
) -> None:  # fmt: skip
    sent: dict[str, Any] = {"content": b"no archive"}
    kind = {"Content-Type": "application/gzip"}
    assert is_off(client.post("/api/v1/code", **sent, headers=kind))
    assert allowing.post("/api/v1/code", **sent, headers=kind).status_code == 401
    answer = allowing.post("/api/v1/code", **sent, headers={**kind, **bearer(scope)})
    if scope in MAY:
        assert answer.status_code == 422
    else:
        assert lacks_scope(answer)


def test_a_declared_space_with_a_program_needs_the_setting_too(
    client: TestClient, allowing: TestClient, settings: Settings,
    bearer: Callable[[TokenScope], Headers],
) -> None:  # fmt: skip
    folder = settings.search_spaces_dir
    assert folder is not None
    write_space(folder)
    job = {"search_space": "mine"}
    assert is_off(client.post("/api/v1/jobs", json=job))
    refused = allowing.post("/api/v1/jobs", json=job, headers=bearer(TokenScope.SUBMIT))
    assert lacks_scope(refused)
    accepted = allowing.post("/api/v1/jobs", json=job, headers=bearer(TokenScope.CODE))
    assert accepted.status_code == 202


def write_space(folder: Path) -> None:
    folder.mkdir()
    space = {**PROGRAM, "strategy": "single", "parameters": {"rate": 0.1}}
    (folder / "mine.yaml").write_text(json.dumps(space), encoding="utf-8")


def test_a_wrong_program_is_refused_as_wrong_only_to_those_who_may_send_one(
    allowing: TestClient, bearer: Callable[[TokenScope], Headers]
) -> None:
    job = {"search_space": {**PROGRAM, "strategy": "single", "trials": 3}}
    for scope in (TokenScope.SUBMIT, TokenScope.CODE):
        answer = allowing.post("/api/v1/jobs", json=job, headers=bearer(scope))
        assert answer.status_code in (403, 422)
        assert answer.status_code == 422 or scope is TokenScope.SUBMIT


@pytest.mark.parametrize("scope", [None, *SCOPES])
@pytest.mark.parametrize("dry_run", ["", "?dry_run=true"])
def test_with_the_setting_a_program_needs_a_token_of_the_scope(
    allowing: TestClient, bearer: Callable[[TokenScope], Headers], scope: TokenScope | None,
    dry_run: str,
) -> None:  # fmt: skip
    headers = {} if scope is None else bearer(scope)
    job = {"search_space": PROGRAM}
    answer = allowing.post(f"/api/v1/jobs{dry_run}", json=job, headers=headers)
    if scope is None:
        assert answer.status_code == 401
        assert allowing.get("/api/v1/jobs").status_code == 401, "on loopback too"
    elif scope in MAY:
        assert answer.status_code == (200 if dry_run else 202), answer.text
    elif scope is TokenScope.SUBMIT:
        assert lacks_scope(answer)
    else:
        assert answer.status_code == 403
    if scope is not None:
        registered = allowing.post("/api/v1/jobs", json=JOB, headers=headers)
        assert registered.status_code == (403 if scope is TokenScope.READ else 202)


def accepted(client: TestClient, headers: Headers) -> str:
    answer = client.post("/api/v1/jobs", json={"search_space": PROGRAM}, headers=headers)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


def paused(store: Store, job_id: str) -> None:
    store.request_pause(job_id)


def half_failed(store: Store, job_id: str) -> None:
    """The first trial succeeds, the second fails."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    assert lease.job_id == job_id
    for number, state in enumerate((TrialState.SUCCEEDED, TrialState.FAILED)):
        attempt = store.start_trial(lease, number, node="here")
        reports = [EpochReport(number, attempt, e, {"loss": 1 / e}, 1.0 * e) for e in (1, 2)]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, state)
    store.finish_job(lease, JobState.SUCCEEDED)


VERBS = [
    ("resume", None, paused),
    ("retry-failed", None, half_failed),
    ("extend", {"epochs": 4}, half_failed),
    ("confirm", {"top": 1, "seeds": 2}, half_failed),
]


@pytest.mark.parametrize(("verb", "body", "prepare"), VERBS, ids=[verb for verb, *_ in VERBS])
def test_what_lets_a_program_run_again_needs_the_same(
    client: TestClient, allowing: TestClient, store: Store,
    bearer: Callable[[TokenScope], Headers], verb: str, body: dict[str, int] | None,
    prepare: Callable[[Store, str], None],
) -> None:  # fmt: skip
    job_id = accepted(allowing, bearer(TokenScope.CODE))
    prepare(store, job_id)
    before = store.job(job_id)
    url = f"/api/v1/jobs/{job_id}/{verb}"
    assert is_off(client.post(url, json=body))
    assert allowing.post(url, json=body).status_code == 401
    assert allowing.post(url, json=body, headers=bearer(TokenScope.READ)).status_code == 403
    assert lacks_scope(allowing.post(url, json=body, headers=bearer(TokenScope.SUBMIT)))
    assert store.job(job_id) == before
    answer = allowing.post(url, json=body, headers=bearer(TokenScope.CODE))
    assert answer.status_code == 202, answer.text
    assert store.job(job_id).state is JobState.QUEUED


@pytest.mark.parametrize("scope", [TokenScope.SUBMIT, TokenScope.CODE])
def test_all_other_requests_of_such_a_job_need_what_they_always_need(
    client: TestClient, allowing: TestClient, bearer: Callable[[TokenScope], Headers],
    scope: TokenScope,
) -> None:  # fmt: skip
    """Also while programs are off: what has been accepted can be looked at and ended."""
    job_id = accepted(allowing, bearer(TokenScope.CODE))
    url = f"/api/v1/jobs/{job_id}"
    assert allowing.get(url, headers=bearer(TokenScope.READ)).status_code == 200
    weight = allowing.post(f"{url}/priority", json={"priority": 2}, headers=bearer(scope))
    assert weight.status_code == 202
    for verb in ("pause", "cancel"):
        assert allowing.post(f"{url}/{verb}", headers=bearer(scope)).status_code == 202
    assert client.delete(url).status_code == 204


def test_an_idempotent_repetition_gives_the_job_and_starts_nothing(
    allowing: TestClient, bearer: Callable[[TokenScope], Headers]
) -> None:
    job, key = {"search_space": PROGRAM}, {"Idempotency-Key": "once"}
    first = allowing.post("/api/v1/jobs", json=job, headers={**bearer(TokenScope.CODE), **key})
    again = allowing.post("/api/v1/jobs", json=job, headers={**bearer(TokenScope.SUBMIT), **key})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize("scope", [TokenScope.SUBMIT, TokenScope.CODE])
def test_the_doctor_is_told_whether_programs_are_run(
    client: TestClient, allowing: TestClient, bearer: Callable[[TokenScope], Headers],
    scope: TokenScope,
) -> None:  # fmt: skip
    assert client.get("/readyz").json()["allows_commands"] is False
    assert allowing.get("/readyz", headers=bearer(scope)).json()["allows_commands"] is True
    assert "allows_commands" not in allowing.get("/readyz").json()
