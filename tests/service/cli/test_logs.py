"""The command that prints and follows a job's log."""

from __future__ import annotations

import pytest

from service.cli.logs import lines_after
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi


def test_logs_show_escapes_written_out(api: FakeApi, job: str) -> None:
    assert run(api, "logs", job).stdout == "first\n\\x1b[31mred        tab\nthird\nlast\n"
    assert run(api, "logs", job, "--tail", "1").stdout == "last\n"
    assert run(api, "logs", job, "--tail", "0").exit_code == 2


def test_following_a_log_prints_each_line_once(api: FakeApi) -> None:
    api.add_job()
    result = run(api, "logs", "j1", "--follow")
    assert result.stdout.splitlines() == ["first", "\\x1b[31mred        tab", "third", "last"]


@pytest.mark.parametrize(
    ("seen", "lines", "new"),
    [
        ("", "ab", "ab"),
        ("ab", "ab", ""),
        ("ab", "abc", "c"),
        ("abc", "bcd", "d"),
        ("abc", "xyz", "xyz"),
        ("aaa", "aaab", "b"),
    ],
)
def test_lines_after_a_moved_window(seen: str, lines: str, new: str) -> None:
    assert lines_after(list(seen), list(lines)) == list(new)
