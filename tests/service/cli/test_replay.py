"""The command that replays a finished job."""

from __future__ import annotations

import json

from tests.results.test_replay import REPLAY
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi

ANSWER = json.dumps(REPLAY.to_json()).encode()


def test_a_table_on_stdout_and_the_findings_on_stderr(api: FakeApi, job: str) -> None:
    api.canned = [(200, {}, ANSWER)]
    result = run(api, "replay", job, "--scheduler", "asha", "--min-epochs", "2", "--stops")
    assert result.exit_code == 0, result.stderr
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["STOPPING", "none", "asha", "1 each, then the best 23"]
    assert "10 min 00 s" in result.stdout
    assert "2 of 4" in result.stdout
    assert "79 % of the 2880 epochs would have been saved" in result.stderr


def test_the_api_s_json(api: FakeApi, job: str) -> None:
    api.canned = [(200, {}, ANSWER)]
    assert json.loads(run(api, "replay", job, "--json").stdout) == REPLAY.to_json()


def test_a_parameter_that_cannot_be_is_a_usage_error(api: FakeApi, job: str) -> None:
    for options in (["--scheduler", "none"], ["--reduction-factor", "1"], ["--min-epochs", "0"]):
        assert run(api, "replay", job, *options).exit_code == 2
