"""A service that one command starts for itself and ends.

It runs as ``python -m service.cli.own_service``, in a session of its own, so that Ctrl-C reaches
the command alone. When the command ends in any way, kill -9 too, the system sends the service
SIGTERM (Linux), and it ends its jobs, its Ray and itself.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import click

from service.cli.output import note
from service.client.client import Client
from service.client.errors import ServerFault, ServerUnreachable
from service.local_token import read_local_token

#: How long a service may take to start, and to end before it is killed.
START_SECONDS = 180.0
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 5.0
_LOG = "service.log"
_LAST_BYTES = 2000
#: Settings that would make it another service than its own; the others count for it too.
_NOT_PASSED_ON = (
    "ARGBEST_URL", "ARGBEST_TOKEN", "ARGBEST_DATA_DIR", "ARGBEST_DATABASE_URL", "ARGBEST_HOST",
    "ARGBEST_PORT", "ARGBEST_AUTH", "ARGBEST_ALLOWED_HOSTS", "ARGBEST_STORAGE",
    "ARGBEST_RAY_ADDRESS", "ARGBEST_DASHBOARD_URL", "ARGBEST_DASHBOARD_API_URL", "RAY_ADDRESS",
)  # fmt: skip


class OwnService:
    """A service in ``data_dir``, from ``with`` to its end; ``client`` talks to it.

    ``command`` starts it, followed by the options of ``argbest serve``.
    """

    client: Client

    def __init__(
        self,
        data_dir: Path,
        *,
        command: Sequence[str] = (sys.executable, "-m", "service.cli.own_service"),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data_dir, self._command, self._now = data_dir, command, now

    def __enter__(self) -> Self:
        """Start it and wait until it answers; raise :class:`click.ClickException` if it fails."""
        port = _free_port()
        options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(self._data_dir)]
        with (self._data_dir / _LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, *options, "--allow-commands"],
                env=own_environment(os.environ),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            self.client = self._connected(port)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End it, and all that it started."""
        self.client.close()
        self._end()

    def _connected(self, port: int) -> Client:
        url, over = f"http://127.0.0.1:{port}", self._now() + START_SECONDS
        while self._now() < over:
            if self._process.poll() is not None:
                raise click.ClickException(f"the service did not start: {self._last_lines()}")
            token = read_local_token(self._data_dir)
            if token is not None and token.port == port:
                client = Client(url, token=token.secret, timeout=_ANSWER_SECONDS)
                with client, suppress(ServerUnreachable, ServerFault):
                    client.version()
                    return Client(url, token=token.secret)
            time.sleep(_POLL_SECONDS)
        raise click.ClickException(
            f"the service did not start within {START_SECONDS:g} s: {self._last_lines()}"
        )

    def _last_lines(self) -> str:
        log = self._data_dir / _LOG
        text = log.read_bytes()[-_LAST_BYTES:].decode("utf-8", "replace")
        last = [line for line in text.splitlines() if line.strip()][-5:]
        return "\n".join([*last, f"(all of it: {log})"])

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            note(f"the service did not end within {STOP_SECONDS:g} s and is killed")
            self._process.kill()
            self._process.wait()


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a service of one's own: no address, token or database of another."""
    return {name: value for name, value in environment.items() if name not in _NOT_PASSED_ON}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main(arguments: Sequence[str]) -> int:
    """Run the service until the parent process ends, or tells it to; return its exit status."""
    from trainables.descendants import end_with_parent

    parent = os.getppid()
    end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:  # it ended before it could be watched
        return 1
    from service import serve

    return serve.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
