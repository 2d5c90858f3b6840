"""The whole service in one command: a local Ray, a controller and the API.

``argbest serve`` runs ``python -m service.serve``. Ctrl-C or SIGTERM ends everything that it
started; running jobs go back to the queue and go on at the next start. After a kill -9 the Ray head
and the drivers run on, and the next start finds them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from results.errors import ResultsError
from results.store import Store, open_store
from service import logs
from service.addresses import address, is_loopback
from service.api import create_app
from service.engine.cluster import ClusterError
from service.engine.head import Head, authentication, start_head, stop_head
from service.engine.supervisor import Supervisor, with_head
from service.http.access import asks_for_tokens
from service.local_token import token_file
from service.settings import Settings, settings_or_exit
from service.tokens import local_token, make_first_token

logger = logging.getLogger("service.serve")

#: Open event streams are cut off this long after a request to stop.
SHUTDOWN_SECONDS = 3


@contextmanager
def local_ray(settings: Settings) -> Iterator[tuple[Settings, Head | None]]:
    """Yield settings with the address of a running Ray: the given one, or a head of our own."""
    if settings.ray_address:
        yield settings, None
        return
    os.environ.update(authentication(settings))
    head = start_head(settings)
    try:
        yield with_head(settings, head), head
    finally:
        stop_head(settings, head)  # or the head that has replaced it


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop."""
    address = settings.ray_address
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(settings))
        stack.enter_context(_only_one(settings))
        store = open_store(settings.store_url)
        stack.callback(store.close)
        store.migrate()
        is_needed = asks_for_tokens(settings) and _answers_on_loopback(settings)
        stack.enter_context(local_token(store, settings, is_needed=is_needed))
        _say(f"using the Ray at {address} ..." if address else "starting Ray ...")
        running, head = stack.enter_context(local_ray(settings))
        app = create_app(running, store)

        def use(changed: Settings) -> None:
            app.state.settings = changed

        supervisor = Supervisor(running, head, on_new_head=use)
        stack.callback(supervisor.end)
        supervisor.start()
        _announce(running)
        _announce_access(running, store)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,  # its lines go through our log, as JSON where that is asked for
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        server.run(sockets=[listener])


class StopRequested(BaseException):
    """SIGTERM or Ctrl-C asked this process to end everything that it started."""


def _stop_on_signals() -> None:
    """Raise :class:`StopRequested` at the first signal and ignore later ones.

    Uvicorn catches signals while it runs and raises them again once it has stopped. The default
    handler would then end the process before its Ray and its controller.
    """

    def stop(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _say("stopping: running jobs go back to the queue ...")
        raise StopRequested

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """Open the port before anything else is started; raise :class:`StartError` if it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = (settings.host, settings.port)
    try:
        listener = socket.create_server(address, family=family, backlog=128)
    except OSError as error:
        raise StartError(f"{_url(settings)}: {error.strerror}; choose another --port") from error
    with listener:
        yield listener


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Lock the data folder: a second service would end the first one's Ray and jobs as it stops.

    The system frees the lock when the process ends, also by kill -9.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.data_dir / "serve.lock", timeout=0):
            yield
    except Timeout as error:
        raise StartError(
            f"another `argbest serve` works in {settings.data_dir}; stop it or choose --data-dir"
        ) from error
    except PermissionError as error:
        raise StartError(
            f"{error.filename}: {error.strerror}; choose another --data-dir"
        ) from error


def _answers_on_loopback(settings: Settings) -> bool:
    """Whether the command line on this machine reaches the API at a loopback address."""
    found = address(settings.host)
    return is_loopback(settings.host) or (found is not None and found.is_unspecified)


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _announce(settings: Settings) -> None:
    url = _url(settings)
    _say(f"API            {url}/api/v1   (documentation: {url}/docs)")
    _say(f"Page           {url}/")
    _say(f"Ray dashboard  {settings.dashboard_url or 'that of ' + settings.ray_address}")
    if os.environ.get("RAY_AUTH_TOKEN_PATH"):
        _say(f"               it asks for the token in {os.environ['RAY_AUTH_TOKEN_PATH']}")
    _say(f"Data           {settings.data_dir}")


def _announce_access(settings: Settings, store: Store) -> None:
    """Say whether clients need tokens, and which ones there are.

    A service that others reach shows the first token that is made; it makes one if there is none.
    """
    if asks_for_tokens(settings):
        secret = None if is_loopback(settings.host) else make_first_token(store)
        if secret is None:
            _say("Token          needed by every client; `argbest token create NAME` makes one")
        else:
            _say(f"Token          {secret}")
            _say("               for an admin, shown only now: clients send it as ARGBEST_TOKEN")
        if _answers_on_loopback(settings):
            _say("               this user's command line on this machine finds its own, in")
            _say(f"               {token_file(settings.data_dir)}")
    elif not is_loopback(settings.host):
        _say("Warning        ARGBEST_AUTH=off: any client of this address can run and delete jobs")
    if settings.allow_commands:
        _say("Programs       of clients with the scope code are run, as this user: SECURITY.md")
    _say("Press Ctrl-C to stop.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _arguments(arguments: Sequence[str]) -> dict[str, object]:
    parser = argparse.ArgumentParser(prog="argbest serve")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--allow-commands", action="store_true", default=None)
    return {k: v for k, v in vars(parser.parse_args(arguments)).items() if v is not None}


def main(arguments: Sequence[str]) -> int:
    """Run the service; return the exit status, 1 if it could not start.

    Raises ``SystemExit(2)`` if a setting is wrong.
    """
    settings = settings_or_exit(**_arguments(arguments))
    logs.configure(settings.log_format)
    # It is a client's; no process that this one starts, trials included, needs it.
    os.environ.pop("ARGBEST_TOKEN", None)
    _stop_on_signals()
    try:
        serve(settings)
    except StopRequested:
        return 0
    except (ClusterError, StartError) as error:
        _say(f"error: {error}")
        return 1
    except ResultsError as error:
        _say(f"error: the database (ARGBEST_DATABASE_URL) cannot be used: {error}")
        return 1
    except OSError as error:
        _say(f"error: {error.filename or settings.data_dir}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
