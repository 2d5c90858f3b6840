"""The Ray head that the service starts on its own machine, as a program: Ray is not imported."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock

from results.records import DriverProcess
from service.engine.cluster import ClusterError, is_reachable
from service.engine.processes import (
    HEAD_VARIABLE,
    end_trees,
    find,
    identity,
    kill_all,
    with_variable,
)
from service.settings import Settings
from trainables.files import replace

START_SECONDS = 60.0
#: Ray drains for up to 30 s; nothing in it matters any more once the drivers have ended.
STOP_SECONDS = 3.0
#: Variables of the database's password and of a client's token.
_FOR_THE_SERVICE_ALONE = frozenset(
    {"ARGBEST_DATABASE_URL", "ARGBEST_TOKEN", "PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE"}
)
#: A head's ports are chosen here. Above them the system hands out ports, below them Ray's workers
#: take theirs: another process could take a free one before Ray opens it.
QUIET_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Head:
    """A local Ray head: its process, its address and its dashboard's URL."""

    process: DriverProcess
    address: str
    dashboard_url: str


class _Detached(subprocess.Popen[bytes]):
    """A process that outlives its object and is found again by its id."""

    def __del__(self) -> None:
        """Do nothing; the parent class would warn that the process still runs."""


def authentication(settings: Settings) -> dict[str, str]:
    """Return the variables that let a process of the local service talk to its Ray.

    Ray's ports listen on all interfaces, and any client of them can run code. So the local head
    asks for a token, which is made here and which only its owner can read.
    """
    path = settings.ray_dir / "token"
    if not path.exists():
        settings.ray_dir.mkdir(parents=True, exist_ok=True)
        replace(path, _write_token)
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


def _write_token(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32))


def start_head(settings: Settings, is_needed: Callable[[], bool] = lambda: True) -> Head:
    """Start a Ray head for this data folder, or find the one that still runs.

    It runs in a session of its own, so that it and the jobs on it outlive a killed service.
    Raises :class:`ClusterError` if it does not come up, or is not needed any more before it has.
    """
    # One at a time: two services that start together could choose the same free ports.
    with FileLock(Path(tempfile.gettempdir()) / f"argbest-ray-{os.getuid()}.lock"):
        found = _running_head(settings)
        if found is not None:
            return found
        _kill_processes(settings)
        return _start_head(settings, is_needed)


def _start_head(settings: Settings, is_needed: Callable[[], bool]) -> Head:
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
            env=head_variables(settings),
        )
    head = Head(identity(child.pid), address, f"http://127.0.0.1:{dashboard_port}")
    # Before it is up, so that the next start finds the head if this process is killed meanwhile.
    state = json.dumps(asdict(head))
    replace(_state_file(settings), lambda path: path.write_text(state, encoding="utf-8"))
    try:
        _wait_until_up(child, address, log, is_needed)
    except BaseException:  # a request to stop is one
        stop_head(settings, head)
        raise
    return head


def stop_head(settings: Settings, head: Head) -> None:
    """End the local head, if it still runs, and every process that it started."""
    end_trees([head.process], patience_s=STOP_SECONDS)
    _kill_processes(settings)
    _state_file(settings).unlink(missing_ok=True)


def _kill_processes(settings: Settings) -> None:
    """Kill every process of Ray's for this data folder; a killed head leaves some behind."""
    kill_all(with_variable(HEAD_VARIABLE, str(settings.ray_dir)))


def head_is_running(head: Head) -> bool:
    """Whether the head answers and its node is alive.

    The node is its raylet. After that has ended by SIGTERM, the head's other processes run on, but
    no trial can start and no driver can connect.
    """
    process = find(head.process)
    return process is not None and is_reachable(head.address) and _has_raylet(process)


def _command(settings: Settings, port: int, client_port: int, dashboard_port: int) -> list[str]:
    options = {
        "port": port,
        "ray-client-server-port": client_port,
        "dashboard-host": "127.0.0.1",
        "dashboard-port": dashboard_port,
        "dashboard-agent-listen-port": 0,
        "num-cpus": _cpus(settings),
        "include-dashboard": "true",
    }
    program = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"]
    return [*program, "--disable-usage-stats", *(f"--{k}={v}" for k, v in options.items())]


def _cpus(settings: Settings) -> int:
    return settings.num_cpus or os.cpu_count() or 1


def head_variables(settings: Settings) -> dict[str, str]:
    """Return the environment of a head, which all its trial processes inherit.

    What only the service needs is not in it: a client's program may read theirs.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in _FOR_THE_SERVICE_ALONE}
    return {**inherited, **_head_environment(settings)}


def _head_environment(settings: Settings) -> dict[str, str]:
    return {
        **authentication(settings),
        HEAD_VARIABLE: str(settings.ray_dir),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Limits the trials' output too, which Ray writes to its own files before the driver.
        "RAY_ROTATION_MAX_BYTES": str(settings.max_log_bytes),
        "RAY_ROTATION_BACKUP_COUNT": "1",
        # A trial that waits for a slot asks again after 0.1 s. By default it asks less and less
        # often, up to every second, so new jobs would go before those that have waited long.
        "RAY_gcs_create_placement_group_retry_max_interval_ms": "100",
        # By default Ray starts a process for each CPU as a driver connects, which no trial can
        # take: Tune gives trials' processes an environment of their own.
        "RAY_prestart_worker_first_driver": "false",
        # By default Ray ends idle processes where there are more processes than CPUs.
        "RAY_num_workers_soft_limit": "1000",
        # By default as many processes start at once as there are CPUs: those that are started ahead
        # would keep a job's trials waiting.
        "RAY_worker_maximum_startup_concurrency": str(_cpus(settings) + settings.warm_processes),
    }


def _wait_until_up(
    child: subprocess.Popen[bytes], address: str, log: Path, is_needed: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not is_needed():
            raise ClusterError("Ray is not needed any more: the service stops")
        if child.poll() is not None:
            raise ClusterError(f"Ray ended with status {child.returncode}; see {log}")
        if is_reachable(address) and _has_raylet(psutil.Process(child.pid)):
            return
        time.sleep(0.1)
    raise ClusterError(f"Ray did not come up within {START_SECONDS:g} s; see {log}")


def _has_raylet(head: psutil.Process) -> bool:
    """Whether the head's raylet runs; False too if another of its processes ends meanwhile."""
    try:
        raylets = [p for p in head.children(recursive=True) if p.name() == "raylet"]
        return any(raylet.status() != psutil.STATUS_ZOMBIE for raylet in raylets)
    except psutil.NoSuchProcess:
        return False


def _free_ports() -> Iterator[int]:
    """Yield different ports that nobody listens at."""
    yield from filter(_is_free, secrets.SystemRandom().sample(QUIET_PORTS, len(QUIET_PORTS)))
    raise ClusterError("no port is free")


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
