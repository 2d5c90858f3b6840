"""Commands that read jobs, results and the catalog, and those about this machine."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.cli.doctor import disk_check, python_check
from service.cli.reading import lines_after
from service.cli.text import clean, duration, moment, number, size
from tests.service.fake_api import FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as served:
        yield served


@pytest.fixture
def job(api: FakeApi) -> str:
    return str(api.finish(api.add_job())["id"])


def run(api: FakeApi, *args: str) -> Result:
    return CliRunner().invoke(main, ["--url", api.url, *args])


def cells(result: Result) -> list[list[str]]:
    return [line.split("  ") for line in result.stdout.splitlines()]


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
    assert found["finished"] == "2026-01-02 03:04:15 UTC"
    assert "error" not in found


def test_show_of_a_failed_job_says_why(api: FakeApi) -> None:
    api.finish(api.add_job("fails"))
    assert "user_error: it broke" in run(api, "show", "j1").stdout


def test_trials_are_aligned_under_their_names(api: FakeApi, job: str) -> None:
    lines = run(api, "trials", job).stdout.splitlines()
    assert lines[0].split() == [
        "TRIAL",
        "STATE",
        "LEARNING_RATE",
        "OPTIMIZER",
        "VALIDATION_ACCURACY",
        "EPOCHS",
        "TIME",
    ]
    assert lines[2].split() == ["1", "succeeded", "0.01", "sgd", "0.8125", "2", "1.5", "s"]
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


def test_curve_epoch_by_epoch(api: FakeApi, job: str) -> None:
    lines = [line.split() for line in run(api, "curve", job, "0").stdout.splitlines()]
    assert lines == [["EPOCH", "TRAIN_LOSS"], ["1", "0.5"], ["2", "0.25"]]
    assert run(api, "curve", job, "7").exit_code == 4
    assert run(api, "curve", job, "-1").exit_code == 2


def test_best_in_each_form(api: FakeApi, job: str) -> None:
    assert "learning_rate:" in run(api, "best", job).stdout
    assert run(api, "best", job, "--format", "curl").stdout == "as curl\n"
    assert run(api, "best", job, "--format", "yaml").stdout == "as yaml\n"
    assert json.loads(run(api, "best", job, "--format", "json").stdout)["trial"] == 1


def test_best_before_there_is_one_is_four(api: FakeApi) -> None:
    api.add_job()
    result = run(api, "best", "j1")
    assert result.exit_code == 4
    assert "Hint: wait for one" in result.stderr


@pytest.mark.parametrize(
    ("file", "content"),
    [("r.pdf", b"%PDF-1.7 report"), ("r.HTML", b"<p>report</p>"), ("r.md", b"# report\n")],
)
def test_report_format_is_the_suffix_s(
    api: FakeApi, job: str, tmp_path: Path, file: str, content: bytes
) -> None:
    path = tmp_path / file
    path.write_text("old", encoding="utf-8")
    result = run(api, "report", job, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == [file]


def test_report_format_may_be_said(api: FakeApi, job: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    refused = run(api, "report", job, "-o", str(path))
    assert refused.exit_code == 2
    assert "--format" in refused.stderr
    assert run(api, "report", job, "-o", str(path), "--format", "pdf").exit_code == 0
    assert path.read_bytes().startswith(b"%PDF")
    assert run(api, "report", job).stdout == "# report\n"
    assert run(api, "report", job, "--format", "pdf").stdout_bytes.startswith(b"%PDF")


def test_file_that_cannot_be_written_is_a_usage_error(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    result = run(api, "report", job, "-o", str(tmp_path / "missing" / "r.pdf"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


@pytest.mark.parametrize("style", ["png", "svg"])
def test_plots_are_written_into_a_folder(
    api: FakeApi, job: str, tmp_path: Path, style: str
) -> None:
    folder = tmp_path / "new" / "plots"
    result = run(api, "plots", job, "-d", str(folder), "--format", style)
    path = folder / f"train_loss.{style}"
    assert result.stdout.splitlines() == [str(path)]
    assert path.read_text(encoding="utf-8") == f"train_loss as {style}"


def test_folder_that_cannot_be_made_is_a_usage_error(
    api: FakeApi, job: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = run(api, "plots", job, "-d", str(tmp_path / "file" / "plots"))
    assert result.exit_code == 2
    assert "cannot make the folder" in result.stderr


@pytest.mark.parametrize("name", ["../../evil", "a/b", "", ".hidden"])
def test_plot_whose_name_is_no_file_name_is_not_written(
    api: FakeApi, job: str, tmp_path: Path, name: str
) -> None:
    answer = {"items": [{"name": name, "title": "t", "caption": "c"}], "next_cursor": None}
    api.canned = [(200, {}, json.dumps(answer).encode())]
    result = run(api, "plots", job, "-d", str(tmp_path))
    assert result.exit_code == 5
    assert list(tmp_path.iterdir()) == []


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


def test_spaces_and_the_files_that_hold_none(api: FakeApi) -> None:
    result = run(api, "spaces")
    assert result.stdout.splitlines()[1].split() == ["q3_mlp", "MLP", "numpy_mlp", "single", "20"]
    assert result.stderr == "not usable: bad.yaml: line 3: a tab; indent\n"


def test_one_space_is_yaml_that_can_be_submitted(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(run(api, "spaces", "q3_mlp").stdout, encoding="utf-8")
    assert run(api, "submit", str(path)).exit_code == 0
    assert api.requests[-1][3]["search_space"]["title"] == "MLP"


def test_trainable_shows_its_limits(api: FakeApi) -> None:
    text = run(api, "trainables", "numpy_mlp").stdout
    assert "number > 0 <= 10" in text
    assert "sgd | adam" in text
    assert run(api, "trainables", "nothing").exit_code == 4


# --- this machine -----------------------------------------------------------------------------


def test_version_of_both(api: FakeApi) -> None:
    own = version("argbest")
    assert run(api, "version").stdout == f"argbest {own}\nserver 9.9.9 at {api.url}\n"
    both = json.loads(run(api, "version", "--json").stdout)
    assert (both["client"], both["server"]["argbest"]) == (own, "9.9.9")


def test_version_without_a_server(api: FakeApi) -> None:
    with serving() as gone:
        pass
    result = run(gone, "version")
    assert result.exit_code == 0
    assert result.stdout == f"argbest {version('argbest')}\n"
    assert "cannot connect" in result.stderr


def test_serve_becomes_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """``os.execv`` is the edge to the operating system: it would replace the test's process."""
    called: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: called.append((path, arguments)))
    command = ["serve", "--host", "0.0.0.0", "--port", "9000", "--data-dir", "/tmp/data"]
    assert CliRunner().invoke(main, command).exit_code == 0
    expected = ["-m", "service.serve", *command[1:]]
    assert called == [(sys.executable, [sys.executable, *expected])]
    assert CliRunner().invoke(main, ["serve", "--port", "0"]).exit_code == 2


def test_data_lists_what_is_here(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["data", "ls", "--data-dir", str(tmp_path), "--json"])
    assert result.exit_code == 0
    items = {item["name"]: item for item in json.loads(result.stdout)["items"]}
    assert set(items) == {"ames", "fashion_mnist"}
    assert items["ames"]["rows"] == 2930
    table = CliRunner().invoke(main, ["data", "ls", "--data-dir", str(tmp_path)])
    assert table.stdout.splitlines()[1].split()[:3] == ["ames", "yes", "2930"]


def test_data_fetch_prepares_what_the_package_carries(tmp_path: Path) -> None:
    command = ["data", "fetch", "ames", "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ames is ready" in result.stderr
    unknown = CliRunner().invoke(main, ["data", "fetch", "mnist", "--data-dir", str(tmp_path)])
    assert unknown.exit_code == 2
    assert "fashion_mnist" in unknown.stderr


def test_unusable_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGBEST_PORT", "many")
    result = CliRunner().invoke(main, ["data", "ls"])
    assert result.exit_code == 2
    assert "ARGBEST_PORT" in result.stderr


def checks_of(result: Result) -> dict[str, dict[str, str]]:
    return {item["name"]: item for item in json.loads(result.stdout)["items"]}


def test_doctor_of_a_sound_service(api: FakeApi, tmp_path: Path) -> None:
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 0
    assert [checks[name]["state"] for name in ("server", "server's database", "server's ray")] == [
        "ok"
    ] * 3
    assert {"python", "c++ compiler", "disk", "data set ames"} <= set(checks)
    assert checks["token"]["detail"] == "none is asked for"
    assert checks["server's workers"]["detail"] == "1 of 2 nodes, slots: 2 CPU"
    # The fake API has another version than this program.
    assert checks["server's version"]["state"] == "warning"
    assert "9.9.9" in checks["server's version"]["detail"]


@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        ((200, {"nodes": [{"state": "dead", "resources": {"CPU": 8}}]}), "broken", "0 nodes"),
        ((200, {"nodes": [{"state": "alive", "resources": {"CPU": 8, "GPU": 1}}]}), "ok", "1 GPU"),
        ((503, {"detail": "no dashboard"}), "warning", "no dashboard"),
    ],
)
def test_doctor_looks_for_slots(
    api: FakeApi, tmp_path: Path, answer: tuple[int, Any], state: str, word: str
) -> None:
    status, content = answer
    found = (200, {"status": "ok", "parts": {"ray": "ok"}})
    kind = {"Content-Type": "application/json" if status < 400 else "application/problem+json"}
    answers = [(200, {}), found, (200, {"argbest": "1"}), *[(status, content)] * 4]
    api.canned = [(code, kind, json.dumps(body).encode()) for code, body in answers]
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    check = checks_of(result)["server's workers"]
    assert (check["state"], word in check["detail"]) == (state, True)
    assert result.exit_code == (1 if state == "broken" else 0)


def test_doctor_says_what_the_token_may(api: FakeApi, tmp_path: Path) -> None:
    token = {"name": "laptop", "scope": "submit"}
    answers = [{"status": "ok"}, {"status": "ok", "parts": {"disk": "ok"}, "token": token}]
    api.canned = [(200, {}, json.dumps(body).encode()) for body in answers]
    checks = checks_of(run(api, "doctor", "--json", "--data-dir", str(tmp_path)))
    assert checks["token"]["detail"] == "laptop, with the scope submit"
    api.canned = [(200, {}, b'{"status": "ok"}')] * 2
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 1
    assert (checks["token"]["state"], checks["server's parts"]["state"]) == ("broken", "ok")
    assert "argbest token create" in checks["token"]["hint"]


def test_doctor_names_the_part_that_is_not_ready(api: FakeApi, tmp_path: Path) -> None:
    answer = b'{"status": "not ready", "parts": {"database": "ok", "ray": "no head answers"}}'
    api.canned = [(200, {}, b"{}"), (503, {}, answer)]
    result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert checks_of(result)["server's ray"]["detail"] == "no head answers"


def test_doctor_without_a_server_looks_at_its_port(tmp_path: Path) -> None:
    with serving() as gone:
        pass
    result = run(gone, "doctor", "--json", "--data-dir", str(tmp_path))
    checks = checks_of(result)
    assert result.exit_code == 1
    assert "argbest serve" in checks["server"]["hint"]
    assert checks["port"]["state"] == "ok"


def test_doctor_finds_another_program_on_the_port(api: FakeApi, tmp_path: Path) -> None:
    api.canned = [(200, {"Content-Type": "text/html"}, b"<html>")]
    result = run(api, "doctor", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "is not argbest" in result.stdout


def test_doctor_finds_a_program_that_hangs_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        import threading

        def hang_up() -> None:
            for _ in range(2):
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        command = ["--url", url, "doctor", "--json", "--data-dir", str(tmp_path)]
        checks = checks_of(CliRunner().invoke(main, command))
        thread.join()
    assert checks["port"]["state"] == "broken"


def test_doctor_s_limits() -> None:
    assert python_check((3, 10, 9)).state == "broken"
    assert python_check((3, 11, 0)).state == "ok"
    needed = 200 * 2**20
    free = (needed - 1, needed, 10 * needed - 1, 10 * needed)
    states = [disk_check(Path("/d"), bytes_, needed).state for bytes_ in free]
    assert states == ["broken", "warning", "warning", "ok"]


def test_doctor_finds_a_disk_full_where_the_service_does(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed, state in ((0, "ok"), (2**62, "broken")):
        monkeypatch.setenv("ARGBEST_MIN_FREE_BYTES", str(needed))
        result = run(api, "doctor", "--json", "--data-dir", str(tmp_path))
        assert checks_of(result)["disk"]["state"] == state
        assert result.exit_code == (state == "broken")


# --- words ------------------------------------------------------------------------------------


def test_durations() -> None:
    texts = [duration(seconds) for seconds in (0.04, 9.96, 59.6, 185, 3599.6, 7620)]
    assert texts == ["0.0 s", "10.0 s", "1 min 00 s", "3 min 05 s", "1 h 00 min", "2 h 07 min"]


def test_numbers_and_strings() -> None:
    assert [number(value) for value in (None, True, 3, 0.1234567, 1e-9, "a\nb")] == [
        "-",
        "true",
        "3",
        "0.123457",
        "1e-09",
        "a b",
    ]
    assert clean("a\x1b[0m\x07é\n") == "a\\x1b[0m\\x07é\n"
    assert (moment(None), moment("2026-01-02T03:04:05.678Z")) == ("-", "2026-01-02 03:04:05 UTC")
    assert [size(count) for count in (999, 30_900_000, 2.5e12)] == ["999 B", "30.9 MB", "2.5 TB"]
