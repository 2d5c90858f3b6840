"""kill -9 of whole Ray nodes mid-search, a worker and the head, while a client reads the API.

A head without CPU slots and a worker run on this machine, each started again whenever it ends, as
by Docker or systemd. The worker's loss lasts until a trial that it had is started again, the head's
until the job's next driver has started one.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

from results.store import open_store
from service.client.client import Client
from service.engine.head import authentication
from service.engine.processes import HEAD_VARIABLE, kill_all, with_variable
from service.settings import Settings
from tests.chaos.fleet import controller
from tests.chaos.nursery import nursery
from tests.chaos.outcome import Outcome, nothing_done, slow, spread
from tests.chaos.searches import Search, plugged_in, until, variables
from tools.ports import free_port

SLOTS = 2
READ_SECONDS = 0.1
#: As in the image (docker/entrypoint): a node waits so long for a head that is gone, and another
#: head comes only when none waits any more.
RECONNECT = {"RAY_gcs_rpc_server_reconnect_timeout_s": "2"}
HEAD_PAUSE_SECONDS = 5.0


class RayNode(threading.Thread):
    """``ray start --block`` with the given arguments, again and again."""

    def __init__(self, folder: Path, *arguments: str, pause_s: float = 0.0) -> None:
        """Take a folder of its own, for its log, and a pause before it is started again."""
        super().__init__(name=folder.name)
        folder.mkdir(parents=True)
        self._folder, self._arguments, self._pause_s = folder, arguments, pause_s
        self._ended = threading.Event()

    def run(self) -> None:
        """Start it whenever it has ended, until :meth:`end`."""
        ray = Path(sys.executable).with_name("ray")
        options = ["--object-store-memory", "100000000", "--dashboard-agent-listen-port", "0"]
        with (self._folder / "log").open("ab") as log:
            while not self._ended.is_set():
                subprocess.run(
                    [ray, "start", "--block", "--disable-usage-stats", *options, *self._arguments],
                    env={**os.environ, HEAD_VARIABLE: str(self._folder)},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                )  # fmt: skip
                self.kill()
                self._ended.wait(self._pause_s)

    def kill(self) -> None:
        """Kill all of its processes at once, those of its trials included."""
        kill_all(with_variable(HEAD_VARIABLE, str(self._folder)))

    def end(self) -> None:
        """End it for good."""
        self._ended.set()
        while self.is_alive():
            self.kill()
            self.join(READ_SECONDS)


class Reader(threading.Thread):
    """A client that reads a page of the API again and again."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(name="reader")
        self._port, self._path = port, path
        self._ended = threading.Event()
        self.reads, self.failed, self.longest_s = 0, 0, 0.0

    def run(self) -> None:
        """Read until :meth:`end`."""
        while not self._ended.wait(READ_SECONDS):
            began = time.perf_counter()
            self.reads += 1
            self.failed += not self._read()
            self.longest_s = max(self.longest_s, time.perf_counter() - began)

    def _read(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=35)) as connection:
            try:
                connection.request("GET", self._path)
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self.join()


def kill_worker(worker: RayNode, search: Search) -> float:
    """Kill a worker whose trials train; return the seconds until one of them is started again."""
    job_id, _, _ = search.settle()
    before = {trial.number: trial.attempt for trial in search.look(job_id)}
    killed = time.time()
    worker.kill()

    def again() -> float | None:
        retried = [t for t in search.look(job_id) if t.attempt > max(before[t.number], 1)]
        times = [t.started_at.timestamp() for t in retried if t.started_at]
        return min(times, default=None)

    return until(again, f"trials of job {job_id} again after their node was killed") - killed


def kill_head(head: RayNode, search: Search) -> float:
    """Kill the head; return the seconds until the job's next driver has started a trial."""
    job_id, _, token = search.settle()
    killed = time.time()
    head.kill()
    return search.taken_over(job_id, token) - killed


def kill_nodes(settings: Settings, kills: int, *, limit_s: float, trials: int = 60) -> Outcome:
    """Kill a worker and the head in turn, ``kills`` times each, or until ``limit_s`` is over.

    The searches have ``trials`` trials each. ``settings`` name an empty folder.
    """
    took: dict[str, list[float]] = {"worker": [], "head": []}
    port = free_port()
    running = settings.model_copy(update={"ray_address": f"127.0.0.1:{port}", "max_claims": 1000})
    with ExitStack() as stack:
        stack.enter_context(plugged_in())
        stack.enter_context(variables(**authentication(settings), **RECONNECT))
        store = stack.enter_context(closing(open_store(settings.store_url)))
        store.migrate()
        head, worker = _start_nodes(stack, settings.ray_dir, port)
        stack.enter_context(controller(running))
        api = stack.enter_context(nursery(running)).port
        client = stack.enter_context(Client(f"http://127.0.0.1:{api}"))
        search = Search(client, store, trials=trials)
        reader = Reader(api, "/api/v1/jobs")
        reader.start()
        stack.callback(reader.end)
        give_up = time.monotonic() + limit_s
        while len(took["head"]) < kills and time.monotonic() < give_up:
            took["worker"].append(kill_worker(worker, search))
            took["head"].append(kill_head(head, search))
        attempts = search.check_all()
    figures: dict[str, str | int | float] = {
        "kill -9 of a worker, and of the head": f"{len(took['head'])} of {kills}",
        **spread("worker: trials again after", took["worker"]),
        **spread("head: trials again after", took["head"]),
        "reads of the API": reader.reads,
        "reads that failed": reader.failed,
        "longest read (s)": reader.longest_s,
        "trials": search.trials,
        "attempts": attempts,
        "results lost or changed": len(search.violations),
    }
    violations = [
        *search.violations,
        *slow([*took["worker"], *took["head"]]),
        *nothing_done("kill -9 of Ray's nodes", len(took["head"]), kills),
        *([f"{reader.failed} of {reader.reads} reads failed"] if reader.failed else []),
    ]
    return Outcome("Nodes of Ray killed", figures, violations)


def _start_nodes(stack: ExitStack, folder: Path, port: int) -> tuple[RayNode, RayNode]:
    """Start a head and a worker, and return them."""
    head = RayNode(
        folder / "head", "--head", "--port", str(port), "--num-cpus", "0",
        "--include-dashboard", "false", "--ray-client-server-port", str(free_port()),
        pause_s=HEAD_PAUSE_SECONDS,
    )  # fmt: skip
    worker = RayNode(
        folder / "worker", "--address", f"127.0.0.1:{port}", "--num-cpus", str(SLOTS)
    )  # fmt: skip
    for node in (head, worker):
        node.start()
        stack.callback(node.end)
    return head, worker
