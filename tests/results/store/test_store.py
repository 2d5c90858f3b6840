"""The store as an object: opened, closed, pickled, and the URLs that it refuses."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from results.errors import (
    StoreUnavailable,
    UnsupportedDatabase,
)
from results.store import Store, open_store
from tests.results.store.samples import (
    accept,
)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "no options"),
        ("sqlite://relative/path.db", "three slashes"),
        ("mysql://u:secret@h/d", "'mysql' are not supported"),
        ("postgresql+asyncpg://u:secret@h/d", "not supported"),
        ("secret", "cannot be read"),
        ("postgresql://u:secret@h:port/d", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_other_databases_are_refused(url: str, message: str) -> None:
    with pytest.raises(UnsupportedDatabase, match=message) as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


def test_postgresql_without_its_driver_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnsupportedDatabase, match=r"pip install 'argbest\[postgresql\]'"):
        open_store("postgresql://user@host/database")


def test_a_password_is_kept_out_of_messages() -> None:
    pytest.importorskip("psycopg")
    store = open_store("postgresql://user:secret@127.0.0.1:1/database")
    assert "secret" not in repr(store)
    assert "secret" in store.url
    with pytest.raises(StoreUnavailable) as raised:
        store.counts()
    assert "secret" not in str(raised.value)


def test_nothing_is_opened_before_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///argbest.db")
    assert list(tmp_path.iterdir()) == []
    # A relative path means the folder of the moment when the store was opened.
    monkeypatch.chdir("/")
    store.migrate()
    store.close()
    assert (tmp_path / "argbest.db").is_file()
    assert store.url == f"sqlite:///{tmp_path}/argbest.db"


def test_a_store_travels_by_pickle(store: Store) -> None:
    job = accept(store)
    travelled = pickle.loads(pickle.dumps(store))
    assert travelled.job(job.id) == job
    travelled.close()


def test_a_closed_store_opens_again(store: Store) -> None:
    job = accept(store)
    store.close()
    store.close()
    assert store.job(job.id) == job
