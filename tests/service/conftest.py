"""What the service's tests share: settings in a temporary folder, a real SQLite store, the app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.real_data import ensure_fashion_mnist
from tests.service.running import LOG_BYTES, Service
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


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole service with a Ray of its own, shared by all tests of the session.

    Its leases are short, and it has slots for the trials of a stopped driver beside those of its
    successor. At the end nothing of it may be left.
    """
    ensure_fashion_mnist()
    service = Service(
        tmp_path_factory.mktemp("service"),
        ARGBEST_LEASE_SECONDS="4",
        ARGBEST_MAX_LOG_BYTES=str(LOG_BYTES),
        ARGBEST_NUM_CPUS="4",
    )
    service.start()
    yield service
    service.stop()
    assert service.processes() == []


@pytest.fixture
def service_store(service: Service) -> Iterator[Store]:
    """The store of the shared service."""
    with opened(Settings(data_dir=service.folder)) as store:
        yield store
