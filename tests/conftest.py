"""What all tests share: generated cases, tests left to `make test-long`, a PostgreSQL server."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest

from service import logs
from tools import postgres

#: Set by `make test-long`: more generated cases, and the tests marked ``long``.
LONG = os.environ.get("ARGBEST_TEST_LONG") == "1"

hypothesis.settings.register_profile(
    "gate", max_examples=25, deadline=None, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("long", max_examples=500, deadline=None, print_blob=True)
hypothesis.settings.load_profile("long" if LONG else "gate")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the files with slow tests first, and leave out the long tests of a run that is not long.

    Whole files run side by side: a long one that began last would be waited for alone.
    """
    slow = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "ray")))}
    items.sort(key=lambda item: item.path not in slow)
    if not LONG:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the whole run; skips where none is installed."""
    reason = postgres.why_not()
    if reason is not None:
        pytest.skip(f"no PostgreSQL: {reason}")
    with postgres.server() as running:
        yield running


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Leave the root logger as it was: processes that run here as functions configure it."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if isinstance(handler, logs.ServiceHandler) and handler not in handlers:
            root.removeHandler(handler)
