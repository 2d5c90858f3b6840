"""Of several that make the same token at the same moment, one makes it: over every database."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from results.records import TokenRecord
from results.store import Store, open_store
from service.settings import Settings
from service.tokens import FIRST_TOKEN, make_first_token

THREADS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'argbest.db'}"
    made: str = request.getfixturevalue("server").create_database()
    return made


class Simultaneous(Store):
    """A store that goes on once every thread has seen that there is no token."""

    def __init__(self, url: str, barrier: Barrier) -> None:
        super().__init__(url)
        self._barrier = barrier

    def tokens(self) -> tuple[TokenRecord, ...]:
        found = super().tokens()
        self._barrier.wait(timeout=60)
        return found


def test_services_that_start_at_once_make_one_first_token(url: str) -> None:
    with closing(open_store(url)) as store:
        store.migrate()
    barrier = Barrier(THREADS)

    def start(_: int) -> str | None:
        with closing(Simultaneous(url, barrier)) as store:
            return make_first_token(store)

    with ThreadPoolExecutor(THREADS) as pool:
        made = [secret for secret in pool.map(start, range(THREADS)) if secret is not None]
    with closing(open_store(url)) as store:
        assert [token.name for token in store.tokens()] == [FIRST_TOKEN]
        assert [store.token(secret) is not None for secret in made] == [True]


def test_commands_at_once_on_a_new_database_make_one_token(url: str, tmp_path: Path) -> None:
    variables = {"ARGBEST_DATA_DIR": str(tmp_path), "ARGBEST_DATABASE_URL": url}
    command = [sys.executable, "-m", "service.cli", "token", "create", "me", "--scope", "admin"]
    processes = [
        subprocess.Popen(
            command, env=os.environ | variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    done = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    (secret, _, _), (nothing, message, _) = sorted(done, key=lambda one: one[2])
    assert [status for *_, status in sorted(done, key=lambda one: one[2])] == [0, 4]
    assert (nothing, "there is a token named 'me'" in message) == ("", True)
    with closing(open_store(Settings(data_dir=tmp_path, database_url=url).store_url)) as store:
        assert store.token(secret.strip()) is not None
