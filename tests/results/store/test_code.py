"""Archives of code are kept while a job names them, and for a day after they were sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from results.records import CodeRecord
from results.store import Store
from results.store.tables import CODE, JOBS
from tests.results.store.samples import accept

DIGEST = "sha256:" + "a" * 64
DAY = 86_400.0


def code(name: str = "code/a-1.tar.gz", digest: str = DIGEST) -> CodeRecord:
    return CodeRecord(digest, name, 100, 2, 500)


def age(store: Store, seconds: float) -> None:
    """Let the code have been used so long ago."""
    with store._database.write() as connection:
        connection.execute(sa.update(CODE).values(used_at=CODE.c.used_at - seconds))


def name_it(store: Store, job_id: str) -> None:
    """Let a job need the code."""
    with store._database.write() as connection:
        connection.execute(sa.update(JOBS).where(JOBS.c.id == job_id).values(code=DIGEST))


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


def test_code_stays_as_long_as_a_job_names_it(store: Store) -> None:
    forget(store)
    store.add_code(code())
    job = accept(store)
    name_it(store, job.id)
    age(store, 300 * DAY)
    assert store.code(DIGEST) == code()
    assert store.drop_unused_code() == ()
    store.request_cancel(job.id)
    store.delete_job(job.id)
    assert store.code(DIGEST) is None
    assert store.drop_unused_code() == ("code/a-1.tar.gz",)
