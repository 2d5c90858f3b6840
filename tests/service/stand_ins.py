"""What stands in for the world around the service's processes: Ray's port, a database, children."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from results.records import EpochReport, Lease, NewTrial
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.storage import Storage
from results.store import Store
from search_spaces import defaults
from service.engine.training import TrialContext
from service.settings import Settings
from tests.databases import migrated_store
from tests.real_data import DATASETS

PYTHON = sys.executable
#: A child that says that it is there and sleeps.
SLEEPER = "import time; print('here', flush=True); time.sleep(60)"


@contextmanager
def listening() -> Iterator[str]:
    """Yield the host:port of something that answers as a Ray head does: it takes connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def child(
    code: str = SLEEPER, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a Python process in a session of its own that has said ``here``; kill it at the end."""
    process = subprocess.Popen(
        [PYTHON, "-IS", "-c", code],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, **(variables or {})},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        try:
            yield process
        finally:
            process.kill()


def settings_in(folder: Path, ray_address: str, **changes: object) -> Settings:
    """Settings whose database has a folder to itself, so that :func:`away` can take it away."""
    database = folder / "database"
    database.mkdir()
    data = folder / "data"
    data.mkdir()
    settings = Settings(
        data_dir=data,
        database_url=f"sqlite:///{database / 'argbest.db'}",
        ray_address=ray_address,
    )
    # Not checked: a test may want a lease shorter than a service is allowed.
    return settings.model_copy(update=changes)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Yield a store with its schema."""
    store = migrated_store(settings.store_url)
    yield store
    store.close()


@contextmanager
def away(store: Store) -> Iterator[None]:
    """Take the database away for a while; ``store`` is the only one that has it open."""
    folder = Path(store.url.removeprefix("sqlite:///")).parent
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    store.close()
    try:
        yield
    finally:
        hidden.rename(folder)


def spec(*, cpu: float = 1.0, gpu: float = 0.0, **changes: object) -> JobSpec:
    """Return the specification of linear regression at its defaults, run once."""
    values = {
        "name": "job",
        "title": "Job",
        "search_space": "q2_linear_regression",
        "trainable": "numpy_linear_regression",
        "dataset": "ames",
        "epochs": 1,
        "metric": "train_rmse",
        "mode": "min",
        "strategy": "single",
        "parameters": {"learning_rate": 0.001},
        "trials": 1,
        "seed": 42,
        "resources_per_trial": {"cpu": cpu, "gpu": gpu},
    }
    return JobSpec.from_json({**values, **changes})


def trial_context(job: JobSpec, storage: Path, *, checkpoint_seconds: float = 30.0) -> TrialContext:
    """Return what the trials of a job have in common, over this storage and the tests' data."""
    Storage(str(storage)).sign()
    return TrialContext(
        "0" * 16, job, DATASETS, None, str(storage), checkpoint_seconds, max_checkpoint_bytes=2**20
    )


def accept(
    store: Store, job: JobSpec | None = None, parameters: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Accept a job with a trial for each configuration, or one of its defaults; return its id."""
    job = job or spec()
    trials = [NewTrial(n, p, job.seed) for n, p in enumerate(parameters or [defaults(job.space)])]
    return store.create_job(job, fingerprint="", trials=trials).id


def claim(store: Store, seconds: float = 60, *, owner: str = "elsewhere:1") -> Lease:
    """Claim a job that is known to be there, and outwait a lease shorter than 0.1 s."""
    lease = store.claim_job(owner, seconds)
    assert lease is not None
    if seconds < 0.1:
        time.sleep(seconds + 0.02)
    return lease


def run_trial(store: Store, lease: Lease, state: TrialState = TrialState.SUCCEEDED) -> None:
    """Do with the job's one trial what a driver does."""
    store.start_trial(lease, 0, node="here")
    store.finish_trial(lease, 0, state)


def run_one(store: Store) -> None:
    """Do what a driver does with a job of one trial and one epoch."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    attempt = store.start_trial(lease, 0, node="here")
    metrics = {"train_rmse": 0.5, "test_rmse": 0.5, "distance_to_analytic": 0.5}
    store.write_reports(lease, [EpochReport(0, attempt, 1, metrics, 1.0)])
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
