"""Commands that read jobs and trials, and what all commands that read have in common."""

from __future__ import annotations

import json

import pytest

from service.cli.reading import lines_after
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi

READING = [
    ["ls"],
    ["show", "j1"],
    ["trials", "j1"],
    ["best", "j1"],
    ["curve", "j1", "0"],
    ["report", "j1"],
    ["plots", "j1"],
    ["spaces"],
    ["spaces", "q3_mlp"],
    ["trainables"],
    ["trainables", "numpy_mlp"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_json_is_the_server_s_own_answer(api: FakeApi, job: str, arguments: list[str]) -> None:
    result = run(api, *arguments, "--json")
    assert result.exit_code == 0
    path = api.requests[-1][1]
    import httpx2

    query = {"format": "json"} if arguments[0] == "report" else api.requests[-1][2]
    assert json.loads(result.stdout) == httpx2.get(api.url + path, params=query).json()


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_text_is_one_record_a_line(api: FakeApi, job: str, arguments: list[str]) -> None:
    result = run(api, *arguments)
    assert result.exit_code == 0
    assert result.stdout.endswith("\n")
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


@pytest.mark.parametrize("command", ["show", "trials", "best", "logs", "report", "plots"])
def test_unknown_job_is_four(api: FakeApi, command: str) -> None:
    result = run(api, command, "j9")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no job has the id j9" in result.stderr


def test_ls_lists_newest_first_and_says_how_to_go_on(api: FakeApi) -> None:
    for name in ("a", "b", "c"):
        api.add_job(name)
    first = run(api, "ls", "--limit", "2")
    assert [line.split()[1] for line in first.stdout.splitlines()] == ["NAME", "c", "b"]
    assert first.stderr == "There are more: argbest ls --cursor 2\n"
    last = run(api, "ls", "--cursor", "2")
    assert [line.split()[1] for line in last.stdout.splitlines()] == ["NAME", "a"]
    assert last.stderr == ""


def test_ls_shows_slots_priority_and_why_a_job_waits(api: FakeApi) -> None:
    api.add_job("runs", slots=2, priority=3)
    assert "WAITS" not in run(api, "ls").stdout
    api.add_job("behind", waiting="for its turn: 3 jobs share 2 slots")
    heading, behind, runs = (line.split() for line in run(api, "ls").stdout.splitlines())
    assert heading[3:5] == ["SLOTS", "PRIORITY"]
    assert (behind[3:5], " ".join(behind[-8:])) == (
        ["-", "1"], "for its turn: 3 jobs share 2 slots",
    )  # fmt: skip
    assert (runs[3:5], runs[-1]) == (["2", "3"], "-")


def test_trials_are_listed_by_state(api: FakeApi, job: str) -> None:
    api.jobs[job]["changes"] = ({"state": "paused"}, {"state": "stopped"})
    text = run(api, "trials", job, "--state", "stopped").stdout
    lines = [line.split() for line in text.splitlines()]
    assert [line[:2] for line in lines] == [["TRIAL", "STATE"], ["1", "stopped"]]
    assert run(api, "trials", job, "--state", "asleep").exit_code == 2
    both = run(api, "trials", job, "--state", "paused", "--csv")
    assert (both.exit_code, "leave out --state" in both.stderr) == (2, True)


def test_trials_show_means_purposes_and_broken_constraints(api: FakeApi, job: str) -> None:
    assert "MEAN" not in run(api, "trials", job).stdout
    score = {"mean": 0.5, "standard_deviation": 0.25, "n": 2}
    api.jobs[job]["changes"] = (
        {"score": score, "configuration": 0, "rank": 1},
        {"purpose": "confirm", "configuration": 0, "violations": ["seconds is 9, too long"]},
    )
    text = run(api, "trials", job).stdout
    heading, first, second = text.splitlines()
    assert heading.split()[2:6] == ["RANK", "MEAN", "PURPOSE", "CONFIGURATION"]
    assert "NOT_RANKED" in heading
    assert "0.5000 ± 0.2500 (n = 2)" in first
    assert "confirm" in second
    assert "seconds is 9, too long" in second


def test_trials_show_which_epoch_they_went_on_after(api: FakeApi, job: str) -> None:
    assert "RESUMED_FROM" not in run(api, "trials", job).stdout
    api.jobs[job]["changes"] = ({}, {"resumed_from": 1})
    heading, first, second = (line.split() for line in run(api, "trials", job).stdout.splitlines())
    place = heading.index("RESUMED_FROM")
    # The time before it is two words, "1.5 s".
    assert (first[place + 1], second[place + 1]) == ("-", "1")


def test_ls_of_one_state(api: FakeApi, job: str) -> None:
    api.add_job("waits")
    result = run(api, "ls", "--state", "succeeded")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ID", "j1"]
    assert run(api, "ls", "--state", "asleep").exit_code == 2


def test_ls_of_nothing_is_the_heading_alone(api: FakeApi) -> None:
    assert run(api, "ls").stdout.split()[:2] == ["ID", "NAME"]


def test_show_says_everything(api: FakeApi, job: str) -> None:
    lines = dict(line.split(":", 1) for line in run(api, "show", job).stdout.splitlines())
    found = {name: value.strip() for name, value in lines.items()}
    assert found["progress"] == "2/2 trials, 4/4 epochs"
    assert found["best"] == "validation_accuracy=0.8125 (trial 1)"
    assert found["parameters"] == "learning_rate=0.01 optimizer=sgd"
    assert found["finished"] == "2026-01-02 03:04 UTC"
    assert found["engine"] == "numba"
    assert "error" not in found


def test_show_of_a_failed_job_says_why(api: FakeApi) -> None:
    api.finish(api.add_job("fails"))
    assert "user_error: it broke" in run(api, "show", "j1").stdout


def test_trials_are_aligned_under_their_names(api: FakeApi, job: str) -> None:
    lines = run(api, "trials", job).stdout.splitlines()
    assert lines[0].split() == [
        "TRIAL",
        "STATE",
        "RANK",
        "LEARNING_RATE",
        "OPTIMIZER",
        "VALIDATION_ACCURACY",
        "EPOCHS",
        "TIME",
        "ENGINE",
    ]
    assert lines[2].split() == [
        *("1", "succeeded", "1", "0.01", "sgd", "0.8125", "2", "1.5", "s", "numba")
    ]
    ends = [
        line.index(text) + len(text)
        for line, text in zip(lines[:2], ("LEARNING_RATE", "0.1"), strict=True)
    ]
    assert ends[0] == ends[1]


def test_failed_trials_have_a_column_of_errors(api: FakeApi) -> None:
    api.finish(api.add_job("fails"))
    assert "diverged: train_loss is NaN" in run(api, "trials", "j1").stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["trials", "j1", "--csv"], "number,state\r\n0,succeeded\r\n"),
        (["curve", "j1", "0", "--csv"], "trial,epoch,train_loss\r\n0,1,0.5\r\n"),
    ],
)
def test_csv_is_passed_on_unchanged(
    api: FakeApi, job: str, arguments: list[str], text: str
) -> None:
    assert run(api, *arguments).stdout_bytes == text.encode()


def test_null_parameters_and_absent_ones_look_different(api: FakeApi, job: str) -> None:
    api.jobs[job]["changes"] = [
        {"parameters": {"dropout": None}},
        {"parameters": {"momentum": 0.9}},
    ]
    rows = [line.split() for line in run(api, "trials", job).stdout.splitlines()]
    assert rows[0][3:5] == ["DROPOUT", "MOMENTUM"]
    assert (rows[1][3:5], rows[2][3:5]) == (["null", "-"], ["-", "0.9"])


def test_trials_of_a_server_without_ranks_and_engines_have_no_such_columns(api: FakeApi) -> None:
    api.add_job()
    heading = run(api, "trials", "j1").stdout.splitlines()[0].split()
    assert not {"RANK", "ENGINE", "ERROR"} & set(heading)


def test_logs_show_escapes_written_out(api: FakeApi, job: str) -> None:
    assert run(api, "logs", job).stdout == "first\n\\x1b[31mred        tab\nthird\nlast\n"
    assert run(api, "logs", job, "--tail", "1").stdout == "last\n"
    assert run(api, "logs", job, "--tail", "0").exit_code == 2


def test_following_a_log_prints_each_line_once(api: FakeApi) -> None:
    api.add_job()
    result = run(api, "logs", "j1", "--follow")
    assert result.stdout.splitlines() == ["first", "\\x1b[31mred        tab", "third", "last"]


def test_the_log_of_one_trial_shows_escapes_written_out(api: FakeApi, job: str) -> None:
    shown = run(api, "logs", job, "--trial", "1")
    assert shown.stdout == "first\n\\x1b[31mred\nlast\n"
    assert run(api, "logs", job, "--trial", "1", "--tail", "1").stdout == "last\n"
    assert run(api, "logs", job, "--trial", "7").exit_code == 4
    assert run(api, "logs", job, "--trial", "-1").exit_code == 2


def test_following_the_log_of_one_trial_prints_each_line_once_and_whole(api: FakeApi) -> None:
    api.add_job()
    shown = run(api, "logs", "j1", "--trial", "0", "--follow")
    assert shown.stdout == "first\n\\x1b[31mred\nlast\n"


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
