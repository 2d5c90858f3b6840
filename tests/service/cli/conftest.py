"""A fake API for the tests of commands, and a job on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.fake_api import FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as served:
        yield served


@pytest.fixture
def job(api: FakeApi) -> str:
    """The id of a job that has succeeded."""
    return str(api.finish(api.add_job())["id"])
