"""The whole service in one command: a local Ray, a controller and the API.

``python -m service.serve`` is what ``argbest serve`` runs. Ctrl-C or SIGTERM ends everything
that it started; running jobs go back to the queue and go on when it is started again. After a
kill -9 the Ray head and the drivers run on, and the next start finds them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from results.errors import ResultsError
from results.store import open_store
from results.store.base import Store
from service import logs
from service.addresses import is_loopback
from service.api import create_app
from service.auth import asks_for_tokens
from service.cluster import (
    ClusterError,
    Head,
    authentication,
    head_is_running,
    start_head,
    stop_head,
)
from service.settings import Settings
from service.tokens import make_first_token

logger = logging.getLogger("service.serve")

#: Open event streams are cut off this long after a request to stop.
SHUTDOWN_SECONDS = 3
WATCH_SECONDS = 1.0
CONTROLLER_STOP_SECONDS = 20.0
#: Looks at a Ray head without an answer after which it counts as gone.
HEAD_SILENCE = 3


class Controllers(threading.Thread):
    """Keeps one controller process, and the local Ray head, running.

    A new head has another address: ``tell`` is called with the settings that name it.
    """

    def __init__(
        self, settings: Settings, head: Head | None, tell: Callable[[Settings], None]
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._settings, self._head, self._tell = settings, head, tell
        self._silence = 0
        self._stopped = threading.Event()
        self._child = self._start()

    def run(self) -> None:
        """Start again what has died, until stopped."""
        while not self._stopped.wait(WATCH_SECONDS):
            if self._head is not None and self._is_gone(self._head):
                self._replace_head(self._head)
            if self._child.poll() is not None:
                logger.error("the controller ended with %s; starting it", self._child.returncode)
                self._child = self._start()

    def _is_gone(self, head: Head) -> bool:
        self._silence = 0 if head_is_running(head) else self._silence + 1
        return self._silence >= HEAD_SILENCE

    def _replace_head(self, lost: Head) -> None:
        """Start another head and a controller that knows it; running jobs go back to the queue.

        The loop starts the controller, also where no head comes up: then both are tried again.
        """
        logger.error("the Ray head at %s is gone (see ray.log); starting another", lost.address)
        self._end_controller()
        stop_head(self._settings, lost)
        try:
            head = start_head(self._settings)
        except ClusterError as error:
            logger.error("%s", error)
            return
        self._head, self._silence = head, 0
        self._settings = _naming(self._settings, head)
        self._tell(self._settings)
        logger.info("Ray is back at %s", head.address)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "service.controller"],
            env={**os.environ, **self._settings.environment()},
        )

    def end(self) -> None:
        """End the controller, which ends its drivers first."""
        self._stopped.set()
        self.join()
        self._end_controller()

    def _end_controller(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(CONTROLLER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.error("the controller did not end; killing it")
            self._child.kill()
            self._child.wait()


def _naming(settings: Settings, head: Head) -> Settings:
    """Return the settings with a local head's addresses."""
    update = {"ray_address": head.address, "dashboard_url": head.dashboard_url}
    return settings.model_copy(update=update)


@contextmanager
def local_ray(settings: Settings) -> Iterator[tuple[Settings, Head | None]]:
    """Yield settings that name a running Ray: the given address, or a head of our own."""
    if settings.ray_address:
        yield settings, None
        return
    os.environ.update(authentication(settings))
    head = start_head(settings)
    try:
        yield _naming(settings, head), head
    finally:
        # Also ends a head that has replaced this one.
        stop_head(settings, head)


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.store_url)
    store.migrate()
    with ExitStack() as stack:
        stack.callback(store.close)
        listener = stack.enter_context(_listen(settings))
        _say("starting Ray ...")
        running, head = stack.enter_context(local_ray(settings))
        app = create_app(running, store)

        def tell(changed: Settings) -> None:
            app.state.settings = changed

        controllers = Controllers(running, head, tell)
        stack.callback(controllers.end)
        controllers.start()
        _announce(running)
        _announce_door(running, store)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        server.run(sockets=[listener])


class StopRequested(BaseException):
    """SIGTERM or Ctrl-C: everything that was started is to be ended."""


def _stop_on_signals() -> None:
    """Turn the first signal into :class:`StopRequested` and ignore the others while stopping.

    Uvicorn catches signals while it runs and raises them again once it has stopped; with the
    default handler the process would then end before its Ray and its controller.
    """

    def stop(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _say("stopping: running jobs go back to the queue ...")
        raise StopRequested

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before anything is started, so that a taken one costs nothing."""
    with socket.create_server((settings.host, settings.port), backlog=128) as listener:
        yield listener


def _announce(settings: Settings) -> None:
    url = f"http://{settings.host}:{settings.port}"
    _say(f"API            {url}/api/v1   (documentation: {url}/docs)")
    _say(f"Page           {url}/")
    _say(f"Ray dashboard  {settings.dashboard_url or 'that of ' + settings.ray_address}")
    if os.environ.get("RAY_AUTH_TOKEN_PATH"):
        _say(f"               it asks for the token in {os.environ['RAY_AUTH_TOKEN_PATH']}")
    _say(f"Data           {settings.data_dir}")


def _announce_door(settings: Settings, store: Store) -> None:
    """Say whether tokens are asked for; where there is none at all, make one and show it."""
    if asks_for_tokens(settings):
        secret = make_first_token(store)
        if secret is None:
            _say("Token          asked of every client; `argbest token create NAME` makes another")
        else:
            _say(f"Token          {secret}")
            _say("               for an admin, shown only now: clients send it as ARGBEST_TOKEN")
    elif not is_loopback(settings.host):
        _say(
            "Warning        ARGBEST_AUTH=off: whoever reaches this address can run and delete jobs"
        )
    _say("Press Ctrl-C to stop.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _arguments(arguments: Sequence[str]) -> dict[str, object]:
    parser = argparse.ArgumentParser(prog="argbest serve")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path)
    return {k: v for k, v in vars(parser.parse_args(arguments)).items() if v is not None}


def main(arguments: Sequence[str]) -> int:
    """Run the service; return the exit status: 1 where it could not start."""
    settings = Settings(**_arguments(arguments))  # type: ignore[arg-type]  # checked by pydantic
    logs.configure(settings.log_format)
    # A client's own: what this process starts, trials included, has no use for it.
    os.environ.pop("ARGBEST_TOKEN", None)
    _stop_on_signals()
    try:
        serve(settings)
    except StopRequested:
        return 0
    except ClusterError as error:
        _say(f"error: {error}")
        return 1
    except ResultsError as error:
        _say(f"error: the database (ARGBEST_DATABASE_URL) cannot be used: {error}")
        return 1
    except OSError as error:
        _say(f"error: {settings.host}:{settings.port}: {error.strerror}; choose another --port")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
