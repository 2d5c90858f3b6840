"""The heartbeat of a driver: it keeps lease and allowance, and ends a process in time."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from results.records import Held, Lease, LeaseCounts
from results.states import JobState
from results.store import Store
from service.engine.allowance import Allowance
from service.engine.heartbeat import EXIT_UNFINISHED, RAY_SILENCE, Heartbeat
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import accept, away, claim, listening, settings_in

ROOT = Path(__file__).parents[3]
LEASE_SECONDS = 60.0
#: A driver that does nothing but beat: `python -c BEATING JOB OWNER TOKEN`.
BEATING = """
import sys, time
from results.records import Lease
from results.store import open_store
from service.engine.heartbeat import Heartbeat
from service.settings import Settings
from service.engine.allowance import Allowance
settings = Settings()
job_id, owner, token = sys.argv[1:]
lease = Lease(job_id, owner, int(token))
Heartbeat(open_store(settings.store_url), lease, settings, Allowance()).start()
print("here", flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        yield settings_in(tmp_path, ray, lease_seconds=LEASE_SECONDS)


@pytest.fixture
def lease(store: Store) -> Lease:
    accept(store)
    return claim(store)


class Driver:
    """A heartbeat in this process, its allowance, its clock, and whether the process was to end."""

    def __init__(self, store: Store, lease: Lease, settings: Settings) -> None:
        self.now = 0.0
        self.ended = False
        self.allowance = Allowance()
        self.heartbeat = Heartbeat(
            store, lease, settings, self.allowance, clock=lambda: self.now, end=self._end
        )

    def _end(self) -> None:
        self.ended = True

    def beat(self) -> bool:
        """Beat once; return whether the process was to end."""
        self.heartbeat.beat()
        return self.ended


@pytest.fixture
def driver(store: Store, lease: Lease, settings: Settings) -> Driver:
    return Driver(store, lease, settings)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


def test_each_beat_renews_the_lease(store: Store, lease: Lease, driver: Driver) -> None:
    for _ in range(2):
        store.renew_lease(lease, 0.001)
        until(lambda: store.leased_jobs()[lease.job_id].expired, within_s=10, what="it runs out")
        assert not driver.beat()
        assert not store.leased_jobs()[lease.job_id].expired


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_renewal_that_comes_behind_the_last_write_ends_nothing(
    store: Store, lease: Lease, driver: Driver, caplog: pytest.LogCaptureFixture, is_stopped: bool
) -> None:
    """Its lease is over because its driver has finished the job, unless that is still at work."""
    if is_stopped:
        driver.heartbeat.stop()
    store.finish_job(lease, JobState.SUCCEEDED)
    assert driver.beat() is not is_stopped
    why = f"driver stops: lease 1 of 'elsewhere:1' on job {lease.job_id} is over: the job was"
    assert [line[: len(why)] for line in errors(caplog)] == ([] if is_stopped else [why])


class Hanging(Store):
    """A store whose renewals wait for their turn, as behind the lock of another write."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked, self.turn = threading.Event(), threading.Event()

    def renew_lease(self, lease: Lease, lease_seconds: float) -> Held:
        self.asked.set()
        self.turn.wait(30)
        return super().renew_lease(lease, lease_seconds)


def test_the_process_ends_when_a_renewal_hangs(
    store: Store, lease: Lease, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite waits half a minute for a lock: by then another driver may be at work."""
    hanging = Hanging(store.url)
    driver = Driver(hanging, lease, settings)
    beating = threading.Thread(target=driver.beat)
    beating.start()
    assert hanging.asked.wait(30)
    driver.now = LEASE_SECONDS
    driver.heartbeat.check_renewal()
    assert not driver.ended
    driver.now += 0.1
    driver.heartbeat.check_renewal()
    assert driver.ended
    hanging.turn.set()
    beating.join()
    hanging.close()
    assert errors(caplog) == [
        "driver stops: the store has not answered for as long as the lease lasts"
    ]


def test_a_process_ends_once_the_job_was_taken_over(
    store: Store, lease: Lease, settings: Settings
) -> None:
    command = [sys.executable, "-c", BEATING, lease.job_id, lease.owner, str(lease.token)]
    environment = {**os.environ, **settings.environment()}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"

        def take_over() -> Lease | None:
            store.renew_lease(lease, 0.001)  # the process may have renewed it meanwhile
            return store.claim_job("elsewhere:2", 60)

        later = until(take_over, within_s=60, what="the lease runs out")
        assert process.wait(timeout=30) == EXIT_UNFINISHED
    assert later.token == lease.token + 1
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=1)


def test_a_cancelled_job_ends_the_process(store: Store, lease: Lease, driver: Driver) -> None:
    store.request_cancel(lease.job_id)
    assert driver.beat()
    assert store.lease_counts().refused_writes == 0


def test_a_pausing_job_goes_on_until_its_segments_have_stopped(
    store: Store, lease: Lease, driver: Driver
) -> None:
    assert not driver.beat()
    assert not driver.allowance.pausing
    store.request_pause(lease.job_id)
    assert not driver.beat()
    assert driver.allowance.pausing
    store.resume_job(lease.job_id)
    assert not driver.beat()
    assert not driver.allowance.pausing, "it goes on as if nothing had been asked"


def test_a_database_away_for_less_than_the_lease_is_waited_for(
    store: Store, lease: Lease, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    with away(store):
        driver.now = LEASE_SECONDS
        assert not driver.beat()
    assert "could not be renewed" in caplog.text
    assert not driver.beat()
    with away(store):
        driver.now += LEASE_SECONDS
        assert not driver.beat(), "it has been renewed since"
    assert store.job(lease.job_id).state is JobState.RUNNING


def test_a_database_away_for_longer_than_the_lease_ends_the_process(
    store: Store, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    with away(store):
        assert not driver.beat()
        driver.now += LEASE_SECONDS + 0.1
        assert driver.beat()
    assert errors(caplog) == [
        "driver stops: the lease has run out while the store could not be reached"
    ]


def test_a_ray_that_does_not_answer_for_a_while_ends_the_process(
    store: Store, lease: Lease, settings: Settings
) -> None:
    nobody = settings.model_copy(update={"ray_address": "127.0.0.1:1"})
    driver = Driver(store, lease, nobody)
    assert [driver.beat() for _ in range(RAY_SILENCE)] == [False] * (RAY_SILENCE - 1) + [True]


def test_a_heartbeat_that_fails_ends_the_process(
    store: Store,
    lease: Lease,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody would renew the lease of a driver at work; here its log cannot be cut to size."""
    monkeypatch.setattr("service.engine.heartbeat.HEARTBEAT_SECONDS", 0.01)
    settings.log_file(lease.job_id).mkdir(parents=True)
    driver = Driver(store, lease, settings.model_copy(update={"max_log_bytes": 0}))
    driver.heartbeat.start()
    until(lambda: driver.ended, within_s=60, what="the end")
    driver.heartbeat.stop()
    assert "IsADirectoryError" in caplog.text
    assert "driver stops: its heartbeat failed" in caplog.text


def test_each_beat_reads_the_jobs_share_of_the_slots(
    store: Store, lease: Lease, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = Driver(store, lease, settings)
    answers = iter([2, 0])
    monkeypatch.setattr(
        store, "renew_lease", lambda *_: Held(JobState.RUNNING, slots=next(answers))
    )
    for slots in (2, 0):
        driver.beat()
        assert driver.allowance.slots == slots
