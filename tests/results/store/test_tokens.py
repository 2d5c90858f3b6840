"""Tokens in the store: shown once, hashed at rest, recognized, expired, revoked."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command

from results.errors import JobNotFound, StoreUnavailable, TokenExists, TokenNotFound
from results.records import SCOPES, TokenScope
from results.store import Store, schema
from results.store.database import LOCK_SECONDS
from tests.results.store.samples import accept, change

SHARE, READ, SUBMIT, CODE, ADMIN = TokenScope

ASK_ON_A_FULL_DISK = """
import resource, sys
from results.errors import StoreUnavailable
from results.records import TokenScope
from results.store import open_store

store = open_store(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
try:
    store.create_token("other", TokenScope.READ)
except StoreUnavailable:
    print("full")
print(store.token(sys.argv[2]).name)
"""


@pytest.fixture(autouse=True)
def no_tokens(store: Store) -> None:
    """PostgreSQL's database is shared by the tests."""
    for token in store.tokens():
        store.revoke_token(token.name)


def test_a_token_is_recognized_by_its_secret_alone(store: Store) -> None:
    laptop = store.create_token("laptop", SUBMIT)
    other = store.create_token("other", READ)
    assert laptop.record.scope is SUBMIT
    assert laptop.record.expires_at is None
    assert abs(laptop.record.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert laptop.secret.startswith(laptop.record.prefix)
    assert len(laptop.secret) > len(laptop.record.prefix) + 36
    found = store.token(laptop.secret)
    assert found is not None
    assert (found.name, found.scope) == ("laptop", SUBMIT)
    assert store.tokens()[1] == other.record


@pytest.mark.parametrize("wrong", ["", "argb_", "x" * 48, "argb_" + "A" * 43, "argb_\0\ud800"])
def test_what_was_never_made_is_no_token(store: Store, wrong: str) -> None:
    secret = store.create_token("laptop", READ).secret
    almost = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert store.token(wrong) is None
    assert store.token(almost) is None
    assert store.token(secret + "A") is None
    assert store.token(secret.upper()) is None


def test_what_cannot_be_a_token_is_known_without_the_database(tmp_path: Path) -> None:
    away = Store(f"sqlite:///{tmp_path}/missing/argbest.db")
    assert away.token("x") is None
    with pytest.raises(StoreUnavailable):
        away.token("argb_" + "A" * 43)


def test_tokens_that_begin_alike_are_told_apart(store: Store) -> None:
    first, second = (store.create_token(name, READ) for name in ("first", "second"))
    change(store, "UPDATE tokens SET prefix = 'argb_AAAAAA'")
    for token, name in ((first, "first"), (second, "second")):
        secret = "argb_AAAAAA" + token.secret[11:]
        digest = hashlib.sha256(secret.encode()).hexdigest()
        change(store, f"UPDATE tokens SET sha256 = '{digest}' WHERE name = '{name}'")
    found = store.token("argb_AAAAAA" + second.secret[11:])
    assert found is not None
    assert found.name == "second"


def test_only_a_hash_is_at_rest(store: Store) -> None:
    new = store.create_token("laptop", ADMIN)
    assert new.secret not in repr(new)
    with store._database.read() as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM tokens").all()
    kept = new.secret.removeprefix(new.record.prefix)
    assert not any(kept in str(value) for value in row)
    assert hashlib.sha256(new.secret.encode()).hexdigest() in row


def test_a_token_ends_with_its_lifetime(store: Store) -> None:
    token = store.create_token("laptop", READ, lifetime_seconds=3600)
    assert token.record.expires_at is not None
    lifetime = token.record.expires_at - token.record.created_at
    assert lifetime.total_seconds() == pytest.approx(3600, abs=1)
    change(store, "UPDATE tokens SET expires_at = expires_at - 3500")
    assert store.token(token.secret) is not None
    change(store, "UPDATE tokens SET expires_at = expires_at - 101")
    assert store.token(token.secret) is None
    assert [token.name for token in store.tokens()] == ["laptop"]


def test_use_is_noted_at_most_once_a_minute(store: Store) -> None:
    secret = store.create_token("laptop", READ).secret
    assert store.tokens()[0].last_used_at is None
    store.token(secret)
    used = store.tokens()[0].last_used_at
    assert used is not None
    store.token(secret)
    assert store.tokens()[0].last_used_at == used
    change(store, "UPDATE tokens SET last_used_at = last_used_at - 61")
    store.token(secret)
    again = store.tokens()[0].last_used_at
    assert again is not None
    assert again >= used


def test_a_token_is_valid_while_the_file_is_locked(sqlite_store: Store) -> None:
    secret = sqlite_store.create_token("laptop", READ).secret
    path = sqlite_store.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert sqlite_store.token(secret) is not None
        assert time.monotonic() - began < LOCK_SECONDS / 2
    assert sqlite_store.tokens()[0].last_used_at is None
    assert sqlite_store.token(secret) is not None
    assert sqlite_store.tokens()[0].last_used_at is not None
    with sqlite_store._database.write() as connection:  # whoever is next is patient again
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1000 * LOCK_SECONDS


def test_a_token_is_valid_while_the_disk_is_full(sqlite_store: Store) -> None:
    secret = sqlite_store.create_token("laptop", READ).secret
    said = subprocess.run(
        [sys.executable, "-c", ASK_ON_A_FULL_DISK, sqlite_store.url, secret],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "full\nlaptop\n"
    assert sqlite_store.tokens()[0].last_used_at is None


def test_names_are_taken_until_revoked(store: Store) -> None:
    secret = store.create_token("laptop", READ).secret
    with pytest.raises(TokenExists, match="revoke it"):
        store.create_token("laptop", ADMIN)
    store.revoke_token("laptop")
    assert store.token(secret) is None
    with pytest.raises(TokenNotFound, match="laptop"):
        store.revoke_token("laptop")
    assert store.create_token("laptop", ADMIN).secret != secret


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a\n", "x" * 65, "\u00e9", "a\0"])
def test_names_that_would_not_print_well_are_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        store.create_token(name, READ)
    assert store.tokens() == ()


LONGEST = 36_500 * 86_400.0


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), LONGEST + 1, 1e300])
def test_lifetimes_that_are_none_are_refused(store: Store, seconds: float) -> None:
    with pytest.raises(ValueError, match="lifetime_seconds") as raised:
        store.create_token("laptop", READ, lifetime_seconds=seconds)
    assert "trial" not in str(raised.value)
    assert store.tokens() == ()


def test_the_longest_lifetime_is_a_century(store: Store) -> None:
    record = store.create_token("laptop", READ, lifetime_seconds=LONGEST).record
    assert record.expires_at is not None
    lifetime = record.expires_at - record.created_at
    assert abs(lifetime - timedelta(seconds=LONGEST)) < timedelta(minutes=1)


def test_each_scope_covers_those_before_it() -> None:
    covered = [[held.covers(needed) for needed in TokenScope] for held in TokenScope]
    assert covered == [[place >= other for other in range(5)] for place in range(5)]


def test_a_link_reads_one_job_until_it_expires_or_the_job_is_deleted(store: Store) -> None:
    job, other = accept(store), accept(store)
    made = store.share_job(job.id, lifetime_seconds=3600, made_by="laptop")
    found = store.token(made.secret)
    assert found == replace(made.record, last_used_at=found and found.last_used_at)
    assert found is not None
    assert (found.scope, found.job, found.made_by) == (SHARE, job.id, "laptop")
    assert not any(found.scope.covers(scope) for scope in SCOPES)
    assert found.name.startswith("share-")
    assert found.expires_at is not None
    assert abs(found.expires_at - found.created_at - timedelta(hours=1)) < timedelta(minutes=1)
    kept = store.share_job(other.id, lifetime_seconds=3600)
    change(store, f"UPDATE tokens SET expires_at = 1 WHERE name = '{kept.record.name}'")
    assert store.token(kept.secret) is None
    last = store.share_job(other.id, lifetime_seconds=3600)  # which sweeps the expired one
    assert {token.name for token in store.tokens()} == {found.name, last.record.name}
    store.request_cancel(job.id)
    store.delete_job(job.id)
    assert [token.name for token in store.tokens()] == [last.record.name]


def test_a_link_to_no_job_or_without_an_end_is_refused(store: Store) -> None:
    with pytest.raises(JobNotFound):
        store.share_job("0123456789abcdef", lifetime_seconds=3600)
    job = accept(store)
    for seconds in (0, -1, float("inf"), 90 * 86_400 + 1):
        with pytest.raises(ValueError, match="lifetime_seconds"):
            store.share_job(job.id, lifetime_seconds=seconds)
    with pytest.raises(ValueError, match="scope must be read, submit, code, admin"):
        store.create_token("laptop", SHARE)
    assert store.tokens() == ()


def test_the_schema_without_tokens_is_brought_up_to_date(empty_store: Store) -> None:
    empty_store.migrate()
    job = accept(empty_store)
    with empty_store._database.write() as connection:
        command.downgrade(schema.config(connection), "0001")
    assert not empty_store.schema_is_current()
    empty_store.migrate()
    assert empty_store.job(job.id) == job
    assert empty_store.token(empty_store.create_token("laptop", READ).secret) is not None
