"""Which server a command talks to, and with which token."""

from __future__ import annotations

from click.testing import CliRunner

from service.cli import main
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi


def test_url_and_token_come_from_the_environment_and_options_go_first(api: FakeApi) -> None:
    api.token = "right"
    environment = {"ARGBEST_URL": api.url, "ARGBEST_TOKEN": "right"}
    runner = CliRunner(env=environment)
    assert runner.invoke(main, ["ls"]).exit_code == 0
    assert runner.invoke(main, ["ls", "--token", "wrong"]).exit_code == 3
    assert runner.invoke(main, ["--token", "wrong", "ls", "--token", "right"]).exit_code == 0
    assert runner.invoke(main, ["--url", "http://127.0.0.1:1", "ls"]).exit_code == 5


def test_missing_token_says_where_to_put_it(api: FakeApi) -> None:
    api.token = "right"
    result = run(api, "ls")
    assert result.exit_code == 3
    assert "ARGBEST_TOKEN" in result.stderr
