"""Settings come from the environment; a wrong one is named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service import migrate, serve
from service.api import standalone_app
from service.engine import controller
from service.settings import Settings


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


def test_the_storage_is_in_the_data_folder_by_default(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).storage_uri == str(tmp_path / "storage")


def test_the_storage_is_a_folder_or_a_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/srv/someone")
    for given, meant in (
        ("a/folder", str(tmp_path / "a/folder")),
        ("~/folder", "/srv/someone/folder"),
        ("/a folder", "/a folder"),
        ("file:///a%20folder", "file:///a%20folder"),
        ("s3://bucket/folder?region=eu-central-1", "s3://bucket/folder?region=eu-central-1"),
    ):
        monkeypatch.setenv("ARGBEST_STORAGE", given)
        assert Settings().storage_uri == meant
        assert Settings().environment()["ARGBEST_STORAGE"] == meant


@pytest.mark.parametrize("uri", ["s4://bucket/folder", "http://host/folder", "s3://", "file:///"])
def test_a_storage_that_is_neither_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError, match="neither the path of a folder nor a URI"):
        Settings(storage=uri)


def test_a_refused_storage_is_shown_without_its_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARGBEST_STORAGE", "s4://key:hidden@bucket/folder?secret_key=hidden")
    with pytest.raises(SystemExit):
        standalone_app()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ARGBEST_STORAGE: ")
    assert "'s4://bucket/folder'" in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("auth", "allows", "is_refused"),
    [("off", "true", True), ("off", "false", False), ("on", "1", False), ("auto", "true", False)],
)
def test_programs_of_clients_need_tokens(
    monkeypatch: pytest.MonkeyPatch, auth: str, allows: str, is_refused: bool
) -> None:
    monkeypatch.setenv("ARGBEST_AUTH", auth)
    monkeypatch.setenv("ARGBEST_ALLOW_COMMANDS", allows)
    if is_refused:
        with pytest.raises(ValidationError, match="ARGBEST_AUTH is off"):
            Settings()
        return
    settings = Settings()
    monkeypatch.setenv("ARGBEST_ALLOW_COMMANDS", settings.environment()["ARGBEST_ALLOW_COMMANDS"])
    assert Settings() == settings
    assert settings.allow_commands is (allows != "false")
