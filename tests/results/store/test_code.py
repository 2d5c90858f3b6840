"""Archives of code are kept while a job names them, and for a day after they were sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from results.errors import UnknownCode
from results.records import CodeRecord, JobRecord
from results.spec import JobSpec
from results.store import Store
from results.store.tables import CODE
from tests.results.store.samples import SPEC

DIGEST = "sha256:" + "a" * 64
DAY = 86_400.0


def code(name: str = "code/a-1.tar.gz", digest: str = DIGEST) -> CodeRecord:
    return CodeRecord(digest, name, 100, 2, 500)


def age(store: Store, seconds: float) -> None:
    """Let the code have been used so long ago."""
    with store._database.write() as connection:
        connection.execute(sa.update(CODE).values(used_at=CODE.c.used_at - seconds))


def program() -> JobSpec:
    """A job whose program needs the code."""
    declared = {"trainable": "command", "dataset": "none", "command": ["python", "a.py"]}
    return JobSpec.from_json({**SPEC.to_json(), **declared, "code": DIGEST})


def accept(store: Store) -> JobRecord:
    return store.create_job(program(), fingerprint="f", trials=[])


def forget(store: Store) -> None:
    with store._database.write() as connection:
        connection.execute(sa.delete(CODE))


def test_code_is_remembered_by_its_digest(store: Store) -> None:
    forget(store)
    assert store.code(DIGEST) is None
    assert store.add_code(code()) == code()
    assert store.code(DIGEST) == code()
    assert store.code("sha256:" + "b" * 64) is None
    assert store.code("nonsense \N{PILE OF POO}") is None


def test_of_the_same_code_sent_twice_the_first_file_counts(store: Store) -> None:
    forget(store)
    names = [f"code/a-{number}.tar.gz" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(lambda name: store.add_code(code(name)).name, names))
    assert len(kept) == 1
    assert kept < set(names)


def test_a_file_that_was_lost_is_replaced_once(store: Store) -> None:
    forget(store)
    store.add_code(code("code/lost"))
    assert store.replace_code(code("code/new"), former="code/lost").name == "code/new"
    assert store.replace_code(code("code/late"), former="code/lost").name == "code/new"


def test_old_code_that_no_job_names_is_not_offered_and_then_dropped(store: Store) -> None:
    forget(store)
    store.add_code(code())
    age(store, DAY - 60)
    assert store.code(DIGEST) is not None
    age(store, 120)
    assert store.code(DIGEST) is None
    assert store.drop_unused_code() == ()  # a job may be about to name it
    age(store, 3600)
    assert store.drop_unused_code() == ("code/a-1.tar.gz",)
    assert store.drop_unused_code() == ()


def test_code_that_is_sent_again_is_kept_from_then_on(store: Store) -> None:
    forget(store)
    store.add_code(code())
    age(store, 2 * DAY)
    assert store.add_code(code("code/other")) == code()
    assert store.code(DIGEST) == code()
    assert store.drop_unused_code() == ()


def test_a_job_whose_code_is_not_there_is_not_accepted(store: Store) -> None:
    forget(store)
    before = store.jobs().items
    with pytest.raises(UnknownCode, match=DIGEST):
        accept(store)
    assert store.jobs().items == before


def test_a_job_uses_the_code_that_it_names(store: Store) -> None:
    forget(store)
    store.add_code(code())
    age(store, 2 * DAY)
    job = accept(store)  # the last moment before it would be dropped
    store.request_cancel(job.id)
    store.delete_job(job.id)
    assert store.drop_unused_code() == ()


def test_code_stays_as_long_as_a_job_names_it(store: Store) -> None:
    forget(store)
    store.add_code(code())
    job = accept(store)
    assert job.spec.code == DIGEST
    age(store, 300 * DAY)
    assert store.code(DIGEST) == code()
    assert store.drop_unused_code() == ()
    store.request_cancel(job.id)
    store.delete_job(job.id)
    assert store.code(DIGEST) is None
    assert store.drop_unused_code() == ("code/a-1.tar.gz",)


def test_a_file_that_is_expected_is_dropped_a_day_later_unless_a_row_names_it(store: Store) -> None:
    forget(store)
    for name in ("code/broken-off", "code/a-1.tar.gz", "code/lost"):
        store.expect_code(code(name))
    assert store.code(DIGEST) is None
    store.add_code(code("code/lost"))
    store.replace_code(code(), former="code/lost")
    accept(store)
    assert store.drop_unused_code() == ()  # the upload may be under way
    age(store, DAY + 3660)
    assert store.drop_unused_code() == ("code/broken-off",)
    assert store.code(DIGEST) == code()
