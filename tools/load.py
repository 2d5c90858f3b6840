"""`make load`: what one API process serves, and the time to read a job of 10,000 trials.

Clients and API share the machine, on loopback. First four clients submit small jobs, then read
them, each for some seconds. Then a job of 10,000 trials with 100 reports each is put into the store
and each of its views is read once, while another client polls ``/healthz``. On SQLite and, where it
can be started, PostgreSQL. Prints Markdown, each row as soon as it is measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import psutil

from benchmarks import machine
from results.store import open_store
from service.settings import Settings
from tests.chaos.nursery import Nursery, nursery
from tools import postgres
from tools.big_job import BATCH_TRIALS, write_big_job

CLIENTS = 4
BODY = {"search_space": "q2_linear_regression", "epochs": 1}
PROBE_SECONDS = 0.02

#: Views of the big job, in the order in which they are asked for.
VIEWS = (
    "", "/trials", "/trials/7/curve", "/best", "/events", "/curves", "/curves?format=csv", "/plots",
    "/plots/validation_accuracy.svg", "/plots/parameter_dropout.png", "/plots/importance.svg",
    "/report?format=json", "/report?format=md", "/report?format=html", "/report?format=pdf",
)  # fmt: skip

Row = tuple[str, ...]


def _request(connection: http.client.HTTPConnection, method: str, path: str, body: str = "") -> int:
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    length = 0
    while block := answer.read(2**20):
        length += len(block)
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{method} {path}: {answer.status}")
    return length


def _read(path: str, connection: http.client.HTTPConnection) -> int:
    return _request(connection, "GET", path)


# --- four clients ---------------------------------------------------------------------------


def hold(port: int, ask: Callable[[http.client.HTTPConnection], int], seconds: float) -> Row:
    """Let four clients ask for ``seconds``; return requests per second, and p50 and p99 in ms."""

    def client(_: int) -> list[float]:
        taken = []
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            while time.perf_counter() < end:
                began = time.perf_counter()
                ask(connection)
                taken.append(time.perf_counter() - began)
        return taken

    end = time.perf_counter() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = sorted(time for times in pool.map(client, range(CLIENTS)) for time in times)
    cuts = [1000 * cut for cut in statistics.quantiles(taken, n=100)]
    return f"{len(taken) / seconds:.0f}/s", f"{cuts[49]:.1f} ms", f"{cuts[98]:.0f} ms"


def submit_and_read(settings: Settings, seconds: float) -> Iterator[Row]:
    """Yield the rates of four clients: submitting, then reading a job, its trials and the list."""
    numbers, lock = count(), threading.Lock()

    def submit(connection: http.client.HTTPConnection) -> int:
        with lock:
            name = f"job {next(numbers)}"
        return _request(connection, "POST", "/api/v1/jobs", json.dumps({**BODY, "name": name}))

    with nursery(settings) as running:
        yield "submits", *hold(running.port, submit, seconds)
        with closing(open_store(settings.store_url)) as store:
            job_id = store.jobs(limit=1).items[0].id
        for what, path in {
            "reads of a job": f"/api/v1/jobs/{job_id}",
            "reads of its trials": f"/api/v1/jobs/{job_id}/trials",
            "reads of the list, 50 jobs": "/api/v1/jobs",
        }.items():
            yield what, *hold(running.port, partial(_read, path), seconds)


# --- the big job ----------------------------------------------------------------------------


class Watch(threading.Thread):
    """Polls an API while it answers: its memory, and how long another client's request takes."""

    def __init__(self, running: Nursery) -> None:
        super().__init__(daemon=True)
        self._port, self._process = running.port, psutil.Process(running.pid)
        self._ended = threading.Event()
        self._cpu_before = self._cpu()
        self.memory_bytes = 0
        self.longest_wait = 0.0

    def run(self) -> None:
        """Poll until :meth:`end`."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port)) as connection:
            while True:
                began = time.perf_counter()
                _read("/healthz", connection)
                self.longest_wait = max(self.longest_wait, time.perf_counter() - began)
                self.memory_bytes = max(self.memory_bytes, self._process.memory_info().rss)
                if self._ended.wait(PROBE_SECONDS):
                    return

    def end(self) -> float:
        """Stop polling; return the seconds of processor time that the API used meanwhile."""
        used = self._cpu() - self._cpu_before
        self._ended.set()
        self.join()
        return used

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def write(settings: Settings, trials: int, epochs: int) -> tuple[str, list[Row]]:
    """Put the big job into the store; return its id, and rows with the times."""
    with closing(open_store(settings.store_url)) as store:
        began = time.perf_counter()
        written = write_big_job(store, trials, epochs)
        seconds = time.perf_counter() - began
    batch, end = (1000 * statistics.median(t) for t in (written.batches, written.ends))
    return written.job_id, [
        (f"written: {trials} trials, {trials * epochs} reports", f"{seconds:.0f} s"),
        (f"one batch of {BATCH_TRIALS * epochs} reports, median", f"{batch:.0f} ms"),
        ("the end of one trial, on disk, median", f"{end:.1f} ms"),
    ]


def views(settings: Settings, job_id: str) -> Iterator[Row]:
    """Yield each view's time to read, with the API's processor time and memory."""
    with (
        nursery(settings) as running,
        closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=600)) as connection,
    ):
        _request(connection, "GET", "/api/v1/jobs")
        for path in ["/api/v1/jobs", *(f"/api/v1/jobs/{job_id}{view}" for view in VIEWS)]:
            watch = Watch(running)
            watch.start()
            began = time.perf_counter()
            size = _request(connection, "GET", path)
            seconds = time.perf_counter() - began
            used = watch.end()
            yield (
                f"`{path.replace(job_id, '{id}').removeprefix('/api/v1')}`",
                f"{seconds:.2f} s", f"{used:.2f} s", f"{watch.memory_bytes / 1e6:.0f} MB",
                f"{1000 * watch.longest_wait:.0f} ms", f"{size / 1e6:.2f} MB",
            )  # fmt: skip


# --- what is printed ------------------------------------------------------------------------


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _print_head(*cells: str) -> None:
    print()
    _print_row(*cells)
    _print_row(*["---"] * len(cells))


def _print_provenance(arguments: list[str]) -> None:
    stamp = machine.stamp(" ".join(["python -m tools.load", *arguments]))
    load = ", ".join(f"{mean:.1f}" for mean in stamp["load"])
    python, argbest = (stamp["versions"][name] for name in ("python", "argbest"))
    print(
        f"`{stamp['command']}`, {stamp['date']}; {stamp['cpu']}, {stamp['cores']} cores, "
        f"{stamp['memory_bytes'] / 1e9:.0f} GB, {stamp['system']}; python {python}, argbest "
        f"{argbest}; load before (1, 5, 15 minutes): {load}; niceness {os.nice(0)}."
    )


@contextmanager
def _database(name: str) -> Iterator[tuple[str, Settings]]:
    """Yield an empty database, as its name with its version, and the settings that use it."""
    with tempfile.TemporaryDirectory(prefix="argbest-load-") as folder:
        settings = Settings(data_dir=Path(folder), database_url="", ray_address="127.0.0.1:1")
        if name == "SQLite":
            yield f"SQLite {sqlite3.sqlite_version}", settings
            return
        shown = subprocess.run(
            ["postgres", "--version"], check=True, capture_output=True, text=True
        )
        version = shown.stdout.split()[2]
        with postgres.server(fsync=True) as server:
            url = server.create_database()
            yield f"PostgreSQL {version}", settings.model_copy(update={"database_url": url})


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Print all figures on one database."""
    with _database(name) as (called, settings):
        with closing(open_store(settings.store_url)) as store:
            store.migrate()
        _print_head(f"four clients, {called}", "held", "p50", "p99")
        for row in submit_and_read(settings, arguments.seconds):
            _print_row(*row)
        job_id, rows = write(settings, arguments.trials, arguments.epochs)
        _print_head(f"the big job, {called}", "time")
        for row in rows:
            _print_row(*row)
        _print_head(
            f"read, {called}", "time", "API's CPU", "API's memory", "another client waits", "size"
        )
        for row in views(settings, job_id):
            _print_row(*row)


def main() -> int:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="per kind of request")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parser.parse_args()
    _print_provenance(sys.argv[1:])
    measure("SQLite", arguments)
    missing = postgres.why_not()
    if missing:
        print(f"without PostgreSQL: {missing}", file=sys.stderr)
    else:
        measure("PostgreSQL", arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
