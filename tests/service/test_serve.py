"""How the service starts, refuses to start, and stops: as a process, without any job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from service import processes
from tests.service.running import free_port, until


def serve(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.serve", "--data-dir", str(folder), *arguments],
        stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


def refusal(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, message = process.communicate(timeout=60)
    return process.returncode, message


def test_a_second_service_over_one_data_folder_is_refused(tmp_path: Path) -> None:
    with FileLock(tmp_path / "serve.lock"):
        status, message = refusal(serve(tmp_path, "--port", str(free_port())))
    assert status == 1
    assert "another `argbest serve` works in" in message


@pytest.mark.parametrize(
    ("arguments", "environment", "word", "status"),
    [
        (["--port", "99999"], {}, "ARGBEST_PORT", 2),
        ([], {"ARGBEST_LEASE_SECONDS": "soon"}, "ARGBEST_LEASE_SECONDS", 2),
        ([], {"RAY_ADDRESS": "auto"}, "host:port", 2),
        ([], {"ARGBEST_DATABASE_URL": "oracle://x"}, "ARGBEST_DATABASE_URL", 1),
    ],
)
def test_a_bad_setting_is_named(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], word: str, status: int
) -> None:
    port = str(free_port())  # a later --port counts
    found, message = refusal(serve(tmp_path, "--port", port, *arguments, **environment))
    assert found == status
    assert word in message
    assert "Traceback" not in message


def test_a_folder_that_cannot_be_made_is_named_rather_than_the_port() -> None:
    status, message = refusal(serve(Path("/proc/nope"), "--port", str(free_port())))
    assert status == 1
    assert "/proc/nope" in message
    assert "--port" not in message


@pytest.mark.ray
def test_a_stop_while_ray_starts_leaves_nothing(tmp_path: Path) -> None:
    process = serve(tmp_path, "--port", str(free_port()))

    def ray() -> list[object]:
        return list(processes.with_variable(processes.HEAD_VARIABLE, str(tmp_path / "ray")))

    until(ray, within_s=30, what="Ray is being started")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert ray() == []
    assert not (tmp_path / "ray" / "head.json").exists()
