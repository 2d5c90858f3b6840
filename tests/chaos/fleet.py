"""Two APIs and two controllers on one PostgreSQL: every small job is run exactly once."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from results.records import JobRecord
from results.states import JobState, TrialState
from results.store import Store, open_store
from service.client.client import Client
from service.serve import local_ray
from service.settings import Settings
from tests.chaos.nursery import nursery
from tests.chaos.outcome import Outcome, nothing_done

STOP_SECONDS = 30.0
POLL_SECONDS = 0.5
JOB = {"search_space": "q2_linear_regression", "epochs": 1}


@contextmanager
def controller(settings: Settings) -> Iterator[None]:
    """Run a controller, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service.engine.controller"],
        env={**os.environ, **settings.environment()},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def run_each_once(settings: Settings, jobs: int, *, limit_s: float) -> Outcome:
    """Submit ``jobs`` jobs over two APIs and wait for them, at most ``limit_s`` seconds.

    ``settings`` name an empty PostgreSQL database. Jobs that had not begun by then are cancelled
    and not counted.
    """
    store = open_store(settings.store_url)
    store.migrate()
    with ExitStack() as stack:
        running, _ = stack.enter_context(local_ray(settings))
        ports = [stack.enter_context(nursery(running)).port for _ in range(2)]
        for _ in range(2):
            stack.enter_context(controller(running))
        clients = [stack.enter_context(Client(f"http://127.0.0.1:{port}")) for port in ports]
        began = time.monotonic()
        ids = [clients[n % 2].submit({**JOB, "name": f"job {n}"}).id for n in range(jobs)]
        _wait(store, ids, began + limit_s)
        seconds = time.monotonic() - began
    finished = [job for job in map(store.job, ids) if job.state is not JobState.CANCELLED]
    violations = [text for job in finished for text in _broken(store, job)]
    violations += nothing_done("jobs run", len(finished), jobs)
    store.close()
    figures: dict[str, str | int | float] = {
        "jobs run": f"{len(finished)} of {jobs}",
        "claims": sum(job.lease_token for job in finished),
        "seconds": seconds,
        "longest from claim to end (s)": max(map(_seconds, finished), default=0.0),
        "jobs per minute": 60 * len(finished) / seconds,
    }
    return Outcome("Two APIs, two controllers, PostgreSQL", figures, violations)


def _wait(store: Store, ids: list[str], give_up: float) -> None:
    """Wait until every job has finished; when time is up, let only those end that have begun."""
    left = set(ids)
    while left:
        time.sleep(POLL_SECONDS)
        if time.monotonic() > give_up:
            for job_id in left:
                if store.job(job_id).state is JobState.QUEUED:
                    store.request_cancel(job_id)
        left = {job_id for job_id in left if not store.job(job_id).state.is_finished}


def _seconds(job: JobRecord) -> float:
    if job.started_at is None or job.finished_at is None:
        return math.inf
    return (job.finished_at - job.started_at).total_seconds()


def _broken(store: Store, job: JobRecord) -> Iterator[str]:
    if job.state is not JobState.SUCCEEDED:
        yield f"job {job.id} is {job.state}: {job.error}"
    if job.lease_token != 1:
        yield f"job {job.id} was claimed {job.lease_token} times"
    for trial in store.trials(job.id):
        if (trial.state, trial.attempt) != (TrialState.SUCCEEDED, 1):
            yield f"job {job.id}: trial {trial.number} is {trial.state}, attempt {trial.attempt}"
