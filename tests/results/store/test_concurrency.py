"""Several threads and processes on one store: each job claimed once, each report written once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from results.states import JobState
from results.store import Store, jobs
from tests.results.store.samples import accept, claim, claim_expired, report

THREADS = 8
T = TypeVar("T")

CLAIM_ALL = """
import sys
from results.store import open_store

store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while (lease := store.claim_job("process", 60)) is not None:
    print(lease.job_id, lease.token)
store.close()
"""


def at_once(task: Callable[[int], T]) -> list[T]:
    """Call ``task`` with 0, 1, ... in threads that all begin at the same moment."""
    barrier = Barrier(THREADS)

    def begin(number: int) -> T:
        barrier.wait()
        return task(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def test_threads_and_processes_claim_each_job_once(store: Store) -> None:
    made = {accept(store, 1).id for _ in range(60)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, store.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def claim_all(_number: int) -> list[str]:
        claimed = []
        while (lease := store.claim_job("thread", 60)) is not None:
            claimed.append(f"{lease.job_id} {lease.token}")
        return claimed

    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()
    claimed = [line for lines in at_once(claim_all) for line in lines]
    for process in processes:
        with process:
            claimed += process.stdout.read().splitlines()
        assert process.returncode == 0
    assert sorted(claimed) == sorted(f"{job_id} 1" for job_id in made)


def test_one_request_sent_by_many_makes_one_job(store: Store) -> None:
    for round_number in range(5):
        made = at_once(lambda _number, key=f"key {round_number}": accept(store, 2, key=key).id)
        assert len(set(made)) == 1
    assert len(store.jobs().items) == 5


def test_an_expired_job_is_taken_over_once(store: Store) -> None:
    accept(store)
    old = claim_expired(store)
    taken = [lease for lease in at_once(lambda n: store.claim_job(f"c{n}", 60)) if lease]
    assert [lease.token for lease in taken] == [old.token + 1]


def test_writers_of_the_same_reports_write_each_once(store: Store) -> None:
    accept(store, 1)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)

    def write(_number: int) -> int:
        return sum(
            store.write_reports(lease, [report(0, e, 0.5) for e in range(first, first + 5)])
            for first in range(1, 30, 3)
        )

    assert sum(at_once(write)) == 32
    assert store.trial(lease.job_id, 0).epochs == 32


def test_a_reader_sees_one_moment(store: Store) -> None:
    job = accept(store)
    with store._database.read() as connection:
        assert jobs.read_job(connection, job.id) == job
        store.request_cancel(job.id)
        assert jobs.read_job(connection, job.id) == job
    assert store.job(job.id).state is JobState.CANCELLED


def test_readers_see_whole_jobs_while_writers_work(store: Store) -> None:
    def work(number: int) -> bool:
        if number % 2:
            return accept(store, 3).progress.trials == 3
        return all(len(store.trials(job.id)) == 3 for job in store.jobs(limit=20).items)

    for _ in range(5):
        assert all(at_once(work))
