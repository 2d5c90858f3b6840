"""A throw-away PostgreSQL server on a loopback port, for the tests of the store.

PostgreSQL refuses to run as root; root's tests run it as the user ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

_START_SECONDS = 30


def why_not() -> str | None:
    """Return why no server can be started here, or None if one can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed (the extra argbest[postgresql])"
    missing = [program for program in ("initdb", "postgres") if shutil.which(program) is None]
    return f"not on the PATH: {', '.join(missing)}" if missing else None


class Server:
    """A running server; :meth:`create_database` makes an empty database on it."""

    def __init__(self, port: int) -> None:
        self._address = f"postgresql://argbest@127.0.0.1:{port}"
        self._numbers = count(1)

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
def server() -> Iterator[Server]:
    """Start a server with an empty cluster, and end it."""
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
        port = _free_port()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port),
                 "-k", folder, "-c", "fsync=off"],
                stdout=log, stderr=log, cwd=folder, **unprivileged,
            )  # fmt: skip
        try:
            _wait(process, port, folder / "log")
            yield Server(port)
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown, whoever is still connected
            process.wait(timeout=_START_SECONDS)
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
