"""Liveness, readiness and versions."""

from __future__ import annotations

from fastapi.testclient import TestClient

from service.api import create_app
from service.settings import Settings


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"] == "ok"
    assert ready.json()["allows_commands"] is False
    assert "no Ray" in ready.json()["parts"]["ray"]
    assert client.get("/api/v1/cluster").status_code == 503
    assert set(client.get("/version").json()) >= {"argbest", "ray", "torch", "python"}


def test_a_schema_of_another_version_is_told(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        parts = client.get("/readyz").json()["parts"]
    assert parts["database"] == "ok"
    assert "missing or of another version" in parts["migrations"]
