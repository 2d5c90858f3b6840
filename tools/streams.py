"""What open event streams cost the API: ``python -m tools.streams``.

One API process, no Ray. Streams of running jobs, in which nothing changes, are held open while the
API's processor time is measured. Prints Markdown.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil

from results.records import NewTrial
from results.store import Store, open_store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.chaos.nursery import Nursery, nursery

TRIALS = 144
#: Until every stream has been sent its job; less than the measured time where that is short.
SETTLE_SECONDS = 3.0


def running_jobs(store: Store, settings: Settings, jobs: int) -> list[str]:
    """Return the ids of new jobs of 144 trials, each running under a lease that is not renewed."""
    plan = Jobs(store, Library(), settings).plan(JobRequest(search_space="q4_grid"))
    trials = [
        NewTrial(number, config, 42)
        for number, config in enumerate((plan.configurations or [])[:TRIALS])
    ]
    made = []
    for number in range(jobs):
        store.create_job(plan.spec, fingerprint=f"{number}", trials=trials)
        lease = store.claim_job("streams", 3600)
        if lease is None:
            raise RuntimeError("the job just made cannot be claimed")
        store.start_trial(lease, 0, node="here")
        made.append(lease.job_id)
    return made


@contextmanager
def streams(port: int, paths: Sequence[str]) -> Iterator[None]:
    """Hold a stream of each path open, reading nothing but the beginning of its answer."""
    with ExitStack() as stack:
        for path in paths:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(
                f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream"
                "\r\n\r\n".encode()
            )
            if b" 200 " not in connection.recv(64):
                raise RuntimeError(f"{path}: no stream")
        yield


def processor_share(running: Nursery, paths: Sequence[str], seconds: float) -> float:
    """Return the share of one core that the API uses while streams of ``paths`` are open."""
    process = psutil.Process(running.pid)
    with streams(running.port, paths):
        time.sleep(min(SETTLE_SECONDS, seconds))
        before, began = process.cpu_times(), time.perf_counter()
        time.sleep(seconds)
        after, took = process.cpu_times(), time.perf_counter() - began
    return ((after.user - before.user) + (after.system - before.system)) / took


def measure(seconds: float, number: int) -> Iterator[tuple[str, float]]:
    """Yield how many streams are open, of what, and the share of one core that the API uses."""
    with tempfile.TemporaryDirectory(prefix="argbest-streams-") as folder:
        settings = Settings(data_dir=Path(folder), database_url="", ray_address="127.0.0.1:1")
        with closing(open_store(settings.store_url)) as store:
            store.migrate()
            jobs = running_jobs(store, settings, number)
        each = [f"/jobs/{job}/events" for job in jobs]
        cases = {
            "none": [],
            "1 of a job": each[:1],
            f"{number} of one job": each[:1] * number,
            f"{number} of as many jobs": each,
            "1 of all jobs": ["/events"],
            f"{number} of all jobs": ["/events"] * number,
        }
        with nursery(settings) as running:
            for what, paths in cases.items():
                yield what, processor_share(running, paths, seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.streams", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="per number of streams")
    parser.add_argument("--streams", type=int, default=50)
    arguments = parser.parse_args()
    print("| open streams | processor |\n|---|---|", flush=True)
    for what, share in measure(arguments.seconds, arguments.streams):
        print(f"| {what} | {100 * share:.1f} % of one core |", flush=True)


if __name__ == "__main__":
    main()
