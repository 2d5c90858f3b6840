"""The API alone, started again as soon as it dies: ``python -m tests.chaos.nursery PORT``.

Each API is a forked process of its own with the environment's settings, its process id printed on
a line. Forking costs milliseconds where a new interpreter takes seconds to import the
application; nothing of the application exists before the fork.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from service.api import create_app
from service.engine.cluster import is_reachable
from service.settings import Settings
from tools.ports import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


class Nursery:
    """A running nursery; :meth:`kill` ends its API with SIGKILL."""

    def __init__(self, settings: Settings) -> None:
        """Start it and wait until its first API answers."""
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery", str(self.port)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, **settings.environment()},
        )  # fmt: skip
        self.pid = self._next_pid()
        self.wait_until_it_answers()

    def kill(self) -> None:
        """Kill the API at once; another one is being started when this returns."""
        os.kill(self.pid, signal.SIGKILL)
        self.pid = self._next_pid()

    def wait_until_it_answers(self) -> None:
        """Return when the API accepts connections."""
        give_up = time.monotonic() + START_SECONDS
        while not is_reachable(f"127.0.0.1:{self.port}"):
            if time.monotonic() > give_up:
                raise RuntimeError(f"no API on port {self.port} after {START_SECONDS:g} s")
            time.sleep(0.01)

    def end(self) -> None:
        """End the nursery and its API."""
        self._process.terminate()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _next_pid(self) -> int:
        if self._process.stdout is None:
            raise RuntimeError("the nursery's output is not read")
        return int(self._process.stdout.readline())


@contextmanager
def nursery(settings: Settings) -> Iterator[Nursery]:
    """Yield a running nursery and end it."""
    running = Nursery(settings)
    try:
        yield running
    finally:
        running.end()


def _answer(port: int) -> None:
    """Be an API until the end."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvicorn.run(create_app(Settings()), host="127.0.0.1", port=port, log_level="error")


def main(arguments: list[str]) -> None:
    """Keep one API running until SIGTERM."""
    child = 0

    def stop(*_: object) -> None:
        os.kill(child, signal.SIGKILL)
        os._exit(0)

    while True:
        child = os.fork()
        if child == 0:
            _answer(int(arguments[0]))
            os._exit(0)
        signal.signal(signal.SIGTERM, stop)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
