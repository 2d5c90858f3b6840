"""`argbest run`, with a fake API in place of its own service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.client.client import Client
from tests.service.cli.commands import body
from tests.service.client.fakes import FakeTime
from tests.service.fake_api import FakeApi

SEARCH = """
name: fine
command: [sh, run.sh, '{args}']
metric: loss
mode: min
parameters: {a: {values: [5, 6]}}
"""


class Own:
    """What the command gets in place of a service."""

    def __init__(self, client: Client) -> None:
        self.client = client


@pytest.fixture
def folders(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The data folders of the services that were started; each has ended when a command has."""
    started: list[Path] = []

    @contextmanager
    def own(folder: Path) -> Iterator[Own]:
        started.append(folder)
        with Client(api.url, clock=FakeTime().clock()) as client:
            try:
                yield Own(client)
            finally:
                (folder / "ended").touch()

    monkeypatch.setattr("service.cli.own_service.OwnService", own)
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    yield started
    assert all((folder / "ended").exists() for folder in started)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def test_a_declared_space_runs_and_leaves_its_report(api: FakeApi, folders: list[Path]) -> None:
    result = run("fine", "--epochs", "2")
    assert result.exit_code == 0, result.output
    assert body(api)["search_space"] == "fine"
    assert body(api)["epochs"] == 2
    (folder,) = folders
    assert folder.parent.name == "runs"
    assert folder.name.endswith("-fine")
    assert (folder / "report.html").read_bytes() == b"<p>report</p>"
    assert f"{folder}/report.html" in result.stdout
    assert "trial 1 succeeded" in result.stderr
    assert f"argbest serve --data-dir {folder}" in result.stderr
    assert (folder / "datasets").resolve() == folder.parents[1] / "datasets"


def test_a_file_runs_where_it_is_told(api: FakeApi, folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(SEARCH)
    result = run("search.yaml", "--data-dir", "here", "-o", "mine.html")
    assert result.exit_code == 0, result.output
    assert body(api)["search_space"]["name"] == "fine"
    assert folders == [Path("here")]
    assert (tmp_path / "mine.html").read_bytes() == b"<p>report</p>"


def test_a_failed_search_exits_with_1_and_has_a_report(
    api: FakeApi, folders: list[Path], tmp_path: Path
) -> None:
    assert run("fails", "-o", "r.html").exit_code == 1
    assert (tmp_path / "r.html").exists()


def test_an_interrupted_search_is_cancelled_and_has_a_report(
    api: FakeApi, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Client, "events", interrupted)
    monkeypatch.setattr(Client, "wait", lambda client, job_id, timeout: client.job(job_id))
    result = run("endless", "-o", "r.html")
    assert result.exit_code == 130
    assert any(path.endswith("/cancel") for path in api.paths("POST"))
    assert (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (SEARCH + "epoch: 3\n", [], "epoch: this key is not known here"),
        (SEARCH, ["-o", "none/r.html"], "there is no folder"),
    ],
)
def test_what_cannot_run_is_refused_before_a_service_starts(
    folders: list[Path], tmp_path: Path, text: str, options: list[str], said: str
) -> None:
    (tmp_path / "search.yaml").write_text(text)
    result = run("search.yaml", *options)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert folders == []


def test_a_refusal_of_the_service_ends_it(api: FakeApi, folders: list[Path]) -> None:
    assert run("unknown").exit_code == 2
    assert len(folders) == 1
