"""Checks of this machine and of the server."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.cli.doctor import disk_check, python_check
from tests.service.cli.commands import run
from tests.service.fake_api import BROKEN_SPACE, BROKEN_TRAINABLE, NODE, FakeApi, serving


def checks_of(result: Result) -> dict[str, dict[str, str]]:
    return {item["name"]: item for item in json.loads(result.stdout)["items"]}


def test_doctor_of_a_sound_service(api: FakeApi, tmp_path: Path) -> None:
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 0
    assert [checks[name]["state"] for name in ("server", "server's database", "server's ray")] == [
        "ok"
    ] * 3
    assert {"python", "c++ compiler", "disk", "data set ames"} <= set(checks)
    assert checks["token"]["detail"] == "none is asked for"
    assert checks["server's workers"]["detail"] == "1 of 2 nodes, slots: 2 CPU"
    # The fake API has another version than this program.
    assert checks["server's version"]["state"] == "warning"
    assert "9.9.9" in checks["server's version"]["detail"]


@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        ((200, [{"state": "dead", "resources": {"CPU": 8}}]), "broken", "0 nodes"),
        ((200, [{"state": "alive", "resources": {"CPU": 8, "GPU": 1}}]), "ok", "1 GPU"),
        ((200, []), "warning", "Ray is still starting"),
        ((200, [{"state": "alive", "resources": {}}]), "broken", "none among 1 nodes"),
        ((503, []), "warning", "no dashboard"),
    ],
)
def test_doctor_looks_for_slots(
    api: FakeApi, tmp_path: Path, answer: tuple[int, Any], state: str, word: str
) -> None:
    status, changes = answer
    nodes = [NODE | change for change in changes]
    cluster = {"address": "", "dashboard_url": "", "nodes": nodes}
    content = {"detail": "no dashboard"} if status == 503 else cluster
    api.cluster = (status, content)
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    check = checks_of(result)["server's workers"]
    assert (check["state"], word in check["detail"]) == (state, True)
    assert result.exit_code == (1 if state == "broken" else 0)


def test_doctor_says_what_the_token_may(api: FakeApi, tmp_path: Path) -> None:
    token = {"name": "laptop", "scope": "submit"}
    answers = [{"status": "ok"}, {"status": "ok", "parts": {"disk": "ok"}, "token": token}]
    api.canned = [(200, {}, json.dumps(body).encode()) for body in answers]
    checks = checks_of(run(api, "doctor", "--json", "--data-dir", str(tmp_path)))
    assert checks["token"]["detail"] == "laptop, with the scope submit"
    api.canned = [(200, {}, b'{"status": "ok"}')] * 2
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 1
    assert (checks["token"]["state"], checks["server's parts"]["state"]) == ("broken", "ok")
    assert "argbest token create" in checks["token"]["hint"]


def test_doctor_names_the_part_that_is_not_ready(api: FakeApi, tmp_path: Path) -> None:
    answer = b'{"status": "not ready", "parts": {"database": "ok", "ray": "no head answers"}}'
    api.canned = [(200, {}, b'{"status": "ok"}'), (503, {}, answer)]
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert checks_of(result)["server's ray"]["detail"] == "no head answers"


def test_doctor_without_a_server_looks_at_its_port(tmp_path: Path) -> None:
    with serving() as gone:
        pass
    result = run(gone, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 1
    assert "argbest serve" in checks["server"]["hint"]
    assert checks["port"]["state"] == "ok"


def test_doctor_finds_another_program_on_the_port(api: FakeApi, tmp_path: Path) -> None:
    api.canned = [(200, {"Content-Type": "text/html"}, b"<html>")]
    result = run(api, "doctor", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "is not argbest" in result.stdout


def test_doctor_finds_a_program_that_hangs_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        import threading

        def hang_up() -> None:
            for _ in range(2):
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        command = ["--url", url, "doctor", "--json", "--data-dir", str(tmp_path)]
        checks = checks_of(CliRunner().invoke(main, command))
        thread.join()
    assert checks["port"]["state"] == "broken"


def test_doctor_s_limits() -> None:
    assert python_check((3, 10, 9)).state == "broken"
    assert python_check((3, 11, 0)).state == "ok"
    needed = 200 * 2**20
    free = (needed - 1, needed, 10 * needed - 1, 10 * needed)
    states = [disk_check(Path("/d"), bytes_, needed).state for bytes_ in free]
    assert states == ["broken", "warning", "warning", "ok"]


def test_doctor_finds_a_disk_full_where_the_service_does(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed, state in ((0, "ok"), (2**62, "broken")):
        monkeypatch.setenv("ARGBEST_MIN_FREE_BYTES", str(needed))
        result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
        assert checks_of(result)["disk"]["state"] == state
        assert result.exit_code == (state == "broken")


def test_doctor_finds_trainables_and_spaces_that_cannot_be_used(
    api: FakeApi, tmp_path: Path
) -> None:
    api.broken = {"search_spaces": [BROKEN_SPACE], "trainables": [BROKEN_TRAINABLE]}
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 1
    space, trainable = checks["search space bad.yaml"], checks["trainable mine = others:MINE"]
    assert (space["state"], space["detail"], space["hint"]) == ("broken", "line 3: a tab", "indent")
    assert trainable["state"] == "broken"
    assert trainable["detail"] == "package others 1.0: no module named 'jax'"
    assert trainable["hint"] == "install it"


def test_doctor_counts_the_usable_trainables_and_spaces(api: FakeApi, tmp_path: Path) -> None:
    checks = checks_of(run(api, "doctor", "--json", "--data-dir", str(tmp_path)))
    states = [checks[name] for name in ("search spaces", "trainables")]
    assert [(one["state"], one["detail"]) for one in states] == [("ok", "1 usable")] * 2
