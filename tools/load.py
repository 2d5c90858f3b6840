"""`make load`: what one API process holds, and how long a job of 10,000 trials takes to read.

Clients and API share the machine, on loopback. First four clients submit small jobs, then read
them, each for a while; then a job of 10,000 trials with 100 reports each is put into the store, and
each of its views is asked for. On SQLite and, where it can be started, PostgreSQL.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from results.records import EpochReport, Lease, NewTrial
from results.states import JobState, TrialState
from results.store import open_store
from results.store.base import Store
from service.settings import Settings
from service.spec import JobSpec
from tools import postgres
from tools.chaos.nursery import nursery

CLIENTS = 4
BODY = {"search_space": "q2_linear_regression", "epochs": 1}
#: Reports of one write to the store; a driver gathers them for 0.2 s.
BATCH_TRIALS = 10


def _request(connection: http.client.HTTPConnection, method: str, path: str, body: str = "") -> int:
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    length = len(answer.read())
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{method} {path}: {answer.status}")
    return length


def _read(path: str, connection: http.client.HTTPConnection) -> int:
    return _request(connection, "GET", path)


def hold(port: int, ask: Callable[[http.client.HTTPConnection], int], seconds: float) -> str:
    """Let four clients ask for ``seconds``; return requests per second, and p50 and p99 in ms."""

    def client(_: int) -> list[float]:
        taken = []
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < end:
            began = time.perf_counter()
            ask(connection)
            taken.append(time.perf_counter() - began)
        connection.close()
        return taken

    end = time.perf_counter() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = sorted(time for times in pool.map(client, range(CLIENTS)) for time in times)
    cuts = [1000 * cut for cut in statistics.quantiles(taken, n=100)]
    return f"{len(taken) / seconds:8.0f}/s   p50 {cuts[49]:7.1f} ms   p99 {cuts[98]:7.1f} ms"


def submit_and_read(settings: Settings, seconds: float) -> Iterator[tuple[str, str]]:
    """Yield what four clients hold: submitting, then reading a job, a trial and the list."""
    numbers, lock = count(), threading.Lock()

    def submit(connection: http.client.HTTPConnection) -> int:
        with lock:
            name = f"job {next(numbers)}"
        return _request(connection, "POST", "/api/v1/jobs", json.dumps({**BODY, "name": name}))

    with nursery(settings) as running:
        yield "submits", hold(running.port, submit, seconds)
        store = open_store(settings.store_url)
        job_id = store.jobs(limit=1).items[0].id
        store.close()
        for what, path in {
            "reads of a job": f"/api/v1/jobs/{job_id}",
            "reads of its trials": f"/api/v1/jobs/{job_id}/trials",
            "reads of the list (50 jobs)": "/api/v1/jobs",
        }.items():
            yield what, hold(running.port, partial(_read, path), seconds)


def make_big_job(store: Store, trials: int, epochs: int) -> str:
    """Put a finished job into the store, each of its reports as a driver writes them."""
    job_id = store.create_job(
        name="big", spec=_spec(trials, epochs).to_json(), fingerprint="big", planned_trials=trials,
        trials=[NewTrial(n, {"learning_rate": 1e-6 * (n + 1)}, 42) for n in range(trials)],
    ).id  # fmt: skip
    lease = store.claim_job("load", 3600)
    while lease is not None and lease.job_id != job_id:
        store.finish_job(lease, JobState.SUCCEEDED)  # what the clients submitted
        lease = store.claim_job("load", 3600)
    if lease is None:
        raise RuntimeError("the job was not there to be claimed")
    for first in range(0, trials, BATCH_TRIALS):
        _run(store, lease, range(first, min(first + BATCH_TRIALS, trials)), epochs)
    store.finish_job(lease, JobState.SUCCEEDED)
    return job_id


def _run(store: Store, lease: Lease, numbers: range, epochs: int) -> None:
    attempts = {number: store.start_trial(lease, number, node="here") for number in numbers}
    reports = [
        EpochReport(number, attempt, epoch, _metrics(number, epoch), 0.01 * epoch)
        for number, attempt in attempts.items()
        for epoch in range(1, epochs + 1)
    ]
    store.write_reports(lease, reports)
    for number in numbers:
        store.finish_trial(lease, number, TrialState.SUCCEEDED)


def _metrics(number: int, epoch: int) -> Mapping[str, float]:
    loss = (1 + number % 97) / epoch
    return {"train_rmse": loss, "test_rmse": 1.1 * loss, "distance_to_analytic": 2 * loss}


def _spec(trials: int, epochs: int) -> JobSpec:
    return JobSpec(
        name="big", title="Big", description="", search_space="big",
        trainable="numpy_linear_regression", dataset="ames", epochs=epochs, metric="train_rmse",
        mode="min", strategy="random",
        parameters={"learning_rate": {"low": 1e-6, "high": 1.0, "log": True}}, trials=trials,
        seed=42, max_concurrent_trials=None, cpu=1, gpu=0, time_limit_s=None, max_failures=0,
    )  # fmt: skip


def read_big_job(settings: Settings, trials: int, epochs: int) -> Iterator[tuple[str, str]]:
    """Yield how long the job takes to be written, and each of its views to be read."""
    store = open_store(settings.store_url)
    began = time.perf_counter()
    job_id = make_big_job(store, trials, epochs)
    seconds = time.perf_counter() - began
    store.close()
    yield f"{trials} trials, {trials * epochs} reports written", f"{seconds:8.1f} s"
    paths = ["", "/trials", "/trials/7/curve", "/best", "/curves", "/curves?format=csv", "/plots",
             "/report?format=json", "/report?format=md", "/plots/train_rmse.svg"]  # fmt: skip
    with nursery(settings) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=300)
        _request(connection, "GET", "/api/v1/jobs")
        for path in ["/api/v1/jobs", *(f"/api/v1/jobs/{job_id}{path}" for path in paths)]:
            began = time.perf_counter()
            size = _request(connection, "GET", path)
            seconds = time.perf_counter() - began
            told = path.replace(job_id, "{job_id}")
            yield f"GET {told}", f"{1000 * seconds:8.0f} ms   {size / 1e6:8.2f} MB"
        connection.close()


@contextmanager
def _databases(name: str) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="argbest-load-") as folder:
        settings = Settings(data_dir=Path(folder), database_url="", ray_address="127.0.0.1:1")
        if name == "SQLite":
            yield settings
        else:
            with postgres.server() as server:
                yield settings.model_copy(update={"database_url": server.create_database()})


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Print all figures on one database."""
    with _databases(name) as settings:
        store = open_store(settings.store_url)
        store.migrate()
        store.close()
        for what, figure in submit_and_read(settings, arguments.seconds):
            print(f"{name:<11} {what:<50} {figure}", flush=True)
        for what, figure in read_big_job(settings, arguments.trials, arguments.epochs):
            print(f"{name:<11} {what:<50} {figure}", flush=True)


def main() -> int:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="per kind of request")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parser.parse_args()
    measure("SQLite", arguments)
    missing = postgres.why_not()
    if missing:
        print(f"without PostgreSQL: {missing}", file=sys.stderr)
    else:
        measure("PostgreSQL", arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
