"""The application: its store, its start without the rest of the service."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from results.records import TokenScope
from results.store import Store, open_store
from service.api import create_app, standalone_app
from service.settings import Settings


def test_the_api_alone_makes_no_token_and_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ARGBEST_RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("ARGBEST_AUTH", "on")
    hint = "argbest token create NAME --scope admin"
    standalone_app()
    assert hint in caplog.text
    with closing(open_store(Settings().store_url)) as store:
        assert store.tokens() == ()
        secret = store.create_token("me", TokenScope.ADMIN).secret
    caplog.clear()
    app = standalone_app()
    assert hint not in caplog.text
    with TestClient(app, base_url="http://127.0.0.1") as client:
        parts = client.get("/readyz", headers={"Authorization": f"Bearer {secret}"}).json()["parts"]
    assert (parts["database"], parts["migrations"]) == ("ok", "ok")


def test_an_application_closes_only_a_store_of_its_own(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Store, "close", lambda self: closed.append(self.url))
    with TestClient(create_app(settings, store)):
        pass
    assert closed == []
    with TestClient(create_app(settings)):
        pass
    assert closed == [store.url]
