"""The heartbeat of a driver: it keeps the lease, closes the gate, and ends a process in time."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from results.records import Lease, LeaseCounts
from results.states import JobState
from results.store import Store
from service.engine.heartbeat import EXIT_UNFINISHED, RAY_SILENCE, Heartbeat
from service.engine.pause_gate import PauseGate
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import accept, away, claim, listening, settings_in

ROOT = Path(__file__).parents[3]
#: Long enough for a beat that a busy machine delays.
LEASE_SECONDS = 4.0
BEAT_SECONDS = 0.2
#: A driver that does nothing but beat: `python -c BEATING JOB OWNER TOKEN`.
BEATING = """
import sys, time
from results.records import Lease
from results.store import open_store
from service.engine.heartbeat import Heartbeat
from service.settings import Settings
from service.engine.pause_gate import PauseGate
settings = Settings()
job_id, owner, token = sys.argv[1:]
lease = Lease(job_id, owner, int(token))
Heartbeat(open_store(settings.store_url), lease, settings, PauseGate()).start()
print("here", flush=True)
time.sleep(60)
"""


class Beating(threading.Thread):
    """A driver's heartbeat in this process; the status that it would end with is kept."""

    def __init__(self, store: Store, lease: Lease, settings: Settings) -> None:
        super().__init__()
        self.gate = PauseGate()
        self.heartbeat = Heartbeat(store, lease, settings, self.gate, every_s=BEAT_SECONDS)
        self.status: int | None = None

    def run(self) -> None:
        try:
            self.heartbeat.run()
        except Ended as ended:
            self.status = ended.status

    def ended(self, *, within_s: float) -> int | None:
        """Return the status, None if it was stopped."""
        self.join(within_s)
        assert not self.is_alive()
        return self.status


class Ended(BaseException):
    """In place of the end of the process."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def end(status: int) -> NoReturn:
    raise Ended(status)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        yield settings_in(tmp_path, ray, lease_seconds=LEASE_SECONDS)


@pytest.fixture
def lease(store: Store) -> Lease:
    accept(store)
    return claim(store, LEASE_SECONDS)


@pytest.fixture
def beat(
    store: Store, lease: Lease, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Beating]]:
    """Start a heartbeat, of another store or with changed settings; it is stopped at the end."""
    begun: list[Beating] = []

    def begin(store: Store = store, **changes: object) -> Beating:
        beating = Beating(store, lease, settings.model_copy(update=changes))
        begun.append(beating)
        beating.start()
        return beating

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(logging, "shutdown", lambda: None)  # pytest's own handlers go on
    yield begin
    for beating in begun:
        beating.heartbeat.stop()
        beating.join()


@pytest.fixture
def beating(beat: Callable[[], Beating]) -> Beating:
    return beat()


def test_the_lease_is_renewed_until_the_heart_is_stopped(store: Store, beating: Beating) -> None:
    give_up = time.monotonic() + 1.25 * LEASE_SECONDS
    while time.monotonic() < give_up:
        assert store.claim_job("elsewhere:1", 60) is None
        time.sleep(0.1)
    beating.heartbeat.stop()
    assert beating.ended(within_s=10) is None
    until(
        lambda: store.claim_job("elsewhere:1", 60),
        within_s=60,
        what="the lease runs out",
    )


class Slow(Store):
    """A store whose renewals wait for their turn, as behind the lock of another write."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked, self.turn = threading.Event(), threading.Event()

    def renew_lease(self, lease: Lease, lease_seconds: float) -> JobState:
        self.asked.set()
        self.turn.wait(30)
        return super().renew_lease(lease, lease_seconds)


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_renewal_that_comes_behind_the_last_write_ends_nothing(
    store: Store,
    lease: Lease,
    settings: Settings,
    beat: Callable[..., Beating],
    caplog: pytest.LogCaptureFixture,
    is_stopped: bool,
) -> None:
    """Its lease is over because its driver has finished the job, unless that is still at work."""
    slow = Slow(store.url)
    beating = beat(store=slow)
    assert slow.asked.wait(30)
    if is_stopped:
        beating.heartbeat.stop()
    store.finish_job(lease, JobState.SUCCEEDED)
    slow.turn.set()
    assert beating.ended(within_s=30) == (None if is_stopped else EXIT_UNFINISHED)
    slow.close()
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    why = f"driver stops: lease 1 of 'elsewhere:1' on job {lease.job_id} is over: the job was"
    assert [line[: len(why)] for line in told] == ([] if is_stopped else [why])


@contextmanager
def process_of(lease: Lease, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that does nothing but beat."""
    command = [sys.executable, "-c", BEATING, lease.job_id, lease.owner, str(lease.token)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **settings.environment()},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        yield process


def test_the_process_ends_when_a_renewal_hangs(lease: Lease, settings: Settings) -> None:
    """SQLite waits half a minute for a lock: by then another driver may be at work."""
    database = settings.store_url.removeprefix("sqlite:///")
    with process_of(lease, settings) as process, closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert process.wait(timeout=25) == EXIT_UNFINISHED


def test_the_process_ends_once_the_job_was_taken_over(
    store: Store, lease: Lease, settings: Settings
) -> None:
    with process_of(lease, settings) as process:

        def take_over() -> Lease | None:
            store.renew_lease(lease, 0.001)  # the process may have renewed it meanwhile
            return store.claim_job("elsewhere:2", 60)

        later = until(take_over, within_s=60, what="the lease runs out")
        assert process.wait(timeout=30) == EXIT_UNFINISHED
    assert later.token == lease.token + 1
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=1)


def test_a_cancelled_job_ends_the_process(store: Store, lease: Lease, beating: Beating) -> None:
    store.request_cancel(lease.job_id)
    assert beating.ended(within_s=60) == EXIT_UNFINISHED
    assert store.lease_counts().refused_writes == 0


def test_a_pausing_job_closes_the_gate_and_goes_on(
    store: Store, lease: Lease, beating: Beating
) -> None:
    assert not beating.gate.closed
    store.request_pause(lease.job_id)
    until(lambda: beating.gate.closed, within_s=60, what="the gate is closed")
    store.resume_job(lease.job_id)
    time.sleep(3 * BEAT_SECONDS)
    assert beating.gate.closed, "whoever resumes the job starts a new driver"
    assert beating.is_alive()


def test_a_database_away_for_less_than_the_lease_is_waited_for(
    store: Store, lease: Lease, beating: Beating, caplog: pytest.LogCaptureFixture
) -> None:
    with away(store):
        until(lambda: "could not be renewed" in caplog.text, within_s=60, what="a failed beat")
    caplog.clear()
    time.sleep(LEASE_SECONDS)
    assert beating.is_alive()
    assert store.claim_job("elsewhere:1", 60) is None, "it has been renewed since"
    assert store.job(lease.job_id).state is JobState.RUNNING


def test_a_database_away_for_longer_than_the_lease_ends_the_process(
    store: Store, beating: Beating, caplog: pytest.LogCaptureFixture
) -> None:
    with away(store):
        assert beating.ended(within_s=60) == EXIT_UNFINISHED
    *tries, end = (record.getMessage() for record in caplog.records)
    assert end == "driver stops: the lease has run out while the store could not be reached"
    assert len(tries) > 1
    assert all("could not be renewed" in line for line in tries)


def test_a_ray_that_does_not_answer_for_a_while_ends_the_process(
    beat: Callable[..., Beating],
) -> None:
    began = time.monotonic()
    assert beat(ray_address="127.0.0.1:1").ended(within_s=60) == EXIT_UNFINISHED
    assert time.monotonic() - began >= RAY_SILENCE * BEAT_SECONDS


def test_a_heart_that_fails_ends_the_process(
    beat: Callable[..., Beating],
    settings: Settings,
    lease: Lease,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody would renew the lease of a driver at work; here its log cannot be cut to size."""
    settings.log_file(lease.job_id).mkdir(parents=True)
    assert beat(max_log_bytes=0).ended(within_s=60) == EXIT_UNFINISHED
    assert "IsADirectoryError" in caplog.text
    assert "driver stops: its heartbeat failed" in caplog.text
