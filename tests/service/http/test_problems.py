"""Every error is answered with a problem: bad paths, queries and headers, and each domain error."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from fastapi.testclient import TestClient

from results import errors
from results.store import Store
from search_spaces import Problem, SearchSpaceError
from service.api import create_app
from service.engine.cluster import ClusterError
from service.errors import InvalidRequest, Unavailable
from service.http.problems import HttpProblem, problem_of
from service.settings import Settings
from tests.service.http.samples import JOB
from trainables.contract import UnknownTrainable


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/jobs/nothing", 404),
        ("GET", "/api/v1/jobs/..%2f..%2fetc%2fpasswd/log", 404),
        ("GET", "/api/v1/jobs/%00", 404),
        ("GET", "/api/v1/jobs/nothing/events", 404),
        ("GET", "/api/v1/jobs/nothing/report", 404),
        ("POST", "/api/v1/jobs/nothing/cancel", 404),
        ("POST", "/api/v1/jobs/nothing/pause", 404),
        ("POST", "/api/v1/jobs/nothing/resume", 404),
        ("POST", "/api/v1/jobs/nothing/retry-failed", 404),
        ("DELETE", "/api/v1/jobs/nothing", 404),
        ("GET", "/api/v1/jobs?limit=0", 422),
        ("GET", "/api/v1/jobs?limit=many", 422),
        ("GET", "/api/v1/jobs?state=asleep", 422),
        ("GET", "/api/v1/jobs?cursor=%F0%9F%98%80", 422),
        ("GET", "/api/v1/jobs?cursor=%00", 422),
        ("GET", "/api/v1/jobs?state=%00", 422),
        ("GET", "/api/v1/jobs?fingerprint=%00", 422),
        ("GET", "/api/v1/jobs?fingerprint=" + "g" * 64, 422),
        ("GET", "/api/v1/jobs/" + "a" * 64, 404),
        ("GET", "/api/v1/jobs/" + "a" * 65, 422),
        ("GET", "/api/v1/jobs/" + "a" * 60_000, 422),
        ("DELETE", "/api/v1/jobs/" + "a" * 60_000, 422),
        ("GET", "/api/v1/search_spaces/" + "a" * 201, 422),
        ("GET", "/api/v1/trainables/" + "a" * 201, 422),
        ("GET", "/api/v1/jobs/nothing/plots/%00.svg", 404),
        ("GET", "/api/v1/jobs/nothing/trials/0", 404),
        ("GET", "/api/v1/jobs/nothing/trials/%00", 422),
        ("GET", "/api/v1/search_spaces/%00", 404),
        ("GET", "/api/v1/trainables/%00", 404),
        ("GET", "/api/v1/datasets/%00", 404),
        ("DELETE", "/api/v1/datasets/%00", 404),
        ("GET", "/api/v1/code/%00", 404),
        ("GET", "/api/v1/search_spaces/nothing", 404),
        ("GET", "/api/v1/trainables/nothing", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/jobs", 405),
        ("DELETE", "/page/page.js", 405),
        ("GET", "/page/../../settings.py", 404),
        ("GET", "/page/%2e%2e/__init__.py", 404),
    ],
)
def test_bad_paths_and_queries(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["hint"], problem
    assert len(answer.text) < 1000
    if status == 422:
        assert problem["errors"][0]["pointer"].startswith(("/query/", "/path/"))
        assert problem["errors"][0]["hint"] != problem["errors"][0]["detail"]


@pytest.mark.parametrize("key", ["", "two words", "k\0", "k" * 201])
def test_bad_idempotency_keys(client: TestClient, key: str) -> None:
    answer = client.post("/api/v1/jobs", json=JOB, headers={"Idempotency-Key": key})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_405_names_the_methods_of_the_path(client: TestClient) -> None:
    allowed = {
        path: client.put(path).headers["allow"]
        for path in ("/api/v1/jobs", "/api/v1/jobs/nothing", "/page/page.js", "/openapi.json")
    }
    assert allowed == {
        "/api/v1/jobs": "GET, POST",
        "/api/v1/jobs/nothing": "DELETE, GET, PATCH",
        "/page/page.js": "GET, HEAD",
        "/openapi.json": "GET, HEAD",
    }


PROBLEM = Problem(
    "/seed", "must be at least 0", "greater_than_equal", "give a number of at least 0"
)


@pytest.mark.parametrize(
    ("error", "status", "hint"),
    [
        (HttpProblem(HTTPStatus.CONFLICT, "no", "yes"), 409, "yes"),
        (InvalidRequest([PROBLEM]), 422, PROBLEM.hint),
        (Unavailable("the disk is full", retry_after_s=60), 503, "try again in 60 s"),
        (ClusterError("Ray does not answer"), 503, "try again in 5 s"),
        (errors.StoreUnavailable("locked"), 503, "try again in 5 s"),
        (errors.JobNotFound("none"), 404, "GET /api/v1/jobs lists them"),
        (errors.TrialNotFound("none"), 404, "GET /api/v1/jobs/{job_id}/trials lists them, from 0"),
        (errors.UnknownPlot("none"), 404, "GET /api/v1/jobs/{job_id}/plots lists them"),
        (UnknownTrainable("none"), 404, "GET /api/v1/trainables lists them"),
        (errors.IllegalMove("it runs", hint="cancel it first"), 409, "cancel it first"),
        (errors.UnreadableJob("newer", hint="use a newer version"), 409, "use a newer version"),
        (errors.UnreadableJob("newer"), 409, "use the version that accepted the job"),
        (errors.IdempotencyClash("used"), 409, "send another Idempotency-Key with another request"),
        (errors.NoBestTrial("none yet"), 409,
         "wait for a trial to succeed, or look at GET .../trials for their errors"),
        (errors.BadCursor("bad"), 422,
         "use next_cursor as it was returned, or leave cursor out for the first page"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_each_error_has_its_status_and_hint(error: Exception, status: int, hint: str) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert (problem.status, problem.hint) == (status, hint)
    assert ("Retry-After" in problem.headers) == (status == 503)


@pytest.mark.parametrize(
    "error", [errors.LeaseLost("gone"), SearchSpaceError([PROBLEM]), OSError("disk")]
)
def test_any_other_error_is_a_defect_that_only_the_log_describes(
    settings: Settings, store: Store, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    app = create_app(settings, store)

    @app.get("/broken")
    def broken() -> None:
        raise error

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == "mine"
    assert str(error) not in answer.text
    assert f"{type(error).__name__}: {error}" in caplog.text


def test_a_problem_is_an_exception_like_others() -> None:
    problem = HttpProblem(HTTPStatus.NOT_FOUND, "no job has the id 7", "look", problems=[PROBLEM])
    assert str(problem) == "no job has the id 7"
    assert problem in {problem}
    assert len(HttpProblem(HTTPStatus.CONFLICT, "", problems=[PROBLEM] * 101).problems) == 100
