"""Arguments and options that several commands share."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi


def test_unusable_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGBEST_PORT", "many")
    result = CliRunner().invoke(main, ["data", "ls", "--here"])
    assert result.exit_code == 2
    assert "ARGBEST_PORT" in result.stderr


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a b", "a\n"])
def test_what_cannot_be_an_id_is_a_usage_error(api: FakeApi, job_id: str) -> None:
    for command in ("show", "cancel"):
        assert run(api, command, job_id).exit_code == 2
    assert api.requests == []
