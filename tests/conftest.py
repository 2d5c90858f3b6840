"""Settings for all tests: generated cases, and the tests that only `make test-long` runs."""

from __future__ import annotations

import os

import hypothesis
import pytest

#: Set by `make test-long`: more generated cases, and the tests marked ``long``.
LONG = os.environ.get("ARGBEST_TEST_LONG") == "1"

hypothesis.settings.register_profile(
    "gate", max_examples=25, deadline=None, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("long", max_examples=500, deadline=None, print_blob=True)
hypothesis.settings.load_profile("long" if LONG else "gate")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only repeats with more cases, unless the long run is asked for."""
    if LONG:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
