"""The Ray cluster: a local head that the service starts, and questions about a running one.

Ray itself is not imported: the head is a program, and questions go to its dashboard over HTTP.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
from filelock import FileLock

from results.records import DriverProcess
from service.engine.processes import (
    HEAD_VARIABLE,
    end_tree,
    find,
    identity,
    kill_all,
    with_variable,
)
from service.settings import Settings

START_SECONDS = 60.0
#: Ray drains for up to 30 s; nothing that matters is in it once its drivers have ended.
STOP_SECONDS = 3.0
#: Where a head's ports are chosen. Above them systems hand out ports by themselves, and below are
#: those of Ray's workers: there, another process may get a free one before Ray comes to open it.
QUIET_PORTS = range(20_000, 32_000)


class ClusterError(Exception):
    """The local Ray could not be started; the message says why and where its log is."""


@dataclass(frozen=True, slots=True)
class Head:
    """A local Ray head: its process, its address and its dashboard's URL."""

    process: DriverProcess
    address: str
    dashboard_url: str


class _Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive its object, found again by id: no warning about that."""

    def __del__(self) -> None:
        """Do nothing, where the parent class warns that the process still runs."""


def is_reachable(address: str, *, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, ValueError):
        return False


def authentication(settings: Settings) -> dict[str, str]:
    """Return the variables that let a process of the local service talk to its Ray.

    Ray's ports listen on all interfaces and whoever reaches them runs code, so the local head
    asks for a token, which is made here and readable by its owner only.
    """
    path = settings.ray_dir / "token"
    if not path.exists():
        settings.ray_dir.mkdir(parents=True, exist_ok=True)
        # Under another name first: a full disk must not leave an empty token for good.
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
        fresh.replace(path)
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


def start_head(settings: Settings) -> Head:
    """Start a Ray head for this data folder, or find the one that still runs.

    It runs in a session of its own, so that it and the jobs on it outlive a killed service.
    Raises :class:`ClusterError` if it does not come up.
    """
    # One at a time: two services that start together would choose the same free ports.
    with FileLock(Path(tempfile.gettempdir()) / f"argbest-ray-{os.getuid()}.lock"):
        found = _running_head(settings)
        if found is not None:
            return found
        _kill_processes(settings)
        return _start_head(settings)


def _start_head(settings: Settings) -> Head:
    free = _free_ports()
    address_port, client_port = next(free), next(free)
    address = f"127.0.0.1:{address_port}"
    wanted = settings.dashboard_port
    dashboard_port = wanted if _is_free(wanted) else next(free)
    log = settings.logs_dir / "ray.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = _Detached(
            _command(settings, address_port, client_port, dashboard_port),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **_head_environment(settings)},
        )
    head = Head(identity(child.pid), address, f"http://127.0.0.1:{dashboard_port}")
    # Before it is up: whoever is killed while waiting leaves a head that the next start can find.
    _state_file(settings).write_text(json.dumps(asdict(head)), encoding="utf-8")
    try:
        _wait_until_up(child, address, log)
    except BaseException:  # also a request to stop, which comes as a BaseException
        stop_head(settings, head)
        raise
    return head


def stop_head(settings: Settings, head: Head) -> None:
    """End the local head and every process that it started, also where it is gone itself."""
    end_tree(head.process, patience_s=STOP_SECONDS)
    _kill_processes(settings)
    _state_file(settings).unlink(missing_ok=True)


def _kill_processes(settings: Settings) -> None:
    """Kill whatever Ray runs for this data folder; a head that was killed leaves some behind."""
    kill_all(with_variable(HEAD_VARIABLE, str(settings.ray_dir)))


def head_is_running(head: Head) -> bool:
    """Whether the head's process is there and answers."""
    return find(head.process) is not None and is_reachable(head.address)


def _command(settings: Settings, port: int, client_port: int, dashboard_port: int) -> list[str]:
    options = {
        "port": port,
        "ray-client-server-port": client_port,
        "dashboard-host": "127.0.0.1",
        "dashboard-port": dashboard_port,
        "dashboard-agent-listen-port": 0,
        "num-cpus": settings.num_cpus or os.cpu_count() or 1,
        "include-dashboard": "true",
    }
    program = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"]
    return [*program, "--disable-usage-stats", *(f"--{k}={v}" for k, v in options.items())]


def _head_environment(settings: Settings) -> dict[str, str]:
    return {
        **authentication(settings),
        HEAD_VARIABLE: str(settings.ray_dir),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Also what trials print: Ray writes it to files of its own before the driver sees it.
        "RAY_ROTATION_MAX_BYTES": str(settings.max_log_bytes),
        "RAY_ROTATION_BACKUP_COUNT": "1",
        # A trial that waits for a slot asks again after 0.1 s, by default ever later, up to 1 s:
        # each new job would go before those that have waited long.
        "RAY_gcs_create_placement_group_retry_max_interval_ms": "100",
    }


def _wait_until_up(child: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise ClusterError(f"Ray ended with status {child.returncode}; see {log}")
        if is_reachable(address) and _has_raylet(child.pid):
            return
        time.sleep(0.1)
    raise ClusterError(f"Ray did not come up within {START_SECONDS:g} s; see {log}")


def _has_raylet(pid: int) -> bool:
    try:
        return any(p.name() == "raylet" for p in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:  # Ray begins short-lived ones too: the next look tells
        return False


def _free_ports() -> Iterator[int]:
    """Yield different ports that nobody listens at."""
    yield from filter(_is_free, secrets.SystemRandom().sample(QUIET_PORTS, len(QUIET_PORTS)))
    raise ClusterError("no free port could be had")


def _is_free(port: int) -> bool:
    """Whether nobody listens at the port on any of this machine's addresses: Ray uses several."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError:
            return False
    return True


def _state_file(settings: Settings) -> Path:
    return settings.ray_dir / "head.json"


def _running_head(settings: Settings) -> Head | None:
    try:
        saved = json.loads(_state_file(settings).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    head = Head(DriverProcess(**saved["process"]), saved["address"], saved["dashboard_url"])
    if head_is_running(head):
        return head
    stop_head(settings, head)
    return None


def nodes(settings: Settings) -> list[dict[str, Any]]:
    """Return the cluster's nodes as the dashboard tells them; raise :class:`ClusterError`."""
    headers = _authorization()
    base_url = settings.dashboard_api_url or settings.dashboard_url
    if not base_url:
        raise ClusterError("the Ray dashboard is not known: set ARGBEST_DASHBOARD_URL")
    try:
        url = f"{base_url}/nodes"
        # No proxy of the environment is to see Ray's token.
        answer = httpx2.get(
            url, params={"view": "summary"}, headers=headers, timeout=3.0, trust_env=False
        )
        answer.raise_for_status()
        summary = answer.json()["data"]["summary"]
    except (httpx2.HTTPError, KeyError, TypeError, ValueError) as error:
        raise ClusterError(f"the Ray dashboard does not answer: {error}") from error
    return [_node(node) for node in summary]


def _authorization() -> dict[str, str]:
    token_file = os.environ.get("RAY_AUTH_TOKEN_PATH")
    if not token_file:
        return {}
    try:
        token = Path(token_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ClusterError(f"Ray's token {token_file} cannot be read: {error.strerror}") from error
    return {"Authorization": f"Bearer {token}"}


def _node(node: dict[str, Any]) -> dict[str, Any]:
    raylet = node.get("raylet", {})
    return {
        "host": node.get("hostname"),
        "address": node.get("ip"),
        "state": str(raylet.get("state", "unknown")).lower(),
        "is_head": bool(raylet.get("isHeadNode", False)),
        "resources": raylet.get("resourcesTotal", {}),
        "cpu_percent": node.get("cpu"),
        "memory_bytes": node.get("mem", [None])[0],
    }
