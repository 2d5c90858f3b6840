"""Searches of a trainable that only waits: what is driven while processes are killed or stopped.

Each trial's score is its ``x``, in every epoch, so that a result that was lost or changed shows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks.service_process import RunningService, running_service
from results.records import DriverProcess, TrialRecord
from results.states import JobState, TrialState
from results.store import Store, open_store
from service.client.client import Client
from service.settings import Settings

#: The folder of a package with the trainable, found by its entry point.
PLUGIN = Path(__file__).parents[2] / "tests" / "service" / "plugin"
EPOCHS = 5
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 300.0
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


def until(question: Callable[[], T | None], what: str, *, within_s: float = PATIENCE_SECONDS) -> T:
    """Ask until there is an answer; raise after ``within_s`` seconds."""
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        answer = question()
        if answer is not None:
            return answer
        time.sleep(0.02)
    raise RuntimeError(f"not within {within_s:g} s: {what}")


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Let child processes have these environment variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def plugged_in() -> AbstractContextManager[None]:
    """Let child processes find the trainable."""
    path = filter(None, [str(PLUGIN), os.environ.get("PYTHONPATH")])
    return variables(PYTHONPATH=os.pathsep.join(path))


class Search:
    """Searches that run one after the other while their processes are killed."""

    def __init__(self, client: Client, store: Store, *, trials: int) -> None:
        """Submit the first one; each has ``trials`` trials."""
        self._client, self._store, self._trials = client, store, trials
        self._seen: dict[tuple[str, int], TrialRecord] = {}
        #: Each job, with the number of trials that it must come to, and of epochs in each.
        self.jobs: dict[str, tuple[int, int]] = {}
        self.violations: list[str] = []
        self._current = self.submit(trials)

    def submit(self, trials: int, epochs: int = EPOCHS) -> str:
        """Submit a job, whose results :meth:`check` is to check; return its id."""
        body = {"search_space": waiting_space(trials, epochs), "max_concurrent_trials": 2}
        job_id = self._client.submit(body).id
        self.jobs[job_id] = trials, epochs
        return job_id

    def settle(self) -> tuple[str, DriverProcess, int]:
        """Wait until a driver's own trials have reported; return job, driver and lease token."""
        return until(self._working, "a driver whose trials report")

    def _working(self) -> tuple[str, DriverProcess, int] | None:
        job_id = self._current
        if self._store.job(job_id).state.is_finished:
            self._current = self.submit(self._trials)
            return None
        leased = self._store.leased_jobs().get(job_id)
        reporting = [
            trial
            for trial in self.look(job_id)
            if trial.state is TrialState.RUNNING and trial.epochs > 0
        ]
        if leased is None or leased.driver is None or not reporting:
            return None
        if not psutil.pid_exists(leased.driver.pid):
            return None
        return job_id, leased.driver, leased.lease.token

    def look(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials; one that was seen finished must stay as it was.

        Its checkpoint may go: only the best trials' models are kept.
        """
        trials = self._store.trials(job_id)
        for trial in trials:
            before = self._seen.get((job_id, trial.number))
            if before is not None and before != replace(trial, checkpoint=before.checkpoint):
                self.violations.append(f"job {job_id}: trial {trial.number} changed: {trial}")
            if trial.state.is_finished:
                self._seen[job_id, trial.number] = trial
        return trials

    def taken_over(self, job_id: str, token: int) -> float:
        """Wait until the job's next driver has started a trial; return that moment (UNIX time).

        ``token`` is that of the former driver's lease, which must write no more.
        """
        since = time.time()

        def started() -> float | None:
            if self._store.job(job_id).lease_token == token:
                return None
            times = [t.started_at.timestamp() for t in self.look(job_id) if t.started_at]
            return min((t for t in times if t > since), default=None)

        return until(started, f"trials of job {job_id} by its next driver")

    @property
    def trials(self) -> int:
        """The trials of all jobs."""
        return sum(trials for trials, _ in self.jobs.values())

    def check(self, job_id: str) -> int:
        """Check the results of a finished job; return the number of its attempts."""
        planned, epochs = self.jobs[job_id]
        job = until(lambda: self._finished(job_id), f"job {job_id} finished")
        trials = self.look(job_id)
        if job is not JobState.SUCCEEDED:
            self.violations.append(f"job {job_id} is {job}")
        if len(trials) != planned:
            self.violations.append(f"job {job_id}: {len(trials)} of {planned} trials")
        for trial, curve in zip(trials, self._store.curves(job_id), strict=True):
            expected = (trial.parameters["x"],) * epochs
            whole = curve.epochs == tuple(range(1, epochs + 1))
            if trial.state is not TrialState.SUCCEEDED or trial.epochs != epochs:
                self.violations.append(f"job {job_id}: trial {trial.number} is {trial}")
            if not whole or curve.metrics["score"] != expected:
                self.violations.append(f"job {job_id}: reports of trial {trial.number}: {curve}")
        return sum(trial.attempt for trial in trials)

    def check_all(self) -> int:
        """Check every job; return the number of attempts of all trials."""
        return sum(self.check(job_id) for job_id in self.jobs)

    def _finished(self, job_id: str) -> JobState | None:
        state = self._store.job(job_id).state
        return state if state.is_finished else None


@contextmanager
def searching(
    settings: Settings, *, workers: int, trials: int
) -> Iterator[tuple[RunningService, Store, Search]]:
    """Run a service with ``workers`` CPU slots and a search of ``trials`` trials on it.

    ``settings`` say where prepared data sets lie, and name the database if it is not to be SQLite.
    Jobs may lose their drivers as often as it takes.
    """
    own = settings.model_copy(update={"max_claims": 1000})
    with (
        plugged_in(),
        running_service(own, workers=workers, database_url=settings.database_url) as service,
        closing(open_store(service.settings.store_url)) as store,
    ):
        yield service, store, Search(service.client, store, trials=trials)


def controller_of(service: RunningService) -> psutil.Process:
    """Return the service's controller process."""
    (found,) = (p for p in service.process.children() if "service.engine.controller" in p.cmdline())
    return found
