"""How the service starts, refuses to start, and stops, without any job."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from results.records import TokenScope
from results.store import Store
from service import serve as serving
from service.engine import processes
from service.engine.cluster import is_reachable
from service.local_token import read_local_token, token_file
from service.serve import StartError, StopRequested
from service.settings import Settings
from tests.service.running import until
from tools.ports import free_port


def serve(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "service.serve", "--data-dir", str(folder), *arguments],
        stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture
def signal_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


Refusal = Callable[..., tuple[object, str]]


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str], signal_handlers: None) -> Refusal:
    """Run the program here with arguments that it refuses; return its status and what it says."""

    def run(folder: Path, *arguments: str) -> tuple[object, str]:
        try:
            # A later --port counts.
            ports = ("--port", str(free_port()))
            status: object = serving.main(["--data-dir", str(folder), *ports, *arguments])
        except SystemExit as ended:
            status = ended.code
        return status, capsys.readouterr().err

    return run


def test_a_second_service_over_one_data_folder_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    with FileLock(tmp_path / "serve.lock"):
        status, message = refusal(tmp_path)
    assert status == 1
    assert "another `argbest serve` works in" in message


@pytest.mark.parametrize(
    ("arguments", "environment", "word", "status"),
    [
        (["--port", "99999"], {}, "ARGBEST_PORT", 2),
        ([], {"ARGBEST_LEASE_SECONDS": "soon"}, "ARGBEST_LEASE_SECONDS", 2),
        (["--allow-commands"], {"ARGBEST_AUTH": "off"}, "ARGBEST_ALLOW_COMMANDS", 2),
        ([], {"RAY_ADDRESS": "auto"}, "host:port", 2),
        ([], {"ARGBEST_DATABASE_URL": "oracle://x"}, "ARGBEST_DATABASE_URL", 1),
    ],
)
def test_a_bad_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal,
    arguments: list[str], environment: dict[str, str], word: str, status: int,
) -> None:  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found, message = refusal(tmp_path, *arguments)
    assert found == status
    assert word in message


def test_a_folder_that_cannot_be_made_is_named_rather_than_the_port(refusal: Refusal) -> None:
    status, message = refusal(Path("/proc/nope"))
    assert status == 1
    assert "/proc/nope" in message
    assert "--port" not in message


def test_a_taken_port_is_named_before_anything_is_started(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        changed = settings.model_copy(update={"port": port})
        with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port}: .*choose another --port"):
            serving.serve(changed)
    assert not changed.ray_dir.exists()


def test_the_port_and_the_folder_are_free_again_after_a_refusal(settings: Settings) -> None:
    changed = settings.model_copy(update={"port": free_port()})
    with serving._only_one(changed), pytest.raises(StartError, match="another `argbest serve`"):
        serving.serve(changed)
    with serving._only_one(changed), serving._listen(changed) as listener:
        assert listener.getsockname() == ("127.0.0.1", changed.port)


def test_a_ray_that_is_named_is_used_and_none_is_started(settings: Settings) -> None:
    with serving.local_ray(settings) as (running, head):
        assert running == settings
        assert head is None
    assert not settings.ray_dir.exists(), "it has a token of its own"


def test_an_address_of_ipv6_stands_in_brackets(settings: Settings) -> None:
    assert serving._url(settings.model_copy(update={"host": "::1"})) == "http://[::1]:8000"


def test_the_first_token_is_shown_once_where_tokens_are_asked_for(
    settings: Settings, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = settings.model_copy(update={"host": "0.0.0.0", "auth": "auto"})
    serving._announce_access(asking, store)
    shown = capsys.readouterr().err
    (token,) = (line.split()[1] for line in shown.splitlines() if line.startswith("Token"))
    found = store.token(token)
    assert found is not None
    assert found.scope is TokenScope.ADMIN
    serving._announce_access(asking, store)
    again = capsys.readouterr().err
    assert "argb_" not in again
    assert "argbest token create" in again
    assert len(store.tokens()) == 1


@pytest.mark.parametrize(
    ("host", "auth", "warned"),
    [("127.0.0.1", "auto", False), ("127.0.0.1", "off", False), ("0.0.0.0", "off", True)],
)
def test_access_without_tokens_is_warned_of_beyond_this_machine(
    settings: Settings, store: Store, capsys: pytest.CaptureFixture[str],
    host: str, auth: str, warned: bool,
) -> None:  # fmt: skip
    serving._announce_access(settings.model_copy(update={"host": host, "auth": auth}), store)
    assert ("ARGBEST_AUTH=off" in capsys.readouterr().err) is warned
    assert store.tokens() == ()


@pytest.mark.parametrize(
    ("host", "changes", "is_told"),
    [
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"allow_commands": True}, True),
        ("127.0.0.1", {"auth": "on"}, True),
        ("0.0.0.0", {}, True),
        ("::", {}, True),
        ("192.168.1.5", {"allow_commands": True}, False),
    ],
)
def test_where_the_command_line_finds_its_token_is_told(
    settings: Settings, store: Store, capsys: pytest.CaptureFixture[str],
    host: str, changes: dict[str, object], is_told: bool,
) -> None:  # fmt: skip
    serving._announce_access(settings.model_copy(update={"host": host, **changes}), store)
    shown = capsys.readouterr().err
    assert (f"{settings.data_dir}/local-token.json" in shown) is is_told
    assert ("Programs" in shown) is ("allow_commands" in changes)
    assert ("argb_" in shown) is (host != "127.0.0.1")


@pytest.mark.usefixtures("signal_handlers")
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_and_later_ones_do_not_disturb_that(first: signal.Signals) -> None:
    serving._stop_on_signals()
    with pytest.raises(StopRequested):
        signal.raise_signal(first)
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.raise_signal(again)


def test_what_uvicorn_says_is_json_where_that_is_asked_for(tmp_path: Path) -> None:
    """It asks for tokens: the local command line's is there while it runs."""
    port = free_port()
    ray = f"127.0.0.1:{free_port()}"  # none is started, and none is there
    process = serve(
        tmp_path, "--port", str(port), "--allow-commands", RAY_ADDRESS=ray,
        ARGBEST_LOG_FORMAT="json",
    )  # fmt: skip
    until(lambda: is_reachable(f"127.0.0.1:{port}"), within_s=60, what="the API answers")
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"no HTTP\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    token = read_local_token(tmp_path)
    assert token is not None
    assert token.port == port
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert f"using the Ray at {ray} ..." in said
    (line,) = (line for line in said.splitlines() if "Invalid HTTP request" in line)
    assert json.loads(line)["logger"] == "uvicorn.error"
    assert not token_file(tmp_path).exists()
    assert token.secret not in said
    assert process.returncode == 0


@pytest.mark.ray
def test_a_stop_while_ray_starts_leaves_nothing(tmp_path: Path) -> None:
    process = serve(tmp_path, "--port", str(free_port()))

    def ray() -> list[object]:
        return list(processes.with_variable(processes.HEAD_VARIABLE, str(tmp_path / "ray")))

    try:
        until(ray, within_s=120, what="Ray is being started")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert ray() == []
    assert not (tmp_path / "ray" / "head.json").exists()
