"""A throw-away PostgreSQL server on a loopback port, for tests and measurements.

PostgreSQL refuses to run as root; for root it runs as the user ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from tools.ports import free_port

_START_SECONDS = 30


def why_not() -> str | None:
    """Return why no server can be started here, or None if one can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed (the extra argbest[postgresql])"
    missing = [program for program in ("initdb", "postgres") if shutil.which(program) is None]
    return f"not on the PATH: {', '.join(missing)}" if missing else None


class Server:
    """A server; :meth:`create_database` makes an empty database on it."""

    def __init__(
        self, folder: Path, port: int, unprivileged: dict[str, Any], *, fsync: bool
    ) -> None:
        """Take a folder with a cluster in ``data``, and how the server drops its privileges."""
        self._folder, self._port, self._unprivileged = folder, port, unprivileged
        self._fsync = "on" if fsync else "off"
        self._address = f"postgresql://argbest@127.0.0.1:{port}"
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it answers."""
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["postgres", "-D", self._folder / "data", "-h", "127.0.0.1",
                 "-p", str(self._port), "-k", self._folder, "-c", f"fsync={self._fsync}"],
                stdout=output, stderr=output, cwd=self._folder, **self._unprivileged,
            )  # fmt: skip
        try:
            _wait(self._process, self._port, log)
        except RuntimeError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop fast, whoever is still connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=_START_SECONDS)
            self._process = None

    def create_database(self) -> str:
        """Make a new database and return its URL."""
        name = f"argbest_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return f"{self._address}/{name}"

    def execute(self, statement: str) -> None:
        """Run one statement outside of the store, as an administrator would."""
        import psycopg

        with psycopg.connect(f"{self._address}/postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def server(*, fsync: bool = False) -> Iterator[Server]:
    """Start a server with an empty cluster, and end it; with ``fsync`` it writes to the disk."""
    folder = Path(tempfile.mkdtemp(prefix="argbest-postgres-"))
    unprivileged: dict[str, Any] = {}
    if os.geteuid() == 0:
        unprivileged = {"user": "nobody", "extra_groups": []}
        shutil.chown(folder, "nobody")
    try:
        subprocess.run(
            ["initdb", "-D", folder / "data", "-U", "argbest", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd=folder, **unprivileged,
        )  # fmt: skip
        running = Server(folder, free_port(), unprivileged, fsync=fsync)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    give_up = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(f"postgresql://argbest@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
