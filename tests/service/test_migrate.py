"""The schema is brought up to date by a process of its own, once the database answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from results.errors import StoreUnavailable
from results.store import Store, open_store
from service import migrate
from service.migrate import DATABASE_PATIENCE_SECONDS, wait_and_migrate


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


def test_the_process_makes_the_tables_or_says_why_not(
    away: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("ARGBEST_DATABASE_URL", url := f"sqlite:///{tmp_path}/argbest.db")
    assert migrate.main() == 0
    with closing(open_store(url)) as store:
        assert store.schema_is_current()
    monkeypatch.setenv("ARGBEST_DATABASE_URL", away.url)
    monkeypatch.setattr(migrate, "DATABASE_PATIENCE_SECONDS", -1.0)
    assert migrate.main() == 1
    assert "the database (ARGBEST_DATABASE_URL) cannot be used: " in caplog.text
