from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from service.cli.own_service import OwnService, own_environment

ROOT = Path(__file__).parents[3]
#: Answers as a service does; its token is written first, and its process id.
FAKE = """
import json, os, pathlib, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
folder = pathlib.Path(options["--data-dir"])
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers["Authorization"] == "Bearer secret"
        names = ("argbest", "ray", "torch", "numpy", "optuna", "python")
        content = json.dumps(dict.fromkeys(names, "1")).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
server = HTTPServer(("127.0.0.1", int(options["--port"])), Handler)
(folder / "pid").write_text(str(os.getpid()))
token = {"name": "local-1", "port": int(options["--port"]), "secret": "secret"}
(folder / "local-token.json").write_text(json.dumps(token))
server.serve_forever()
"""
#: The real entry with a service that only waits: what is left to test is when it ends.
WAITING = """
import os, pathlib, sys, time, types
fake = types.ModuleType("service.serve")
def main(arguments):
    pathlib.Path(arguments[1], "pid").write_text(str(os.getpid()))
    time.sleep(600)
fake.main = main
import service
service.serve = sys.modules["service.serve"] = fake
from service.cli import own_service
sys.exit(own_service.main(sys.argv[1:]))
"""


def until(holds: Callable[[], bool]) -> bool:
    over = time.monotonic() + 60
    while not holds() and time.monotonic() < over:
        time.sleep(0.02)
    return holds()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_service_answers_until_its_block_ends(tmp_path: Path) -> None:
    with OwnService(tmp_path, command=(sys.executable, "-c", FAKE)) as service:
        assert service.client.version().argbest == "1"
        pid = int((tmp_path / "pid").read_text())
    assert is_gone(pid)


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    broken = OwnService(tmp_path, command=(sys.executable, "-c", "raise SystemExit('no Ray')"))
    with pytest.raises(click.ClickException, match=r"no Ray(.|\n)*service.log"), broken:
        raise AssertionError("it has not started")


def test_a_service_that_hangs_is_given_up(tmp_path: Path) -> None:
    now = iter([0.0, 1.0, 1e9])
    hangs = OwnService(
        tmp_path,
        command=(sys.executable, "-c", "import time; time.sleep(600)"),
        now=lambda: next(now),
    )
    with pytest.raises(click.ClickException, match="did not start within"), hangs:
        raise AssertionError("it has not started")


def test_a_service_ends_when_its_command_is_killed(tmp_path: Path) -> None:
    starter = (
        f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {WAITING!r}, "
        f"'--data-dir', {str(tmp_path)!r}], start_new_session=True)\ntime.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", starter], env=environment)
    file = tmp_path / "pid"
    assert until(lambda: file.exists() and file.read_text() != "")
    pid = int(file.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert until(lambda: is_gone(pid))


def test_another_services_settings_are_not_passed_on() -> None:
    given = {"ARGBEST_TOKEN": "x", "ARGBEST_DATABASE_URL": "x", "RAY_ADDRESS": "x",
             "ARGBEST_CACHE_DIR": "c", "PATH": "p"}  # fmt: skip
    assert own_environment(given) == {"ARGBEST_CACHE_DIR": "c", "PATH": "p"}
