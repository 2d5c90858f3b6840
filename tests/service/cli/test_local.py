"""Commands about this machine: the service and versions."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi, serving


def test_version_of_both(api: FakeApi) -> None:
    own = version("argbest")
    assert run(api, "version").stdout == f"argbest {own}\nserver 9.9.9 at {api.url}\n"
    both = json.loads(run(api, "version", "--json").stdout)
    assert (both["client"], both["server"]["argbest"]) == (own, "9.9.9")


def test_version_without_a_server(api: FakeApi) -> None:
    with serving() as gone:
        pass
    result = run(gone, "version")
    assert result.exit_code == 0
    assert result.stdout == f"argbest {version('argbest')}\n"
    assert "cannot connect" in result.stderr


def test_serve_becomes_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """``os.execv`` is the edge to the operating system: it would replace the test's process."""
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: called.append((path, arguments)))
    command = ["serve", "--host", "0.0.0.0", "--port", "9000", "--data-dir", "/tmp/data"]
    assert CliRunner().invoke(main, command).exit_code == 0
    expected = ["-m", "service.serve", *command[1:]]
    assert called == [(sys.executable, [sys.executable, *expected])]
    assert CliRunner().invoke(main, ["serve", "--port", "0"]).exit_code == 2
