"""The controller over a real store: it claims, starts, looks after, ends. Its drivers only wait."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from results.errors import StoreUnavailable
from results.records import DriverProcess, Lease, LeaseCounts, LeasedJob
from results.shares import TURN_SECONDS
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from service.engine import driver_processes, processes
from service.engine.channel import WARM_SECONDS
from service.engine.controller import PATIENCE_SECONDS, Controller, heartbeat_file
from service.engine.driver_processes import STARTUP_SECONDS, Child
from service.settings import Settings
from tests.chaos.stops import is_locked
from tests.service.running import has_ended, until
from tests.service.stand_ins import (
    SLEEPER,
    accept,
    away,
    child,
    claim,
    listening,
    run_trial,
    settings_in,
    spec,
)

ROOT = Path(__file__).parents[3]
#: A process that begins to write as soon as it is on record as a driver, and hangs.
LOCKER = """
import os, sqlite3, time
database = sqlite3.connect(os.environ["DATABASE"])
print("here", flush=True)
is_driver = f"SELECT 1 FROM jobs WHERE driver_pid = {os.getpid()}"
while database.execute(is_driver).fetchone() is None:
    time.sleep(0.01)
database.execute("BEGIN IMMEDIATE")
time.sleep(600)
"""


class Drivers:
    """The processes that were started in place of drivers, and what happens as one starts."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    @property
    def running(self) -> list[subprocess.Popen[bytes]]:
        return [driver for driver in self.started if driver.poll() is None]

    def kill_last(self) -> None:
        self.started[-1].kill()
        self.started[-1].wait()


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drivers]:
    """Replace the program that the controller starts, and nothing else of how it starts it."""
    drivers = Drivers()

    class StandIn(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, command: list[str], **options: Any) -> None:
            if "service.engine.driver" not in command:
                super().__init__(command, **options)
                return
            drivers.meanwhile()
            super().__init__([sys.executable, "-IS", "-c", SLEEPER, *command], **options)
            drivers.started.append(self)

    monkeypatch.setattr(subprocess, "Popen", StandIn)
    yield drivers
    for driver in drivers.started:
        driver.kill()
        driver.wait()


@pytest.fixture(autouse=True)
def _channels_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the channels to drivers, which those controllers would do that live on."""
    made: list[Child] = []

    def make(*arguments: Any, **fields: Any) -> Child:
        made.append(Child(*arguments, **fields))
        return made[-1]

    monkeypatch.setattr(driver_processes, "Child", make)
    yield
    for one in made:
        one.close()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        yield settings_in(tmp_path, ray, max_concurrent_jobs=2, max_claims=3, spare_drivers=0)


class Clock:
    """A clock that stands still unless it is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def controller(store: Store, settings: Settings, drivers: Drivers, clock: Clock) -> Controller:
    store.note_capacity(8.0, 0.0)
    return Controller(store, settings, clock=clock)


def lease_of(store: Store, job_id: str) -> Lease:
    return store.leased_jobs()[job_id].lease


def states(store: Store, *jobs: str) -> list[str]:
    return [store.job(job_id).state for job_id in jobs]


def step_until(controller: Controller, question: Callable[[], object], *, within_s: float) -> None:
    """Step as :meth:`Controller.run` does until the question has an answer."""

    def ask() -> object:
        controller.step()
        return question()

    until(ask, within_s=within_s, what="the controller has seen to it")


def trial_of(driver: DriverProcess | None) -> Any:
    """A trial process of the driver."""
    assert driver is not None
    return child(variables={processes.DRIVER_VARIABLE: processes.process_name(driver)})


def driver_of(store: Store, job_id: str) -> DriverProcess | None:
    return store.leased_jobs()[job_id].driver


def name_of(driver: DriverProcess | None) -> str:
    """Return the name of the folder that Tune has in this driver."""
    assert driver is not None
    return processes.process_name(driver)


# --- claiming and starting ---------------------------------------------------------------------


def test_it_claims_as_many_jobs_as_it_may_and_another_when_one_has_ended(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    first, second, third = (accept(store) for _ in range(3))
    for _ in range(4):
        controller.step()
    assert states(store, first, second, third) == ["running", "running", "queued"]
    assert len(drivers.running) == 2
    store.finish_job(lease_of(store, first), JobState.SUCCEEDED)
    controller.step()
    assert states(store, second, third) == ["running", "running"]
    assert len(drivers.started) == 3


def test_a_job_stays_in_the_queue_until_it_has_a_slot(
    controller: Controller, store: Store, clock: Clock
) -> None:
    store.note_capacity(1.0, 0.0)
    first, second = accept(store), accept(store)
    for _ in range(3):
        controller.step()
    assert states(store, first, second) == ["running", "queued"]
    store.finish_job(lease_of(store, first), JobState.SUCCEEDED)
    clock.now += WARM_SECONDS
    controller.step()
    assert states(store, second) == ["queued"], "the driver that had the slot may take it"
    clock.now += 0.1
    controller.step()
    assert states(store, second) == ["running"]


def test_one_job_goes_first_while_nobody_knows_the_cluster(
    store: Store, settings: Settings, drivers: Drivers, clock: Clock
) -> None:
    controller = Controller(store, settings, clock=clock)
    first, second = accept(store), accept(store)
    for _ in range(3):
        controller.step()
    assert states(store, first, second) == ["running", "queued"]
    clock.now += TURN_SECONDS
    controller.step()
    assert states(store, second) == ["running"], "the first one may wait for something else"


def test_a_job_that_nobody_would_give_a_slot_begins_after_a_turn(
    store: Store, settings: Settings, drivers: Drivers, clock: Clock
) -> None:
    """Behind jobs that take turns: each of them would always be before it."""
    store.note_capacity(1.0, 0.0)
    controller = Controller(
        store, settings.model_copy(update={"max_concurrent_jobs": 8}), clock=clock
    )
    jobs = [accept(store) for _ in range(4)]
    for number in range(4):
        controller.step()
        assert [store.job(job_id).state for job_id in jobs].count(JobState.RUNNING) == number + 1
        controller.step()
        assert [store.job(job_id).state for job_id in jobs].count(JobState.RUNNING) == number + 1
        clock.now += TURN_SECONDS


def test_a_lost_job_is_taken_over_while_the_cluster_is_full(
    controller: Controller, store: Store
) -> None:
    store.note_capacity(1.0, 0.0)
    lost, waits = accept(store), accept(store)
    claim(store, 0.01)
    controller.step()
    assert lease_of(store, lost).token == 2
    assert states(store, lost, waits) == ["running", "queued"]


def test_a_driver_is_a_session_of_its_own_with_these_settings_and_a_log(
    controller: Controller, store: Store, drivers: Drivers, settings: Settings
) -> None:
    job_id = accept(store)
    controller.step()
    (driver,) = drivers.started
    lease = lease_of(store, job_id)
    assert store.leased_jobs()[job_id].driver == processes.identity(driver.pid)
    assert os.getsid(driver.pid) == driver.pid
    assert os.getpgid(driver.pid) == driver.pid
    log = settings.log_file(job_id)
    until(lambda: log.read_bytes() == b"here\n", within_s=20, what="its output is in its log")
    assert psutil.Process(driver.pid).cmdline()[-3:] == [job_id, lease.owner, str(lease.token)]
    environment = psutil.Process(driver.pid).environ()
    assert settings.environment().items() <= environment.items()
    assert environment["ARGBEST_DATABASE_URL"] == settings.store_url


def test_nothing_is_claimed_while_ray_does_not_answer(
    store: Store, settings: Settings, drivers: Drivers
) -> None:
    job_id = accept(store)
    nobody = settings.model_copy(update={"ray_address": "127.0.0.1:1"})
    Controller(store, nobody).step()
    assert states(store, job_id) == ["queued"]
    assert drivers.started == []


def test_a_lease_lost_while_a_driver_starts_ends_that_driver(
    store: Store, settings: Settings, drivers: Drivers, caplog: pytest.LogCaptureFixture
) -> None:
    """As when this process was stopped for longer than the lease lasts."""
    job_id = accept(store)
    taken: list[Lease] = []

    def take_over() -> None:
        time.sleep(0.05)
        taken.append(claim(store, owner="elsewhere:1"))

    drivers.meanwhile = take_over
    Controller(store, settings.model_copy(update={"lease_seconds": 0.02})).step()
    (driver,) = drivers.started
    assert driver.wait(timeout=10) == -signal.SIGKILL
    assert lease_of(store, job_id) == taken[0]
    assert store.leased_jobs()[job_id].driver is None, "the other one's driver is not named"
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=1)
    assert "was taken over" in caplog.text


def test_a_driver_that_could_not_be_recorded_is_ended(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    """The database goes away just as the driver starts: nobody could find it later."""
    job_id = accept(store)
    with ExitStack() as stack:
        drivers.meanwhile = lambda: stack.enter_context(away(store))
        with pytest.raises(StoreUnavailable):
            controller.step()
        assert drivers.started[0].wait(timeout=10) == -signal.SIGKILL
    assert store.leased_jobs()[job_id].driver is None


# --- a disk that is full, a folder that cannot be written ---------------------------------------


def test_nothing_is_claimed_while_the_disk_is_full(
    store: Store, settings: Settings, drivers: Drivers, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = accept(store)
    full = Controller(store, settings.model_copy(update={"min_free_bytes": 2**62}))
    full.step()
    full.step()
    assert states(store, job_id) == ["queued"]
    assert store.job(job_id).lease_token == 0
    assert caplog.text.count("MiB are free") == 1


def test_a_job_whose_driver_cannot_be_started_is_left_to_others(
    controller: Controller, store: Store, settings: Settings, drivers: Drivers
) -> None:
    job_id = accept(store)
    settings.logs_dir.write_text("no folder", encoding="utf-8")
    controller.step()
    controller.step()
    job = store.job(job_id)
    assert (job.state, job.claims) == (JobState.QUEUED, 0), "no try of its is spent"
    assert job.lease_token == 1, "it is not claimed again at once"
    assert store.lease_counts() == LeaseCounts(take_overs=0, refused_writes=0)
    settings.logs_dir.unlink()
    Controller(store, settings).step()
    assert states(store, job_id) == ["running"]


def test_each_step_shows_that_the_controller_is_alive(
    controller: Controller, store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    file = heartbeat_file(settings)
    assert file.name == f"controller-{socket.gethostname()}.heartbeat"
    controller.step()
    os.utime(file, (0, 0))
    controller.step()
    assert time.time() - file.stat().st_mtime < 60
    file.unlink()
    settings.data_dir.rmdir()
    accept(store)
    controller.step()
    assert f"{settings.data_dir} cannot be used" in caplog.text


# --- several controllers on one host ------------------------------------------------------------


def test_each_of_two_controllers_has_its_own_drivers(
    store: Store, settings: Settings, drivers: Drivers
) -> None:
    store.note_capacity(8.0, 0.0)
    one_each = settings.model_copy(update={"max_concurrent_jobs": 1})
    first, second, third = (accept(store) for _ in range(3))
    one, other = Controller(store, one_each), Controller(store, one_each)
    for controller in (one, other, one, other):
        controller.step()
    assert states(store, first, second, third) == ["running", "running", "queued"]
    one.end_drivers()
    assert states(store, first, second) == ["queued", "running"]
    assert drivers.running == drivers.started[1:]


def test_a_job_that_another_controller_is_just_starting_is_left_to_it(
    controller: Controller, store: Store, settings: Settings, drivers: Drivers
) -> None:
    """The driver on record is then the former one, which hung and was ended."""
    job_id = accept(store)
    with child() as hanging:
        store.set_driver(claim(store, 0.05), processes.identity(hanging.pid))
        drivers.meanwhile = Controller(store, settings).step
        controller.step()
    assert len(drivers.running) == len(drivers.started) == 1
    assert store.leased_jobs()[job_id].driver == processes.identity(drivers.started[0].pid)
    assert store.job(job_id).claims == 2
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=0)


def test_the_jobs_of_a_controller_that_is_gone_are_looked_after(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    with child() as process:
        theirs = processes.identity(process.pid)
        lease = claim(store, owner=f"{theirs.host}:{theirs.pid}:{theirs.started!r}:1")
        store.set_driver(lease, DriverProcess(theirs.host, theirs.pid, theirs.started - 1))
        controller.step()
        assert lease_of(store, job_id) == lease, "its owner is there and will see to it"
    controller.step()
    assert lease_of(store, job_id).token == lease.token + 1
    assert len(drivers.running) == 1


def test_a_driver_that_hangs_while_another_host_has_its_job_is_ended(
    controller: Controller, store: Store, settings: Settings, drivers: Drivers, clock: Clock
) -> None:
    job_id = accept(store)
    controller.step()
    (driver,) = drivers.started
    driver.send_signal(signal.SIGSTOP)
    store.release_job(lease_of(store, job_id))
    taken = claim(store)
    controller.step()
    clock.now += settings.lease_seconds
    controller.step()
    assert driver.poll() is None, "it might be about to end by itself"
    clock.now += 0.1
    controller.step()
    assert driver.wait(timeout=10) == -signal.SIGKILL
    assert lease_of(store, job_id) == taken


# --- drivers that end, hang, or take their time ------------------------------------------------


def test_a_lost_driver_is_replaced_and_its_snapshot_goes(
    controller: Controller, store: Store, drivers: Drivers, settings: Settings
) -> None:
    job_id = accept(store)
    controller.step()
    store.start_trial(lease_of(store, job_id), 0, node="here")
    folders = [settings.tune_dir / name_of(driver_of(store, job_id)), settings.tune_dir / "other"]
    for folder in folders:
        folder.mkdir(parents=True)
    drivers.kill_last()
    controller.step()
    assert len(drivers.running) == 1
    assert lease_of(store, job_id).token == 2
    assert store.trial(job_id, 0).state is TrialState.QUEUED
    assert store.job(job_id).claims == 2
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=0)
    assert list(settings.tune_dir.iterdir()) == folders[1:]


def test_the_snapshot_of_a_driver_that_runs_stays(
    controller: Controller, store: Store, drivers: Drivers, settings: Settings
) -> None:
    """A controller that comes back late must not disturb the driver that runs the job now."""
    job_id = accept(store)
    stale = claim(store, 0.01)
    claim(store)
    snapshot = settings.tune_dir / processes.process_name(processes.identity(os.getpid()))
    snapshot.mkdir(parents=True)
    controller._give_back(stale, lost=True)
    assert snapshot.exists()
    assert states(store, job_id) == ["running"]


def test_a_job_whose_driver_is_lost_again_and_again_fails(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    for _ in range(3):
        controller.step()
        drivers.kill_last()
    controller.step()
    job = store.job(job_id)
    assert len(drivers.started) == 3
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.kind is FailureKind.WORKER_LOST
    assert "lost 3 times" in job.error.message
    assert "retry the job" in job.error.message
    assert store.trial(job_id, 0).state is TrialState.CANCELLED
    assert store.retry_failed(job_id).claims == 0, "a retried job has its starts again"


def test_a_hanging_driver_ends_with_its_trials_before_another_starts(
    store: Store, settings: Settings, drivers: Drivers
) -> None:
    job_id = accept(store)
    with child() as hanging, trial_of(processes.identity(hanging.pid)) as trial:
        hanging.send_signal(signal.SIGSTOP)
        former = claim(store)
        store.set_driver(former, processes.identity(hanging.pid))
        snapshot = settings.tune_dir / name_of(processes.identity(hanging.pid))
        snapshot.mkdir(parents=True)
        controller = Controller(store, settings)
        controller.step()
        assert drivers.started == [], "its lease still lasts"
        store.renew_lease(former, 0.01)
        time.sleep(0.05)
        ended: list[object] = []
        drivers.meanwhile = lambda: ended.extend((processes.find(former_driver), trial.wait(10)))
        former_driver = processes.identity(hanging.pid)
        until(lambda: controller.step() or drivers.started, within_s=10, what="another is started")
        assert ended == [None, -signal.SIGKILL]
    assert store.leased_jobs()[job_id].driver == processes.identity(drivers.started[0].pid)
    assert lease_of(store, job_id).token == former.token + 1
    assert not snapshot.exists()


def test_a_driver_that_hangs_in_a_write_does_not_lock_everybody_out_of_sqlite(
    store: Store, settings: Settings, drivers: Drivers
) -> None:
    job_id = accept(store)
    database = Path(store.url.removeprefix("sqlite:///"))
    controller = Controller(store, settings)
    with child(LOCKER, {"DATABASE": str(database)}) as hanging:
        lease = claim(store, 1.0, owner=f"{processes.host_name()}:1:0:gone")
        driver = processes.identity(hanging.pid)
        store.set_driver(lease, driver)
        until(lambda: is_locked(database), within_s=20, what="it holds the lock")
        working = threading.Thread(target=controller.run)
        working.start()
        try:
            until(lambda: drivers.started, within_s=20, what="another driver is started")
        finally:
            controller.stop()
            working.join()
        assert processes.find(driver) is None
    assert lease_of(store, job_id).token == lease.token + 1
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=0)


def test_a_machine_that_slept_lets_its_drivers_renew_their_leases(
    store: Store,
    settings: Settings,
    drivers: Drivers,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All leases run out in its sleep, and its controller may wake up before its drivers do."""
    job_id, renewed = accept(store), threading.Event()
    with child() as sleeping:
        lease = claim(store, 0.05, owner=f"{processes.host_name()}:1:0:gone")
        store.set_driver(lease, processes.identity(sleeping.pid))
        moments = iter([0.0, 3600.0])
        controller = Controller(
            store, settings, clock=clock, wall_clock=lambda: next(moments, 3600.0)
        )
        ask = store.leased_jobs

        def leased_jobs() -> dict[str, LeasedJob]:
            found = dict(ask())
            assert found[job_id].expired
            renewed.set()
            return found

        monkeypatch.setattr(store, "leased_jobs", leased_jobs)
        working = threading.Thread(target=controller.run)
        working.start()
        try:
            assert renewed.wait(20)
        finally:
            controller.stop()
            working.join()
        assert sleeping.poll() is None
    assert store.job(job_id).lease_token == lease.token
    assert drivers.started == []


def test_a_full_controller_still_ends_what_a_lost_driver_was_to_end(
    store: Store, settings: Settings, drivers: Drivers
) -> None:
    cancelling, pausing, running = (accept(store) for _ in range(3))
    leases = [claim(store, 0.5) for _ in range(3)]
    store.request_cancel(cancelling)
    store.request_pause(pausing)
    time.sleep(0.55)
    full = Controller(store, settings.model_copy(update={"max_concurrent_jobs": 0}))
    full.step()
    full.step()
    full.step()
    assert states(store, cancelling, pausing, running) == ["cancelled", "paused", "running"]
    assert lease_of(store, running) == leases[2]
    assert drivers.started == []


def test_a_driver_of_another_host_is_left_to_that_host(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    with child() as theirs:
        there = processes.identity(theirs.pid)
        lease = claim(store)
        store.set_driver(lease, type(there)("elsewhere", there.pid, there.started))
        store.request_cancel(job_id)
        controller.step()
        assert theirs.poll() is None
    assert states(store, job_id) == ["cancelling"]
    assert drivers.started == []


def test_a_lease_is_renewed_while_a_driver_starts_by_whoever_started_it(
    store: Store, settings: Settings, drivers: Drivers, clock: Clock
) -> None:
    """A driver's imports may take longer than its lease; its own heartbeat comes after them."""
    brief = settings.model_copy(update={"lease_seconds": 1.0, "max_concurrent_jobs": 1})
    job_id = accept(store)
    controller, other = Controller(store, brief, clock=clock), Controller(store, brief)
    controller.step()
    for _ in range(2):
        outwait(store, job_id)
        controller.step()
        assert not store.leased_jobs()[job_id].expired
    clock.now += STARTUP_SECONDS
    outwait(store, job_id)
    step_until(other, lambda: lease_of(store, job_id).token == 2, within_s=10)


def outwait(store: Store, job_id: str) -> None:
    """Wait until the job's lease has run out."""
    until(lambda: store.leased_jobs()[job_id].expired, within_s=10, what="the lease runs out")


def test_a_job_that_ended_while_its_driver_started_is_no_trouble(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    controller.step()
    lease = lease_of(store, job_id)
    store.finish_job(lease, JobState.SUCCEEDED)
    controller._look_after(
        job_id, JobState.RUNNING, lease, processes.identity(drivers.started[0].pid)
    )
    assert states(store, job_id) == ["succeeded"]
    assert store.lease_counts().refused_writes == 0


# --- cancelling and pausing --------------------------------------------------------------------


def test_a_running_job_is_cancelled_once_its_driver_and_trials_are_gone(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    controller.step()
    with trial_of(driver_of(store, job_id)) as trial:
        store.request_cancel(job_id)
        step_until(controller, lambda: not drivers.running, within_s=10)
        assert drivers.started[0].returncode == -signal.SIGTERM
        controller.step()
        assert states(store, job_id) == ["cancelling"], "a trial process is still there"
        trial.kill()
        trial.wait()
        controller.step()
    assert states(store, job_id) == ["cancelled"]
    assert store.trial(job_id, 0).state is TrialState.CANCELLED


def test_a_job_cancelled_while_its_driver_starts_is_cancelled(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    drivers.meanwhile = lambda: store.request_cancel(job_id)
    controller.step()
    step_until(controller, lambda: store.job(job_id).state.is_finished, within_s=10)
    assert states(store, job_id) == ["cancelled"]
    assert len(drivers.started) == 1
    assert drivers.running == []


def test_a_driver_and_a_trial_that_do_not_end_are_killed_after_a_while(
    controller: Controller, store: Store, drivers: Drivers, clock: Clock
) -> None:
    first, second = accept(store), accept(store)
    controller.step()
    controller.step()
    drivers.started[0].send_signal(signal.SIGSTOP)
    drivers.started[1].kill()
    drivers.started[1].wait()
    with trial_of(driver_of(store, second)) as trial:
        store.request_cancel(first)
        store.request_cancel(second)
        controller.step()
        clock.now += PATIENCE_SECONDS
        controller.step()
        assert trial.poll() is drivers.started[0].poll() is None
        clock.now += 0.1
        controller.step()
        assert trial.wait(timeout=10) == -signal.SIGKILL
    assert drivers.started[0].wait(timeout=10) == -signal.SIGKILL
    controller.step()
    assert states(store, first, second) == ["cancelled"] * 2


def test_a_cancelling_job_of_a_lost_host_ends_here_with_the_trials_that_run_here(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    job_id = accept(store)
    lease = claim(store)
    with child() as process:
        there = processes.identity(process.pid)
    store.set_driver(lease, type(there)("elsewhere", there.pid, there.started))
    store.request_cancel(job_id)
    store.renew_lease(lease, 0.01)
    time.sleep(0.05)
    with trial_of(driver_of(store, job_id)) as trial:
        controller.step()
        assert trial.wait(timeout=10) == -signal.SIGKILL
    assert states(store, job_id) == ["cancelled"]
    assert drivers.started == []


def test_a_pausing_job_whose_driver_was_lost_is_paused(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    mine, elsewhere = accept(store), accept(store)
    controller.step()
    claim(store, 0.01)
    for job_id in (mine, elsewhere):
        store.request_pause(job_id)
    drivers.kill_last()
    controller.step()
    assert states(store, mine, elsewhere) == ["paused", "paused"]
    assert len(drivers.started) == 1
    assert store.job(elsewhere).claims == 1, "the claim that paused it does not count"


# --- the end of the service, and a database that is away ----------------------------------------


def test_the_end_of_the_service_ends_drivers_and_puts_their_jobs_back(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    first, second, third = (accept(store) for _ in range(3))
    controller.step()
    controller.step()
    store.request_cancel(second)
    with trial_of(driver_of(store, first)) as trial:
        controller.end_drivers()
        assert trial.wait(timeout=10) == -signal.SIGKILL
    assert drivers.running == []
    assert states(store, first, second, third) == ["queued", "cancelled", "queued"]
    assert store.job(first).claims == 0, "told to end: no try of its is spent"
    assert store.lease_counts() == LeaseCounts(take_overs=0, refused_writes=0)


def test_the_end_of_the_service_ends_drivers_also_while_the_database_is_away(
    controller: Controller, store: Store, drivers: Drivers, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = accept(store)
    controller.step()
    controller.step()
    with trial_of(driver_of(store, job_id)) as trial:
        with away(store):
            controller.end_drivers()
        assert trial.wait(timeout=10) == -signal.SIGKILL
    assert drivers.running == []
    assert "the store is unavailable" in caplog.text
    assert states(store, job_id) == ["running"], "until its lease has run out"


def test_a_database_that_is_away_is_waited_for(
    controller: Controller, store: Store, drivers: Drivers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    job_id = accept(store)
    thread = threading.Thread(target=controller.run)
    with away(store):
        thread.start()
        until(
            lambda: caplog.text.count("the store is unavailable") > 1, within_s=20, what="warnings"
        )
        assert drivers.started == []
    until(lambda: drivers.started, within_s=20, what="a driver")
    controller.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert states(store, job_id) == ["running"]
    assert drivers.running == drivers.started, "drivers outlive a controller that is stopped"


# --- the process --------------------------------------------------------------------------------


def start_process(settings: Settings, *wrapper: str) -> subprocess.Popen[bytes]:
    log = settings.data_dir / "controller.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "service.engine.controller"],
            stdout=output, stderr=output, cwd=ROOT,
            env={**os.environ, **settings.environment()},
        )  # fmt: skip
    until(lambda: b"at most 2 jobs" in log.read_bytes(), within_s=60, what="a controller")
    return process


def test_a_controller_process_starts_real_drivers_and_ends_when_told(
    store: Store, settings: Settings
) -> None:
    """All trials of the job have run: its driver has no need of Ray to finish it."""
    job_id = accept(store)
    lease = claim(store)
    run_trial(store, lease)
    store.release_job(lease)
    with start_process(settings) as process:
        until(lambda: store.job(job_id).state.is_finished, within_s=60, what="the job's end")
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert states(store, job_id) == ["succeeded"]
    assert store.job(job_id).claims == 1
    assert store.lease_counts() == LeaseCounts(take_overs=0, refused_writes=0)


def test_a_controller_process_without_its_parent_ends_and_leaves_drivers_alone(
    store: Store, settings: Settings
) -> None:
    job_id = accept(store)
    with child() as driver:
        store.set_driver(claim(store), processes.identity(driver.pid))
        with start_process(settings, "/bin/sh", "-c", '"$@"; true', "sh") as parent:
            (process,) = psutil.Process(parent.pid).children()
            parent.kill()
        until(lambda: has_ended(process), within_s=30, what="the controller's end")
        assert driver.poll() is None
    assert states(store, job_id) == ["running"]


def test_slots_are_shared_before_a_driver_begins_and_when_a_job_has_gone(
    controller: Controller, store: Store, drivers: Drivers
) -> None:
    store.note_capacity(4.0, 0.0)
    first = accept(store, spec(strategy="random", trials=8, max_concurrent_trials=8))
    slots: list[int | None] = []
    drivers.meanwhile = lambda: slots.append(store.job(first).slots)
    controller.step()
    assert slots == [4]
    second = accept(store, spec(strategy="random", trials=8, max_concurrent_trials=8))
    controller.step()
    assert [store.job(job).slots for job in (first, second)] == [2, 2]
    store.finish_job(lease_of(store, second), JobState.SUCCEEDED)
    controller.step()
    assert store.job(first).slots == 4
