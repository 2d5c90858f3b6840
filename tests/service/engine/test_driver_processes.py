"""A controller's spare drivers: kept, given jobs, taken back, ended. Stand-ins do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from results.records import Lease
from results.spec import JobSpec
from results.states import JobState
from results.store import Store
from service.engine import processes
from service.engine.controller import Controller
from service.engine.driver_processes import (
    SPARE_PAUSE_SECONDS,
    SURPLUS_SECONDS,
    Child,
    Drivers,
    is_served_by_spares,
)
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import accept, listening, settings_in, spec

#: Stands in for a driver: writes down each job that it is given, and waits again when told to.
STAND_IN = """
import os, pathlib, sys
folder = pathlib.Path(sys.argv[1])
given = folder / f"{os.getpid()}.given"
given.touch()

def say_idle():
    try:
        os.write(0, b"idle\\n")
    except OSError:  # the controller has ended
        sys.exit(0)

def read():
    try:
        return sys.stdin.readline()
    except ConnectionResetError:  # the controller has ended, and has not read all
        return ""

if len(sys.argv) > 4:
    given.write_text(" ".join(sys.argv[4:]))
    os.write(0, b"begun\\n")
    while (folder / "stay").exists():
        pass
else:
    say_idle()
if (folder / "ready").exists():
    os.write(0, b"ready\\n")
while line := read():
    given.write_text(line)
    os.write(0, b"begun\\n")
    while not (done := folder / f"{os.getpid()}.done").exists():
        pass
    done.unlink()
    say_idle()
"""


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Started(list[subprocess.Popen[bytes]]):
    """The stand-ins that were started, oldest first."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    @property
    def running(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self if process.poll() is None]

    def given(self, process: subprocess.Popen[bytes]) -> str:
        """Return what the process was last given to do."""
        file = self.folder / f"{process.pid}.given"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def end_job(self, process: subprocess.Popen[bytes]) -> None:
        (self.folder / f"{process.pid}.done").touch()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Replace the program that is started as a driver, and nothing else of how it is started."""
    started = Started(tmp_path)

    class StandIn(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, command: list[str], **options: Any) -> None:
            code = [sys.executable, "-ISc", STAND_IN, str(tmp_path)]
            super().__init__([*code, *command[1:]], **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", StandIn)
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray:
        yield settings_in(tmp_path, ray, max_concurrent_jobs=3)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def controller(
    store: Store, settings: Settings, started: Started, clock: Clock
) -> Iterator[Controller]:
    store.note_capacity(8.0, 0.0)
    controller = Controller(store, settings, clock=clock)
    yield controller
    controller._drivers.close([])


@pytest.fixture
def drivers_with(
    settings: Settings, started: Started, clock: Clock
) -> Iterator[Callable[[int], Drivers]]:
    """Return the drivers of another controller, which wants so many spares."""
    made: list[Drivers] = []

    def make(spares: int) -> Drivers:
        made.append(Drivers(settings.model_copy(update={"spare_drivers": spares}), clock))
        return made[-1]

    yield make
    for drivers in made:
        drivers.close([])


def lease_of(store: Store, job_id: str) -> Lease:
    return store.leased_jobs()[job_id].lease


def test_spares_serve_jobs_of_one_thread_without_a_gpu() -> None:
    assert [is_served_by_spares(spec(cpu=cpu)) for cpu in (0.5, 1.0, 2.0)] == [True, True, False]
    assert not is_served_by_spares(spec(gpu=1.0))


def test_a_spare_is_given_the_next_job_and_another_is_started_later(
    controller: Controller, store: Store, started: Started, clock: Clock
) -> None:
    controller.step()
    (spare,) = started
    job_id = accept(store)
    controller.step()
    lease = lease_of(store, job_id)
    until(lambda: job_id in started.given(spare), within_s=20, what="the spare has the job")
    assert f'"token": {lease.token}' in started.given(spare)
    assert store.leased_jobs()[job_id].driver == processes.identity(spare.pid)
    assert len(started) == 1, "another would disturb the start of the job"
    clock.now += SPARE_PAUSE_SECONDS
    controller.step()
    assert len(started.running) == 2


def test_a_spare_that_has_its_job_before_it_has_started_is_given_no_other(
    controller: Controller, store: Store, started: Started
) -> None:
    """It says that it waits once it has started, and means the job that it was given."""
    controller.step()
    first, second = accept(store), accept(store)
    controller.step()
    spare = started[0]
    until(lambda: first in started.given(spare), within_s=20, what="the spare has the first job")
    controller.step()
    controller.step()
    own = started[-1]
    until(lambda: second in started.given(own), within_s=20, what="the second job has a driver")
    assert own is not spare
    jobs = store.leased_jobs()
    assert jobs[first].driver == processes.identity(spare.pid)
    assert jobs[second].driver == processes.identity(own.pid)


def test_a_job_that_a_spare_cannot_serve_gets_a_driver_of_its_own(
    controller: Controller, store: Store, started: Started
) -> None:
    controller.step()
    job_id = accept(store, spec(cpu=2.0))
    controller.step()
    spare, own = started
    until(lambda: job_id in started.given(own), within_s=20, what="it has the job")
    assert own.wait(timeout=20) == 0, "nothing gives it another one"
    assert spare.poll() is None
    assert started.given(spare) == ""


def test_a_driver_starts_until_it_says_that_it_has_begun(
    controller: Controller, store: Store, started: Started
) -> None:
    controller.step()
    job_id = accept(store)
    controller.step()
    assert controller._drivers.is_starting(job_id)

    def has_begun() -> bool:
        controller.step()
        return not controller._drivers.is_starting(job_id)

    until(has_begun, within_s=20, what="it has begun")


@pytest.fixture
def worked(controller: Controller, store: Store, started: Started, clock: Clock) -> Any:
    """A driver that ends its first job; another spare starts, with trial processes that wait."""
    controller.step()
    clock.now += SPARE_PAUSE_SECONDS
    first = accept(store)
    controller.step()
    (worked,) = started
    until(lambda: first in started.given(worked), within_s=20, what="it has the job")
    clock.now += SPARE_PAUSE_SECONDS
    (started.folder / "ready").touch()
    controller.step()
    store.finish_job(lease_of(store, first), JobState.SUCCEEDED)
    started.end_job(worked)
    return worked


def test_a_driver_that_has_just_ended_a_job_goes_before_others(
    controller: Controller, store: Store, started: Started, worked: Any
) -> None:
    spare = started[-1]

    def is_warm() -> bool:
        controller.step()
        return controller._drivers.warm is not None

    until(is_warm, within_s=20, what="it has ended the job")
    second = accept(store)
    controller.step()
    until(lambda: second in started.given(worked), within_s=20, what="it has the next one")
    assert started.given(spare) == ""
    assert controller._drivers.warm is None


def test_a_driver_whose_trial_processes_wait_goes_before_others(
    controller: Controller, store: Store, started: Started, clock: Clock, worked: Any
) -> None:
    ready = started[-1]

    def are_there() -> bool:
        controller.step()
        spares = controller._drivers.spares
        return len(spares) == 2 and any(spare.is_ready for spare in spares)

    until(are_there, within_s=20, what="both wait, one with processes")
    clock.now += 1
    second = accept(store)
    controller.step()
    until(lambda: second in started.given(ready), within_s=20, what="it has the job")


def test_a_driver_that_has_ended_its_job_takes_the_next_one(
    controller: Controller, store: Store, started: Started, clock: Clock
) -> None:
    controller.step()
    (driver,) = started
    for _ in range(3):
        job_id = accept(store)
        controller.step()
        until(lambda job=job_id: job in started.given(driver), within_s=20, what="it has the job")  # type: ignore[misc]
        store.finish_job(lease_of(store, job_id), JobState.SUCCEEDED)
        started.end_job(driver)
        until(lambda: controller.step() or controller._drivers.spares, within_s=20, what="it waits")
    assert started.running == [driver]


def test_a_driver_that_takes_no_other_job_is_heard_too(
    controller: Controller, store: Store, started: Started
) -> None:
    """Until it says that it renews its lease, the controller does so: one that hangs is ended."""
    job_id = accept(store, spec(cpu=2.0))
    (started.folder / "stay").touch()

    def has_begun() -> bool:
        controller.step()
        child = controller._drivers.with_job().get(job_id)
        return child is not None and child.has_begun

    until(has_begun, within_s=20, what="it is heard")
    assert not controller._drivers.is_starting(job_id)
    assert all(spare.job_id != job_id for spare in controller._drivers.spares)


def test_one_spare_too_many_is_kept_for_a_while(
    drivers_with: Callable[[int], Drivers], started: Started, clock: Clock
) -> None:
    drivers = drivers_with(1)
    for room in (3, 3):
        drivers.keep_spares(room)
        clock.now += SPARE_PAUSE_SECONDS
    assert len(started) == 1
    more = drivers_with(3)
    for _ in range(3):
        more.keep_spares(3)
        clock.now += SPARE_PAUSE_SECONDS
    assert len(more.spares) == 3
    more.keep_spares(1)
    assert len(more.spares) == 2, "wanted: 1"
    clock.now += SURPLUS_SECONDS
    more.keep_spares(1)
    assert len(more.spares) == 1
    until(lambda: len(started.running) == 2, within_s=20, what="two have ended")


def test_of_two_spares_the_one_with_processes_is_kept(
    controller: Controller, started: Started, clock: Clock, worked: Any
) -> None:
    """It is the older spare that was started for the time of a job, and this job has just ended."""

    def are_there() -> bool:
        controller.step()
        spares = controller._drivers.spares
        return len(spares) == 2 and any(spare.is_ready for spare in spares)

    clock.now += SURPLUS_SECONDS + 1
    until(are_there, within_s=20, what="both wait, one with processes")
    clock.now += SURPLUS_SECONDS + 1
    controller.step()
    (kept,) = controller._drivers.spares
    assert kept.is_ready
    assert kept.process.pid != worked.pid


def test_no_spare_is_started_where_none_is_wanted_or_no_job_may_be_claimed(
    drivers_with: Callable[[int], Drivers], started: Started
) -> None:
    drivers_with(0).keep_spares(3)
    drivers_with(1).keep_spares(0)
    assert started == []


def test_a_spare_that_dies_is_replaced_after_a_pause(
    controller: Controller, started: Started, clock: Clock
) -> None:
    controller.step()
    started[0].kill()
    started[0].wait()
    controller.step()
    assert len(started) == 1
    clock.now += SPARE_PAUSE_SECONDS
    controller.step()
    assert len(started.running) == 1


def test_a_spare_that_dies_as_it_gets_a_job_costs_a_start_and_not_the_job(
    controller: Controller, store: Store, started: Started
) -> None:
    controller.step()
    job_id = accept(store)
    drivers = controller._drivers
    take = drivers.take

    def kill_and_take(lease: Lease, spec: JobSpec) -> Child:
        for child in drivers.spares:
            os.kill(child.process.pid, 9)
            until(
                lambda pid=child.process.pid: (  # type: ignore[misc]
                    psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
                ),
                within_s=20,
                what="its end",
            )

        return take(lease, spec)

    drivers.take = kill_and_take  # type: ignore[method-assign]
    controller.step()
    drivers.take = take  # type: ignore[method-assign]
    controller.step()
    until(
        lambda: any(job_id in started.given(process) for process in started.running),
        within_s=20,
        what="another driver has the job",
    )
    assert store.job(job_id).claims == 2


def test_the_end_of_the_service_ends_spares(
    controller: Controller, store: Store, started: Started
) -> None:
    controller.step()
    assert len(started.running) == 1
    controller.end_drivers()
    assert started.running == []


def test_spares_end_with_their_controller_and_drivers_go_on(
    controller: Controller,
    store: Store,
    started: Started,
    clock: Clock,
    drivers_with: Callable[[int], Drivers],
) -> None:
    """Each of two controllers has its own."""
    controller.step()
    accept(store)
    controller.step()
    clock.now += SPARE_PAUSE_SECONDS
    controller.step()
    driver, spare = started
    drivers_with(1).keep_spares(1)
    assert len(started.running) == 3
    for child in controller._drivers._children:  # as the end of its process does
        assert child.channel is not None
        child.channel.close()
    assert spare.wait(timeout=20) == 0
    assert driver.poll() is started[2].poll() is None


def test_a_driver_is_not_stray_while_it_waits(
    controller: Controller, store: Store, started: Started, settings: Settings, clock: Clock
) -> None:
    controller.step()
    for _ in range(2):
        clock.now += settings.lease_seconds
        controller.step()
    assert len(started.running) == 1


def test_a_lease_that_is_lost_before_a_spare_has_it_ends_that_spare(
    controller: Controller, store: Store, started: Started
) -> None:
    controller.step()
    accept(store)
    lost = store.claim_job("elsewhere:1", 60)
    assert lost is not None
    stale = replace(lost, token=lost.token - 1)
    controller._start_driver(stale, store.job(lost.job_id).spec)
    assert started[0].wait(timeout=20) == -9
    assert started.given(started[0]) == ""
