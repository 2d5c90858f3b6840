"""SIGSTOP of a driver and its controller past the lease: once they go on, they write no more.

A second controller works on the same database and Ray, as on another host. It claims the job when
the lease of the stopped driver has run out; then the stopped processes are let go on. A take-over
lasts from the stop until a trial is started by the successor.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from benchmarks.service_process import RunningService
from results.store import Store
from service.engine import processes
from service.settings import Settings
from tests.chaos.outcome import Outcome, nothing_done, slow, spread
from tests.chaos.searches import Search, controller_of, searching, until

ROOT = Path(__file__).parents[2]
SEED = 40
STOP_SECONDS = 30.0
LOCK_SECONDS = 1.0
#: A controller that takes itself for one of another host: it leaves this host's drivers alone.
ELSEWHERE = """
import socket
socket.gethostname = lambda: "elsewhere"
from service.engine.controller import main
main()
"""


@contextmanager
def controller_elsewhere(environment: Mapping[str, str]) -> Iterator[None]:
    """Run a second controller over the same database and Ray, as on another host."""
    command = [sys.executable, "-c", ELSEWHERE]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        try:
            yield
        finally:
            process.terminate()  # it ends its drivers and gives their jobs back
            process.wait(STOP_SECONDS)


@contextmanager
def stopped(*running: psutil.Process) -> Iterator[None]:
    """Stop processes of a service on SQLite as SIGSTOP does, between writes, and let them go on.

    One that was stopped in a write would keep the database locked, as a whole host that is gone
    cannot: nobody could take over.
    """
    database = Path(running[0].environ()["ARGBEST_DATA_DIR"]) / "argbest.db"
    try:
        _suspend(running)
        while is_locked(database):
            _resume(running)
            time.sleep(0.01)
            _suspend(running)
        yield
    finally:
        _resume(running)


def _suspend(running: Iterable[psutil.Process]) -> None:
    """Stop the processes and wait until each of their threads has stopped.

    A thread that is in the middle of a system call goes on to its end, and may get a lock by it.
    """
    for process in running:
        process.suspend()
    while not all(map(_has_stopped, running)):
        time.sleep(0.001)


def _has_stopped(process: psutil.Process) -> bool:
    threads = Path(f"/proc/{process.pid}/task").glob("*/stat")
    states = [file.read_text(encoding="utf-8").rpartition(")")[2].split()[0] for file in threads]
    return all(state in "TtZX" for state in states)


def _resume(running: Iterable[psutil.Process]) -> None:
    for process in filter(psutil.Process.is_running, running):
        process.resume()


def is_locked(database: Path) -> bool:
    """Whether somebody holds the write lock of an SQLite file for longer than a write takes."""
    with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return True
    return False


def stop_driver(
    service: RunningService, search: Search, store: Store, drawn: random.Random
) -> float:
    """Stop a driver whose trials train, and its controller, until another has taken over.

    Return the seconds until then, once the stopped driver has gone on and ended by itself.
    """
    job_id, driver, token = search.settle()
    time.sleep(drawn.uniform(0, 1))
    running, controller = processes.find(driver), controller_of(service)
    if running is None:
        return stop_driver(service, search, store, drawn)  # the search has just ended
    with controller_elsewhere(controller.environ()):
        began = time.time()
        with stopped(running, controller):
            ended = store.job(job_id).state.is_finished
            taken_over = 0.0 if ended else search.taken_over(job_id, token)
        until(lambda: processes.find(driver) is None or None, "the stopped driver ends")
    return stop_driver(service, search, store, drawn) if ended else taken_over - began


def stop_drivers(settings: Settings, stops: int, *, limit_s: float, trials: int = 40) -> Outcome:
    """Stop driver and controller ``stops`` times, or until ``limit_s`` is over; then check.

    The searches have ``trials`` trials each. ``settings`` say where prepared data sets lie, and how
    long a lease lasts.
    """
    drawn, give_up = random.Random(SEED), time.monotonic() + limit_s
    took: list[float] = []
    # The trials of a stopped driver keep their slots beside those of its successor.
    with searching(settings, workers=4, trials=trials) as (service, store, search):
        while len(took) < stops and time.monotonic() < give_up:
            took.append(stop_driver(service, search, store, drawn))
        attempts = search.check_all()
        refused = store.lease_counts().refused_writes
    violations = [*search.violations, *slow(took), *nothing_done("stops", len(took), stops)]
    if refused < len(took):
        violations.append(f"{refused} writes of {len(took)} stopped drivers were refused")
    figures: dict[str, str | int | float] = {
        "driver and controller stopped": f"{len(took)} of {stops}",
        **spread("taken over", took),
        "late writes refused": refused,
        "trials": search.trials,
        "attempts": attempts,
        "results lost or changed": len(search.violations),
    }
    return Outcome("Driver and controller stopped past the lease", figures, violations)
