"""What the service's tests share: settings in a temporary folder, a real SQLite store, the app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.stand_ins import opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        ray_address="127.0.0.1:1",
        search_spaces_dir=tmp_path / "my",
        allowed_hosts="testserver",
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with opened(settings) as store:
        yield store


@pytest.fixture
def client(settings: Settings, store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(settings, store), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def locked(settings: Settings, store: Store) -> Iterator[TestClient]:
    """The application with tokens asked for."""
    app = create_app(settings.model_copy(update={"auth": "on"}), store)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
