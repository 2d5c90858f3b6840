"""kill -9 of drivers and controllers mid-search: how long until others go on, and what is lost.

The real service runs searches of a trainable that only waits. A take-over lasts from the kill
until, for a driver, a trial is started by its successor; for the controller, until the next
queued job is claimed. Both moments are those of the store.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks.service_process import RunningService, running_service
from results.records import DriverProcess, TrialRecord
from results.states import JobState, TrialState
from results.store import open_store
from results.store.base import Store
from service.settings import Settings
from tools.chaos.outcome import Outcome, spread

#: The folder of a package with the trainable, found by its entry point.
PLUGIN = Path(__file__).parents[2] / "tests" / "service" / "plugin"
EPOCHS = 5
PAUSE_SECONDS = 0.2
#: The promise is 30 s; a take-over that takes longer is a violation.
PROMISED_SECONDS = 30.0
PATIENCE_SECONDS = 120.0
SEED = 30
T = TypeVar("T")


def waiting_space(trials: int, epochs: int = EPOCHS) -> dict[str, Any]:
    """Return a search of ``trials`` trials that report ``x`` and wait."""
    return {
        "name": "chaos", "trainable": "test_steps", "dataset": "ames", "epochs": epochs,
        "metric": "score", "mode": "max", "strategy": "grid",
        "parameters": {
            "x": {"values": [float(x) for x in range(1, trials + 1)]},
            "pause_s": PAUSE_SECONDS,
        },
    }  # fmt: skip


def until(question: Callable[[], T | None], what: str) -> T:
    """Ask until there is an answer; raise after :data:`PATIENCE_SECONDS`."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        answer = question()
        if answer is not None:
            return answer
        time.sleep(0.02)
    raise RuntimeError(f"not within {PATIENCE_SECONDS:g} s: {what}")


@contextmanager
def plugged_in() -> Iterator[None]:
    """Let child processes find the trainable."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PLUGIN), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


class Search:
    """Searches that run one after the other while their processes are killed."""

    def __init__(self, service: RunningService, store: Store, *, trials: int) -> None:
        """Submit the first one; each has ``trials`` trials."""
        self._service, self._store, self._trials = service, store, trials
        self._seen: dict[tuple[str, int], TrialRecord] = {}
        self.jobs: list[str] = []
        self.violations: list[str] = []
        self._submit()

    def _submit(self) -> None:
        body = {"search_space": waiting_space(self._trials), "max_concurrent_trials": 2}
        self.jobs.append(self._service.client.submit(body)["id"])

    def settle(self) -> tuple[str, DriverProcess, int]:
        """Wait until a driver's own trials have reported; return job, driver and lease token."""
        job_id, driver, token = until(self._working, "a driver whose trials report")
        return job_id, driver, token

    def _working(self) -> tuple[str, DriverProcess, int] | None:
        job_id = self.jobs[-1]
        if self._store.job(job_id).state.is_finished:
            self._submit()
            return None
        _, lease, driver = self._store.drivers().get(job_id, (None, None, None))
        reporting = [
            trial
            for trial in self.look(job_id)
            if trial.state is TrialState.RUNNING and trial.epochs > 0
        ]
        if lease is None or driver is None or not reporting or not psutil.pid_exists(driver.pid):
            return None
        return job_id, driver, lease.token

    def look(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials; one that was seen finished must stay as it was."""
        trials = self._store.trials(job_id)
        for trial in trials:
            before = self._seen.get((job_id, trial.number))
            if before is not None and before != trial:
                self.violations.append(f"job {job_id}: trial {trial.number} changed: {trial}")
            if trial.state.is_finished:
                self._seen[job_id, trial.number] = trial
        return trials

    def check(self, job_id: str) -> int:
        """Check the results of a finished job; return the number of its attempts."""
        job = until(lambda: self._finished(job_id), f"job {job_id} finished")
        trials = self.look(job_id)
        if job is not JobState.SUCCEEDED:
            self.violations.append(f"job {job_id} is {job}")
        for trial, curve in zip(trials, self._store.curves(job_id), strict=True):
            expected = (trial.parameters["x"],) * len(curve.epochs)
            whole = curve.epochs == tuple(range(1, len(curve.epochs) + 1))
            if trial.state is not TrialState.SUCCEEDED or trial.epochs != len(curve.epochs):
                self.violations.append(f"job {job_id}: trial {trial.number} is {trial}")
            if not whole or curve.metrics["score"] != expected:
                self.violations.append(f"job {job_id}: reports of trial {trial.number}: {curve}")
        return sum(trial.attempt for trial in trials)

    def _finished(self, job_id: str) -> JobState | None:
        state = self._store.job(job_id).state
        return state if state.is_finished else None


def kill_driver(search: Search, store: Store, drawn: random.Random) -> float:
    """Kill a driver whose trials train; return the seconds until its successor starts one."""
    job_id, driver, token = search.settle()
    time.sleep(drawn.uniform(0, 1))
    killed = time.time()
    try:
        os.kill(driver.pid, signal.SIGKILL)
    except ProcessLookupError:
        return kill_driver(search, store, drawn)  # the search has just ended

    def started() -> float | None:
        if store.job(job_id).lease_token == token:
            return None
        times = [t.started_at.timestamp() for t in search.look(job_id) if t.started_at]
        return min((t for t in times if t > killed), default=None)

    return until(started, f"trials of job {job_id} after its driver was killed") - killed


def kill_controller(
    service: RunningService, search: Search, store: Store, drawn: random.Random
) -> float:
    """Kill the controller beside a working driver; return the seconds until a job is claimed."""
    search.settle()
    time.sleep(drawn.uniform(0, 1))
    (controller,) = (p for p in service.process.children() if "service.controller" in p.cmdline())
    killed = time.time()
    controller.kill()
    body: Mapping[str, Any] = {"search_space": waiting_space(1, epochs=1)}
    job_id = service.client.submit(body)["id"]
    search.jobs.insert(0, job_id)

    def claimed() -> float | None:
        moment = store.job(job_id).started_at
        return moment.timestamp() if moment else None

    return until(claimed, f"job {job_id} claimed after the controller was killed") - killed


def kill_drivers_and_controllers(
    settings: Settings, drivers: int, controllers: int, *, limit_s: float, trials: int = 40
) -> Outcome:
    """Kill drivers and controllers in turn, or until ``limit_s`` is over; then check the results.

    The searches have ``trials`` trials each. ``settings`` say where prepared data sets lie.
    """
    drawn, give_up = random.Random(SEED), time.monotonic() + limit_s
    took: dict[str, list[float]] = {"driver": [], "controller": []}
    own = settings.model_copy(update={"max_claims": 1000})
    with plugged_in(), running_service(own, workers=2) as service:
        folder = service.process.environ()["ARGBEST_DATA_DIR"]
        store = open_store(f"sqlite:///{folder}/argbest.db")
        search = Search(service, store, trials=trials)
        while time.monotonic() < give_up:
            if len(took["driver"]) < drivers:
                took["driver"].append(kill_driver(search, store, drawn))
            elif len(took["controller"]) == controllers:
                break
            if len(took["controller"]) < controllers:
                took["controller"].append(kill_controller(service, search, store, drawn))
        attempts = sum(search.check(job_id) for job_id in search.jobs)
        run = sum(len(store.trials(job_id)) for job_id in search.jobs)
        store.close()
    slow = [t for times in took.values() for t in times if t > PROMISED_SECONDS]
    violations = [*search.violations, *(f"a take-over took {t:.1f} s" for t in slow)]
    figures: dict[str, str | int | float] = {
        "kill -9 of a driver": len(took["driver"]),
        **spread("driver taken over", took["driver"]),
        "kill -9 of the controller": len(took["controller"]),
        **spread("controller replaced", took["controller"]),
        "trials": run,
        "attempts": attempts,
        "results lost or changed": len(search.violations),
    }
    return Outcome("Driver and controller killed", figures, violations)
