"""The whole service for real; it ends with the tests of this folder, since idle it costs too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from results.store import Store
from tests.real_data import ensure_fashion_mnist
from tests.service.running import LOG_BYTES, Service
from tests.service.stand_ins import opened
from tools import postgres


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Service]:
    """The whole service with a Ray of its own, shared by all tests of this folder.

    On PostgreSQL where that is installed. Its leases are short, and it has slots for the trials of
    a stopped driver beside those of its successor. At the end nothing of it may be left.
    """
    ensure_fashion_mnist()
    variables = {
        "ARGBEST_LEASE_SECONDS": "4",
        "ARGBEST_MAX_LOG_BYTES": str(LOG_BYTES),
        "ARGBEST_NUM_CPUS": "4",
        "ARGBEST_MAX_CONCURRENT_JOBS": "4",  # so many drivers are started, and used again
        "ARGBEST_WARM_PROCESSES": "0",  # each costs 4 s of processor time, after every job again
    }
    if postgres.why_not() is None:
        variables["ARGBEST_DATABASE_URL"] = request.getfixturevalue("server").create_database()
    yield from running(Service(tmp_path_factory.mktemp("service"), **variables))


@pytest.fixture(scope="package")
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service as `argbest serve` starts it, for tests that stop it and start it again."""
    yield from running(Service(tmp_path_factory.mktemp("own"), ARGBEST_NUM_CPUS="2"))


def running(service: Service) -> Iterator[Service]:
    """Start a service, yield it and stop it; nothing of it may be left."""
    service.start()
    yield service
    service.stop()
    service.http.close()
    assert service.processes() == []


@pytest.fixture
def service_store(service: Service) -> Iterator[Store]:
    """The store of the shared service."""
    with opened(service.settings) as store:
        yield store
