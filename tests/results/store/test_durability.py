"""What was acknowledged is there after the worst: a killed process, a full disk."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

from results.store import Store
from tests.results.store.samples import accept

ACCEPT_FOR_EVER = """
import sys
from results.store import open_store
from tests.results.store.samples import accept

store = open_store(sys.argv[1])
while True:
    print(accept(store, 20).id, flush=True)
"""

FILL_THE_DISK = """
import resource, sys
from results.errors import StoreUnavailable
from results.store import open_store
from tests.results.store.samples import accept

store = open_store(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
try:
    while True:
        print(accept(store, 20).id, flush=True)
except StoreUnavailable as error:
    print(error, file=sys.stderr)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(accept(store, 20).id)
"""


def test_a_killed_process_loses_no_job_that_it_acknowledged(store: Store) -> None:
    acknowledged: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", ACCEPT_FOR_EVER, store.url], stdout=subprocess.PIPE, text=True
        )
        with process:
            acknowledged += [process.stdout.readline().strip() for _ in range(25)]
            process.kill()
            # What it said until it was killed; a last line may be cut short.
            acknowledged += [line for line in process.stdout.read().split() if len(line) == 16]
    kept = {job.id: job for job in store.jobs(limit=10_000).items}
    assert set(acknowledged) <= set(kept)
    # At most the one being made when the process was killed is there unacknowledged, each time.
    assert len(kept) <= len(acknowledged) + 3
    assert {len(store.trials(job_id)) for job_id in kept} == {20}


def test_a_full_disk_is_said_and_harms_nothing(sqlite_store: Store) -> None:
    before = accept(sqlite_store)
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, sqlite_store.url],
        capture_output=True,
        text=True,
        check=True,
    )
    acknowledged = done.stdout.split()
    assert len(acknowledged) > 2
    assert "does not answer" in done.stderr
    kept = [job.id for job in sqlite_store.jobs(limit=1000).items]
    assert sorted(kept) == sorted([before.id, *acknowledged])
    assert {len(sqlite_store.trials(job_id)) for job_id in acknowledged} == {20}
    with sqlite3.connect(sqlite_store.url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
