"""Tokens over the API: made, listed and revoked by admins, where tokens are asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from results.records import SCOPES
from results.store import Store
from tests.service.http.samples import bearer

JOB = {"search_space": "q2_linear_regression", "epochs": 1}
READ, SUBMIT, CODE, ADMIN = SCOPES


def test_an_admin_makes_lists_and_revokes_tokens(locked: TestClient, store: Store) -> None:
    admin = bearer(store, ADMIN)
    asked = {"name": "laptop", "scope": "submit", "days": 2}
    made = locked.post("/api/v1/tokens", json=asked, headers=admin)
    assert made.status_code == 201
    secret = made.json()["secret"]
    laptop = {"Authorization": f"Bearer {secret}"}
    assert locked.post("/api/v1/jobs", json=JOB, headers=laptop).status_code == 202
    again = locked.post("/api/v1/tokens", json=asked, headers=admin)
    assert (again.status_code, "another name" in again.json()["hint"]) == (409, True)
    listed = locked.get("/api/v1/tokens", headers=admin)
    assert secret not in listed.text
    first, second = listed.json()["items"]
    assert (first["name"], first["made_by"], first["expires_at"]) == ("admin-token", "", None)
    assert (second["name"], second["scope"], second["made_by"]) == (
        "laptop", "submit", "admin-token",
    )  # fmt: skip
    assert secret.startswith(second["prefix"])
    life = datetime.fromisoformat(second["expires_at"]) - datetime.fromisoformat(
        second["created_at"]
    )
    assert abs(life - timedelta(days=2)) < timedelta(minutes=1)
    assert locked.delete("/api/v1/tokens/laptop", headers=admin).status_code == 204
    assert locked.get("/api/v1/jobs", headers=laptop).status_code == 401
    for name in ("laptop", "%00", "a%20b"):
        assert locked.delete(f"/api/v1/tokens/{name}", headers=admin).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "a b"}, "/name"),
        ({"name": "a\n"}, "/name"),
        ({"name": "a", "scope": "share"}, "/scope"),
        ({"name": "a", "days": 0}, "/days"),
        ({"name": "a", "days": 36_501}, "/days"),
        ({"name": "a", "job": "0123456789abcdef"}, "/job"),
    ],
)
def test_what_can_be_no_token_is_refused_with_the_field(
    locked: TestClient, store: Store, body: dict[str, object], pointer: str
) -> None:
    refused = locked.post("/api/v1/tokens", json=body, headers=bearer(store, ADMIN))
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert len(store.tokens()) == 1


def test_others_see_no_tokens_and_make_none(locked: TestClient, store: Store) -> None:
    for scope in (READ, SUBMIT, CODE):
        headers = bearer(store, scope)
        asked = (
            locked.get("/api/v1/tokens", headers=headers),
            locked.post("/api/v1/tokens", json={"name": "a"}, headers=headers),
            locked.delete(f"/api/v1/tokens/{scope}-token", headers=headers),
        )
        assert [answer.status_code for answer in asked] == [403, 403, 403]
    assert [token.name for token in store.tokens()] == [
        "code-token", "read-token", "submit-token",
    ]  # fmt: skip


def test_a_link_is_made_by_those_who_may_submit(locked: TestClient, store: Store) -> None:
    submit = bearer(store, SUBMIT)
    job = locked.post("/api/v1/jobs", json=JOB, headers=submit).json()["id"]
    path = f"/api/v1/jobs/{job}/share"
    assert locked.post(path, json={}, headers=bearer(store, READ)).status_code == 403
    made = locked.post(path, json={"days": 1}, headers=submit)
    assert made.status_code == 201
    told = made.json()
    assert (told["job"], told["scope"], told["made_by"]) == (job, "share", "submit-token")
    assert told["path"] == f"/#/job/{job}?share={told['secret']}"
    link = {"Authorization": f"Bearer {told['secret']}"}
    assert locked.get(f"/api/v1/jobs/{job}", headers=link).json()["id"] == job
    assert locked.post(path, json={}, headers=link).status_code == 403
    assert locked.post(path, json={"days": 91}, headers=submit).status_code == 422
    missing = locked.post("/api/v1/jobs/0123456789abcdef/share", json={}, headers=submit)
    assert missing.status_code == 404


def test_where_no_token_is_asked_for_none_is_made(client: TestClient, store: Store) -> None:
    """Another user of the machine could make one for the day when tokens are asked for."""
    job = client.post("/api/v1/jobs", json=JOB).json()["id"]
    for answer in (
        client.get("/api/v1/tokens"),
        client.post("/api/v1/tokens", json={"name": "a", "scope": "admin"}),
        client.delete("/api/v1/tokens/a"),
        client.post(f"/api/v1/jobs/{job}/share", json={}),
    ):
        assert answer.status_code == 403
        assert "ARGBEST_AUTH" in answer.json()["hint"]
    assert store.tokens() == ()
