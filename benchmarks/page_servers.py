"""Servers of the benchmark of the page: the API in a process of its own, and waiting for one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.records import BenchmarkError
from service.settings import Settings
from tools.ports import free_port

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Api:
    """The API of a folder in a process of its own, without a controller and without Ray."""

    process: psutil.Process
    port: int

    def view(self, job_id: str) -> str:
        """Return the address of a job's view."""
        return f"http://127.0.0.1:{self.port}/#/job/{job_id}"


@contextmanager
def running_api(settings: Settings) -> Iterator[Api]:
    """Start the API on a free port, and stop it afterwards."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "service.api:standalone_app",
               "--port", str(port), "--log-level", "error"]  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ARGBEST_")}
    with subprocess.Popen(command, env=kept | settings.environment()) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            yield Api(psutil.Process(process.pid), port)
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Wait until an address answers; raise :class:`BenchmarkError` if it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise BenchmarkError(f"{url} did not answer in {START_SECONDS:g} s")
