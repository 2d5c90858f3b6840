"""The application: its store, its start without the rest of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from results.errors import StoreUnavailable
from results.records import TokenScope
from results.store import Store, open_store
from service.api import (
    DATABASE_PATIENCE_SECONDS,
    create_app,
    standalone_app,
    wait_and_migrate,
)
from service.settings import Settings


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Store]:
    """A store whose folder is not there yet."""
    with closing(open_store(f"sqlite:///{tmp_path}/not-yet/argbest.db")) as store:
        yield store


def test_the_database_is_waited_for_and_migrated(away: Store, tmp_path: Path) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            (tmp_path / "not-yet").mkdir()

    wait_and_migrate(away, lambda: sum(slept), sleep)
    assert slept == [1.0] * 3
    assert away.schema_is_current()


def test_a_database_that_never_answers_is_given_up(away: Store) -> None:
    slept: list[float] = []
    with pytest.raises(StoreUnavailable):
        wait_and_migrate(away, lambda: sum(slept), slept.append)
    assert sum(slept) == DATABASE_PATIENCE_SECONDS + 1


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
