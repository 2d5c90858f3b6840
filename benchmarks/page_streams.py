"""Many open event streams of one job: the API's load, and how late an event arrives."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import SHUT_RDWR

import psutil

from benchmarks.page_jobs import report
from benchmarks.records import BenchmarkError, Figure
from results.records import Lease, NewTrial
from results.store import Store
from results.store.batch import Reports, StartTrial

STREAMS = 50
#: Seconds after which an event that has not arrived is lost.
PATIENCE = 60.0


class Listener(threading.Thread):
    """Reads a stream of events in a thread, and notes when each id arrives."""

    def __init__(self, port: int, path: str, after: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.request("GET", path, headers={"Last-Event-ID": str(after)})
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        self.arrived: dict[int, float] = {}

    def run(self) -> None:
        """Read until the stream is closed."""
        try:
            for line in self._answer:
                if line.startswith(b"id:"):
                    self.arrived[int(line[3:])] = time.perf_counter()
        except (OSError, ValueError, AttributeError):
            return  # closed

    def close(self) -> None:
        """Close the connection: what is being read ends at once."""
        self._socket.shutdown(SHUT_RDWR)


@contextmanager
def _listening(port: int, path: str, after: int) -> Iterator[list[Listener]]:
    listeners = [Listener(port, path, after) for _ in range(STREAMS)]
    for one in listeners:
        one.start()
    try:
        yield listeners
    finally:
        for one in listeners:
            one.close()


def measure(
    store: Store, api: psutil.Process, port: int, job: tuple[str, list[NewTrial], Lease], *,
    events: int, seconds: float,
) -> list[Figure]:  # fmt: skip
    """Return the delays of events of a running job, and the API's load while trials report."""
    job_id, trials, lease = job
    delays: list[float] = []
    path = f"/api/v1/jobs/{job_id}/events"
    with _listening(port, path, store.last_event()) as listeners:
        time.sleep(2)
        for trial in trials[:events]:
            store.write(lease, [StartTrial(trial.number, "here")])
            written, event = time.perf_counter(), store.last_event()
            delays += [_arrival(one, event) - written for one in listeners]
        idle = _load(api, seconds)
        stop = threading.Event()
        writer = threading.Thread(target=_report, args=(store, lease, trials[:events], stop))
        writer.start()
        busy = _load(api, seconds)
        stop.set()
        writer.join()
    what = f"{STREAMS} streams of a job of {len(trials):,} trials"
    return [
        Figure(f"{what}: an event arrives after, median", "ms", (statistics.median(delays) * 1e3,)),
        Figure(f"{what}: an event arrives after, at most", "ms", (max(delays) * 1e3,)),
        Figure(f"{what}: CPU of the API while nothing happens", "% of a core", (idle,)),
        Figure(
            f"{what}: CPU of the API while {events} trials report ten times a second",
            "% of a core",
            (busy,),
        ),
        Figure(f"{what}: memory of the API", "MB", (api.memory_info().rss / 1e6,)),
    ]


def _arrival(listener: Listener, event: int) -> float:
    deadline = time.perf_counter() + PATIENCE
    while event not in listener.arrived:
        if time.perf_counter() > deadline:
            raise BenchmarkError(f"event {event} has not arrived after {PATIENCE:g} s")
        time.sleep(0.002)
    return listener.arrived[event]


def _load(process: psutil.Process, seconds: float) -> float:
    """Return the process's share of a core, in percent, over some seconds."""
    before, started = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after, passed = process.cpu_times(), time.perf_counter() - started
    return 100 * (after.user + after.system - before.user - before.system) / passed


def _report(store: Store, lease: Lease, trials: list[NewTrial], stop: threading.Event) -> None:
    """Report an epoch of each trial every 0.1 s, until the epochs are over."""
    epoch = 0
    while not stop.wait(0.1) and epoch < 100:
        epoch += 1
        store.write(lease, [Reports([report(trial, epoch) for trial in trials])])
