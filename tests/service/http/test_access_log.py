"""One line per request, with its id, and with nothing long that a client chose."""

from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient


def test_the_log_cuts_what_a_client_chose(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="service"):
        client.get("/api/v1/jobs/" + "a" * 60_000)
        client.request("B" * 300, "/nothing")
    one, other = (record for record in caplog.records if record.name == "service.http.access_log")
    assert vars(one)["path"] == "/api/v1/jobs/" + "a" * 187 + "..."
    assert vars(other)["method"] == "B" * 200 + "..."
    assert max(len(record.getMessage()) for record in (one, other)) < 300


def test_a_success_of_a_health_check_is_no_line(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="service"):
        assert client.get("/healthz").status_code == client.get("/metrics").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.post("/healthz").status_code == 405
    logged = [(vars(one)["path"], vars(one)["status"]) for one in caplog.records]
    assert logged == [("/readyz", 503), ("/healthz", 405)]
