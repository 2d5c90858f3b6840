"""Settings come from the environment; a wrong one is named in one line."""

from __future__ import annotations

import pytest

from service import migrate, serve
from service.api import standalone_app
from service.engine import controller


def test_a_wrong_setting_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARGBEST_AUTH", "yes")
    for start in (standalone_app, migrate.main, controller.main, lambda: serve.main([])):
        with pytest.raises(SystemExit) as exited:
            start()
        assert exited.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == "error: ARGBEST_AUTH: Input should be 'auto', 'on' or 'off'"
