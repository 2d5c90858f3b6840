"""What all tests share: generated cases, the order of the files, a PostgreSQL server."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from service import logs
from tools import postgres
from trainables.descendants import adopt_orphans

#: Set by `make test-long`: more generated cases, and the tests marked ``long``.
LONG = os.environ.get("ARGBEST_TEST_LONG") == "1"

hypothesis.settings.register_profile(
    "gate", max_examples=25, deadline=None, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("long", max_examples=500, deadline=None, print_blob=True)
hypothesis.settings.load_profile("long" if LONG else "gate")


#: These files share one real service: a second one costs minutes.
WITH_THE_SERVICE = (
    "tests/service/whole/test_end_to_end.py",
    "tests/service/whole/test_recovery.py",
)
#: These files share code that takes 20 s to compile.
WITH_COMPILED_CODE = (
    "tests/trainables/test_states.py",
    "tests/trainables/test_torch_compiled.py",
    "tests/trainables/test_torch_trainables.py",
)
#: By file, what stands for it where the files are handed out: one process runs those that share.
SHARING = {file: shared[0] for shared in (WITH_THE_SERVICE, WITH_COMPILED_CODE) for file in shared}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the files with slow tests first, and leave out the long tests of a run that is not long.

    Whole files run side by side: a long one that began last would be waited for alone.
    """
    if not LONG:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    first = [
        {config.rootpath / name for name in WITH_THE_SERVICE},
        {config.rootpath / name for name in WITH_COMPILED_CODE},
        *({i.path for i in items if i.get_closest_marker(name)} for name in ("ray", "slow")),
    ]
    items.sort(key=lambda item: tuple(item.path not in paths for paths in first))


class _Scheduling(LoadFileScheduling):
    """A process runs whole files, and one process all files that share something dear."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return SHARING.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Return how `-n N --dist loadfile` hands out the tests; None for another way."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


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


@pytest.fixture(autouse=True)
def _orphans_are_left_to_the_system() -> Iterator[None]:
    """Undo what a trial's process does: orphans that nobody collects would look alive."""
    yield
    adopt_orphans(adopts=False)
