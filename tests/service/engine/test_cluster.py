"""The local Ray head's life with a stand-in for the `ray` program, and questions to a dashboard."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import resource
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.engine import cluster, processes
from service.engine.cluster import ClusterError, Head
from service.settings import Settings
from tests.service.running import free_port, until
from tests.service.stand_ins import child, listening

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


# --- addresses and the token -------------------------------------------------------------------


def test_an_address_is_reachable_where_something_listens() -> None:
    with listening() as address:
        assert cluster.is_reachable(address)
    assert not cluster.is_reachable(address)
    for nonsense in ("", "127.0.0.1", "127.0.0.1:ray", "127.0.0.1:99999", "no.such.host.invalid:1"):
        assert not cluster.is_reachable(nonsense)


def test_an_address_of_ipv6_is_reachable_in_brackets() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert cluster.is_reachable(f"[::1]:{listener.getsockname()[1]}")


def test_the_token_is_made_once_and_is_its_owners_alone(settings: Settings) -> None:
    variables = cluster.authentication(settings)
    token = Path(variables["RAY_AUTH_TOKEN_PATH"])
    secret = token.read_text(encoding="utf-8")
    assert variables["RAY_AUTH_MODE"] == "token"
    assert len(secret) == 64
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert cluster.authentication(settings) == variables
    assert token.read_text(encoding="utf-8") == secret


def test_a_disk_that_is_full_leaves_no_empty_token(settings: Settings) -> None:
    """Ray would start with no token at all, at every later start."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            cluster.authentication(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    token = Path(cluster.authentication(settings)["RAY_AUTH_TOKEN_PATH"])
    assert len(token.read_text(encoding="utf-8")) == 64


# --- the head ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("ray")
def test_a_head_is_started_found_again_and_ended_with_all_that_it_began(settings: Settings) -> None:
    head = cluster.start_head(settings)
    assert cluster.head_is_running(head)
    assert head.dashboard_url == f"http://127.0.0.1:{settings.dashboard_port}"
    assert cluster.start_head(settings) == head, "as a service that is started again does"
    assert len(head_processes(settings)) == 2
    log = (settings.logs_dir / "ray.log").read_text(encoding="utf-8")
    assert "start --head --block --disable-usage-stats" in log
    assert f"--dashboard-port={settings.dashboard_port}" in log
    cluster.stop_head(settings, head)
    assert not cluster.head_is_running(head)
    assert not state_file(settings).exists()
    until(lambda: not head_processes(settings), within_s=10, what="nothing is left of it")


@pytest.mark.usefixtures("ray")
def test_a_head_that_was_killed_is_replaced_and_its_processes_end(settings: Settings) -> None:
    lost = cluster.start_head(settings)
    (raylet,) = (p for p in head_processes(settings) if p.pid != lost.process.pid)
    left_behind = processes.identity(raylet.pid)
    psutil.Process(lost.process.pid).kill()
    until(lambda: not cluster.head_is_running(lost), within_s=10, what="the head is gone")
    head = cluster.start_head(settings)
    assert head.process != lost.process
    assert cluster.head_is_running(head)
    assert processes.find(left_behind) is None
    cluster.stop_head(settings, head)


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
        head = cluster.start_head(settings)
        assert other.poll() is None, "a recycled process id is nobody of ours"
    assert head.address != address
    cluster.stop_head(settings, head)


def test_a_ray_that_ends_at_once_is_an_error_that_names_its_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(FAILING_RAY, tmp_path, monkeypatch)
    with pytest.raises(ClusterError, match=r"ended with status 7; see .*ray\.log"):
        cluster.start_head(settings)
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
            cluster.start_head(settings)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert head_processes(settings) == []
    assert not state_file(settings).exists()


def test_ports_are_different_and_not_those_that_systems_hand_out() -> None:
    ports = list(itertools.islice(cluster._free_ports(), 100))
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
        assert not cluster._is_free(port)
    assert cluster._is_free(port)


@pytest.mark.usefixtures("ray")
def test_a_dashboard_whose_port_is_taken_gets_another(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.dashboard_port)):
        head = cluster.start_head(settings)
    cluster.stop_head(settings, head)
    assert head.dashboard_url != f"http://127.0.0.1:{settings.dashboard_port}"


# --- the dashboard -----------------------------------------------------------------------------

NODE = {
    "hostname": "one", "ip": "10.0.0.5", "cpu": 12.5, "mem": [8_000, 4_000, 50.0, 4_000],
    "raylet": {"state": "ALIVE", "isHeadNode": True, "resourcesTotal": {"CPU": 2.0}},
}  # fmt: skip


class Dashboard:
    """Answers as Ray's dashboard does, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url, self.status = url, 200
        self.answer: Any = {"data": {"summary": [NODE, {}]}}
        self.asked: list[tuple[str, Mapping[str, str]]] = []


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            dashboard.asked.append((self.path, dict(self.headers)))
            self.send_response(dashboard.status)
            self.end_headers()
            self.wfile.write(json.dumps(dashboard.answer).encode())

        def log_message(self, *_: object) -> None:
            """Keep standard error clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        dashboard = Dashboard(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield dashboard
        server.shutdown()
        thread.join()


def asking(dashboard: Dashboard) -> Settings:
    return Settings(dashboard_api_url=dashboard.url, dashboard_url="http://shown.invalid")


def test_nodes_are_told_as_the_dashboard_does(dashboard: Dashboard) -> None:
    one, bare = cluster.nodes(asking(dashboard))
    assert one == {
        "host": "one", "address": "10.0.0.5", "state": "alive", "is_head": True,
        "resources": {"CPU": 2.0}, "cpu_percent": 12.5, "memory_bytes": 8_000,
    }  # fmt: skip
    assert (bare["host"], bare["state"], bare["is_head"]) == (None, "unknown", False)
    path, headers = dashboard.asked[0]
    assert path == "/nodes?view=summary"
    assert "authorization" not in {name.lower() for name in headers}


def test_the_dashboard_is_asked_with_the_token_of_ray(
    dashboard: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    with pytest.raises(ClusterError, match=r"token .* cannot be read: No such file"):
        cluster.nodes(asking(dashboard))
    token.write_text("secret\n", encoding="utf-8")
    cluster.nodes(asking(dashboard))
    headers = {name.lower(): value for name, value in dashboard.asked[0][1].items()}
    assert headers["authorization"] == "Bearer secret"


def test_no_proxy_sees_the_token_of_ray(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert len(cluster.nodes(asking(dashboard))) == 2


@pytest.mark.parametrize(("status", "answer"), [(401, {}), (200, {"data": {}}), (200, [])])
def test_an_answer_that_is_none_is_an_error(
    dashboard: Dashboard, status: int, answer: object
) -> None:
    dashboard.status, dashboard.answer = status, answer
    with pytest.raises(ClusterError, match="does not answer"):
        cluster.nodes(asking(dashboard))


def test_a_dashboard_that_is_not_there_or_not_known_is_an_error() -> None:
    nobody = Settings(dashboard_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ClusterError, match="does not answer"):
        cluster.nodes(nobody)
    with pytest.raises(ClusterError, match="ARGBEST_DASHBOARD_URL"):
        cluster.nodes(Settings(dashboard_url=""))


def test_a_head_of_which_nothing_is_left_is_ended_all_the_same(settings: Settings) -> None:
    with child() as process:
        gone = processes.identity(process.pid)
    cluster.stop_head(settings, Head(gone, "127.0.0.1:1", ""))
    assert not state_file(settings).exists()
