"""Unknown query parameters: refused where a request changes something, else ignored."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

from service.http import problems
from service.http.query import KNOWN_QUERY
from tests.service.http.samples import JOB


def inner(kind: Annotated[str, Query(alias="format")] = "") -> str:
    return kind


def outer(kind: Annotated[str, Depends(inner)]) -> str:
    return kind


def test_a_misspelled_dry_run_runs_nothing(client: TestClient) -> None:
    answer = client.post("/api/v1/jobs?dry-run=true&foo=1", json=JOB)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    found = [(one["pointer"], one["code"], one["hint"]) for one in answer.json()["errors"]]
    assert found == [
        ("/query/dry-run", "unknown_field", "did you mean dry_run?"),
        ("/query/foo", "unknown_field", "there are: dry_run"),
    ]
    assert client.get("/api/v1/jobs").json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/api/v1/jobs/none"), ("DELETE", "/api/v1/jobs/none"),
     ("POST", "/api/v1/jobs/none/cancel"), ("DELETE", "/api/v1/datasets/none")],
)  # fmt: skip
def test_every_route_that_changes_something_refuses(
    client: TestClient, method: str, path: str
) -> None:
    answer = client.request(method, f"{path}?dry_run=true", json={})
    assert answer.status_code == 422
    assert answer.json()["hint"] == "leave it out: this path takes none"


def test_reading_is_lenient_and_what_is_declared_passes(client: TestClient) -> None:
    assert client.get("/api/v1/jobs?utm=1").status_code == 200
    assert client.post("/api/v1/jobs?dry_run=true", json=JOB).status_code == 200


def test_what_a_dependency_takes_is_known_by_its_alias() -> None:
    app = FastAPI(dependencies=[KNOWN_QUERY])
    problems.install(app)

    @app.post("/it/{name}")
    def it(name: str, kind: Annotated[str, Depends(outer)]) -> str:
        return name + kind

    with TestClient(app) as used:
        assert used.post("/it/a?format=b").json() == "ab"
        assert used.post("/it/a?kind=b").status_code == 422
        assert used.post("/it/a?name=b").status_code == 422
