"""Runs commands against a fake API."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner, Result

from service.cli import main
from tests.service.client.fakes import FakeTime
from tests.service.fake_api import FakeApi


def run(api: FakeApi, *args: str, text: str | None = None, time: FakeTime | None = None) -> Result:
    """Run a command with ``text`` as its standard input, and with a clock that nobody waits for."""
    clock = (time or FakeTime()).clock()
    return CliRunner().invoke(main, ["--url", api.url, *args], input=text, obj=clock)


def body(api: FakeApi) -> Any:
    """The body of the last request that had one."""
    return next(request[3] for request in reversed(api.requests) if request[3] is not None)
