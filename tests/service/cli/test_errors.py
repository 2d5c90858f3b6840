"""Exit codes, and how errors are printed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi, serving


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (422, 2), (401, 3), (403, 3), (404, 4), (409, 4), (500, 5)]
)
def test_exit_code_of_each_status(api: FakeApi, status: int, code: int) -> None:
    api.canned = [(status, {"Content-Type": "application/json"}, b'{"detail": "no"}')]
    result = run(api, "ls")
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Error: no" in result.stderr


def test_exit_code_of_a_busy_server_and_when_to_come_back(api: FakeApi) -> None:
    api.canned = [(503, {"Retry-After": "120"}, b'{"detail": "the disk is full"}')]
    result = run(api, "ls")
    assert result.exit_code == 5
    assert "the disk is full" in result.stderr
    assert "try again in 120 s" in result.stderr


def test_unreachable_server_is_five_and_says_how_to_start_one() -> None:
    with serving() as gone:
        pass
    result = run(gone, "ls")
    assert result.exit_code == 5
    assert "argbest serve" in result.stderr


def test_another_program_is_five(api: FakeApi) -> None:
    api.canned = [(200, {"Content-Type": "text/html"}, b"<html>")]
    result = run(api, "ls")
    assert result.exit_code == 5
    assert "is an argbest server running there?" in result.stderr


def test_bad_url_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["ls", "--url", "localhost:8000"])
    assert result.exit_code == 2
    assert "not an http or https URL" in result.stderr


@pytest.mark.parametrize("command", ["cancel", "pause", "rm"])
def test_job_that_is_not_there_does_not_keep_the_others_from_it(api: FakeApi, command: str) -> None:
    first, last = api.add_job(), api.add_job()
    if command == "rm":
        api.finish(first), api.finish(last)
    result = run(api, command, "j1", "j9", "j2")
    assert result.exit_code == 4
    assert "job j9:\nError: no job has the id j9" in result.stderr
    assert "job j1 is" in result.stderr
    assert "job j2 is" in result.stderr


def test_missing_token_is_said_once_for_many_jobs(api: FakeApi) -> None:
    api.token = "right"
    result = run(api, "cancel", "j1", "j2", "j3")
    assert result.exit_code == 3
    assert result.stderr.count("Error:") == 1
