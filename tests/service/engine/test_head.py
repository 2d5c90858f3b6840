"""The local Ray head's life, with a stand-in for the `ray` program."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from service.engine import processes
from service.engine.cluster import ClusterError, is_reachable
from service.engine.head import (
    Head,
    _free_ports,
    _is_free,
    authentication,
    head_is_running,
    start_head,
    stop_head,
)
from service.settings import Settings
from tests.service.running import until
from tests.service.stand_ins import child, listening
from tools.ports import free_port

#: A head: it listens at --port and has a process called raylet; its arguments go to its log.
RAY = """#!{python}
import os, signal, socket, subprocess, sys, time
print("started with", *sys.argv[1:], flush=True)
options = dict(word[2:].split("=") for word in sys.argv if "=" in word)
raylet = subprocess.Popen(["raylet", "60"], executable="{raylet}", start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: (raylet.kill(), raylet.wait(), os._exit(0)))
with socket.create_server(("127.0.0.1", int(options["port"])), backlog=256):
    time.sleep(60)
"""
FAILING_RAY = "#!/bin/sh\necho 'no memory'\nexit 7\n"
SLOW_RAY = "#!/bin/sh\nexec sleep 60\n"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a folder whose head ends with the test, as do processes that it left."""
    settings = Settings(data_dir=tmp_path / "data", dashboard_port=free_port())
    yield settings
    processes.kill_all(head_processes(settings))


def install(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``program`` the `ray` beside the interpreter."""
    folder = folder / "bin"
    folder.mkdir()
    (folder / "raylet").symlink_to("/bin/sleep")
    path = folder / "ray"
    path.write_text(
        program.replace("{python}", f"{sys.executable} -IS").replace(
            "{raylet}", str(folder / "raylet")
        ),
        encoding="utf-8",
    )
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))


@pytest.fixture
def ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(RAY, tmp_path, monkeypatch)


def head_processes(settings: Settings) -> list[psutil.Process]:
    return processes.with_variable(processes.HEAD_VARIABLE, str(settings.ray_dir))


def state_file(settings: Settings) -> Path:
    return settings.ray_dir / "head.json"


# --- the token ---------------------------------------------------------------------------------


def test_the_token_is_made_once_and_is_its_owners_alone(settings: Settings) -> None:
    variables = authentication(settings)
    token = Path(variables["RAY_AUTH_TOKEN_PATH"])
    secret = token.read_text(encoding="utf-8")
    assert variables["RAY_AUTH_MODE"] == "token"
    assert len(secret) == 64
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert authentication(settings) == variables
    assert token.read_text(encoding="utf-8") == secret


def test_a_disk_that_is_full_leaves_no_empty_token(settings: Settings) -> None:
    """Ray would start with no token at all, at every later start."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            authentication(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    token = Path(authentication(settings)["RAY_AUTH_TOKEN_PATH"])
    assert len(token.read_text(encoding="utf-8")) == 64


# --- the head ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("ray")
def test_a_head_is_started_found_again_and_ended_with_all_that_it_began(settings: Settings) -> None:
    head = start_head(settings)
    assert head_is_running(head)
    assert head.dashboard_url == f"http://127.0.0.1:{settings.dashboard_port}"
    assert start_head(settings) == head, "as a service that is started again does"
    assert len(head_processes(settings)) == 2
    log = (settings.logs_dir / "ray.log").read_text(encoding="utf-8")
    assert "start --head --block --disable-usage-stats" in log
    assert f"--dashboard-port={settings.dashboard_port}" in log
    stop_head(settings, head)
    assert not head_is_running(head)
    assert not state_file(settings).exists()
    until(lambda: not head_processes(settings), within_s=10, what="nothing is left of it")


@pytest.mark.usefixtures("ray")
def test_a_head_that_was_killed_is_replaced_and_its_processes_end(settings: Settings) -> None:
    lost = start_head(settings)
    (raylet,) = (p for p in head_processes(settings) if p.pid != lost.process.pid)
    left_behind = processes.identity(raylet.pid)
    psutil.Process(lost.process.pid).kill()
    until(lambda: not head_is_running(lost), within_s=10, what="the head is gone")
    head = start_head(settings)
    assert head.process != lost.process
    assert head_is_running(head)
    assert processes.find(left_behind) is None
    stop_head(settings, head)


@pytest.mark.usefixtures("ray")
def test_a_head_whose_node_has_ended_counts_as_gone(settings: Settings) -> None:
    """Its raylet ends by SIGTERM, say; the head itself answers on."""
    head = start_head(settings)
    (raylet,) = (p for p in head_processes(settings) if p.pid != head.process.pid)
    raylet.terminate()
    until(lambda: not head_is_running(head), within_s=10, what="the head counts as gone")
    assert is_reachable(head.address)
    stop_head(settings, head)


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("saved", ["", "{", "another process"])
def test_a_state_file_that_names_no_head_of_ours_is_of_no_consequence(
    settings: Settings, saved: str
) -> None:
    settings.ray_dir.mkdir(parents=True)
    with child() as other, listening() as address:
        identity = asdict(processes.identity(other.pid)) | {"started": 1.0}
        stale = {"process": identity, "address": address, "dashboard_url": ""}
        text = json.dumps(stale) if saved == "another process" else saved
        state_file(settings).write_text(text, encoding="utf-8")
        head = start_head(settings)
        assert other.poll() is None, "a recycled process id is nobody of ours"
    assert head.address != address
    stop_head(settings, head)


def test_a_ray_that_ends_at_once_is_an_error_that_names_its_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(FAILING_RAY, tmp_path, monkeypatch)
    with pytest.raises(ClusterError, match=r"ended with status 7; see .*ray\.log"):
        start_head(settings)
    assert (settings.logs_dir / "ray.log").read_text(encoding="utf-8") == "no memory\n"
    assert not state_file(settings).exists()


class Interruption(BaseException):
    """As a request to stop the service is."""


def test_a_ray_that_was_to_come_up_is_ended_when_the_service_is_to_stop(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise Interruption

    install(SLOW_RAY, tmp_path, monkeypatch)
    before = signal.signal(signal.SIGUSR1, interrupt)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Interruption):
            start_head(settings)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert head_processes(settings) == []
    assert not state_file(settings).exists()


def test_a_ray_that_is_not_needed_any_more_is_not_waited_for(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(SLOW_RAY, tmp_path, monkeypatch)
    answers = iter([True, False])
    with pytest.raises(ClusterError, match="the service stops"):
        start_head(settings, lambda: next(answers))
    assert head_processes(settings) == []
    assert not state_file(settings).exists()


def test_ports_are_different_and_not_those_that_systems_hand_out() -> None:
    ports = list(itertools.islice(_free_ports(), 100))
    assert len(set(ports)) == 100
    assert 20_000 <= min(ports) < max(ports) < 32_000


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
def test_a_port_is_free_if_nobody_listens_on_any_address(address: str) -> None:
    try:
        listener = socket.create_server((address, 0))
    except OSError:
        pytest.skip(f"no address {address} on this machine")
    with listener:
        port = listener.getsockname()[1]
        assert not _is_free(port)
    assert _is_free(port)


@pytest.mark.usefixtures("ray")
def test_a_dashboard_whose_port_is_taken_gets_another(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.dashboard_port)):
        head = start_head(settings)
    stop_head(settings, head)
    assert head.dashboard_url != f"http://127.0.0.1:{settings.dashboard_port}"


def test_a_head_of_which_nothing_is_left_is_ended_all_the_same(settings: Settings) -> None:
    with child() as process:
        gone = processes.identity(process.pid)
    stop_head(settings, Head(gone, "127.0.0.1:1", ""))
    assert not state_file(settings).exists()
