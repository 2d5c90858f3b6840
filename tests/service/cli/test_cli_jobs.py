"""Commands that make, follow, cancel and delete jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from tests.service.fake_api import FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as served:
        yield served


def run(api: FakeApi, *args: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["--url", api.url, *args], input=text)


def body(api: FakeApi) -> Any:
    """The body of the last request that had one."""
    return next(request[3] for request in reversed(api.requests) if request[3] is not None)


def test_submit_prints_the_id_alone_on_stdout(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp")
    assert (result.exit_code, result.stdout) == (0, "j1\n")
    assert result.stderr == "queued: q3_mlp, 2 trials\n"
    assert body(api) == {"search_space": "q3_mlp"}


def test_submit_sends_every_option_under_its_name(api: FakeApi) -> None:
    options = (
        "--epochs 3 --trials 5 --seed 0 --strategy tpe --max-concurrent-trials 2 --cpus 0.5 "
        "--gpus 1 --time-limit 60 --max-failures 0 --stack 16 --name mine --tag who=me --tag a=1"
    )
    assert run(api, "submit", "q3_mlp", *options.split()).exit_code == 0
    assert body(api) == {
        "search_space": "q3_mlp",
        "epochs": 3,
        "trials": 5,
        "seed": 0,
        "strategy": "tpe",
        "max_concurrent_trials": 2,
        "resources_per_trial": {"cpu": 0.5, "gpu": 1.0},
        "time_limit_s": 60.0,
        "max_failures": 0,
        "stack": 16,
        "name": "mine",
        "tags": {"who": "me", "a": "1"},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("0.01", 0.01),
        ("7", 7),
        ("true", True),
        ("null", None),
        ("relu", "relu"),
        ("no", "no"),
        ("'7'", "7"),
        ("a=b", "a=b"),
        ("{low: 0.001, high: 1e-1, log: true}", {"low": 0.001, "high": 0.1, "log": True}),
        ('{"values": [1, 2]}', {"values": [1, 2]}),
    ],
)
def test_set_reads_yaml(api: FakeApi, text: str, value: object) -> None:
    assert run(api, "submit", "q3_mlp", "--set", f"x={text}").exit_code == 0
    assert body(api)["parameters"] == {"x": value}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "learning_rate"], "NAME=VALUE"),
        (["--set", "=1"], "NAME=VALUE"),
        (["--set", "x={low: 1"], "the value of x is not usable: line 1"),
        (["--set", "x={a: 1, a: 2}"], "twice"),
        (["--set", "x=.nan"], "not usable"),
        (["--set", "x=1", "--set", "x=2"], "x is given twice"),
        (["--tag", "label"], "NAME=VALUE"),
        (["--epochs", "many"], "not a valid integer"),
        (["--timeout", "3"], "--timeout needs --wait"),
        (["--wait", "--timeout", "0"], "0<x"),
        (["--idempotency-key", "a b"], "cannot be an id"),
    ],
)
def test_bad_options_are_usage_errors_and_nothing_is_sent(
    api: FakeApi, arguments: list[str], message: str
) -> None:
    result = run(api, "submit", "q3_mlp", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("x>0", "0<x")
    assert api.requests == []


def test_whole_space_from_a_file_or_from_stdin_is_sent_inline(api: FakeApi, tmp_path: Path) -> None:
    text = "name: mine\nparameters:\n  learning_rate: {values: [1e-3, 0.1]}\n"
    (tmp_path / "space.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "space.json").write_text('{"name": "mine"}', encoding="utf-8")
    assert run(api, "submit", str(tmp_path / "space.yaml")).exit_code == 0
    inline = {"name": "mine", "parameters": {"learning_rate": {"values": [0.001, 0.1]}}}
    assert body(api) == {"search_space": inline}
    assert run(api, "submit", str(tmp_path / "space.json")).exit_code == 0
    assert body(api) == {"search_space": {"name": "mine"}}
    assert run(api, "submit", "-", text=text).exit_code == 0
    assert body(api) == {"search_space": inline}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"a: [1", "line 1"), (b"- 1", "no mapping"), (b"a: \xff", "UTF-8")],
)
def test_unusable_file_is_a_usage_error(
    api: FakeApi, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "space.yaml"
    if content is not None:
        path.write_bytes(content)
    result = run(api, "submit", str(path))
    assert result.exit_code == 2
    assert message in result.stderr
    assert api.requests == []


def test_refusal_names_every_field_and_its_remedy(api: FakeApi) -> None:
    result = run(api, "submit", "unknown")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "search_space: no search space is called 'unknown'" in result.stderr
    assert "did you mean 'q3_mlp'?" in result.stderr
    assert "parameters.dropout: must be below 1" in result.stderr


def test_submit_as_json_prints_the_job(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--json")
    assert json.loads(result.stdout) == api.jobs["j1"]


def test_idempotency_key_is_sent(api: FakeApi) -> None:
    assert run(api, "submit", "q3_mlp", "--idempotency-key", "k1").exit_code == 0
    assert api.requests[-1][4]["Idempotency-Key"] == "k1"


def test_wait_follows_to_success(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--wait")
    assert (result.exit_code, result.stdout) == (0, "j1\n")
    assert "job j1: running" in result.stderr
    assert "trial 1 succeeded after 2 epochs, 1.5 s; validation_accuracy=0.8125" in result.stderr
    assert (
        "job j1 succeeded; 2/2 trials, 4/4 epochs; best validation_accuracy=0.8125" in result.stderr
    )


def test_wait_as_json_prints_the_finished_job_once(api: FakeApi) -> None:
    result = run(api, "submit", "q3_mlp", "--wait", "--json")
    assert json.loads(result.stdout)["state"] == "succeeded"


def test_failed_job_is_one_and_says_why(api: FakeApi) -> None:
    result = run(api, "submit", "fails", "--wait")
    assert result.exit_code == 1
    assert "user_error: it broke" in result.stderr
    assert "diverged: train_loss is NaN" in result.stderr


def test_wait_timeout_is_six(api: FakeApi) -> None:
    result = run(api, "submit", "endless", "--wait", "--timeout", "0.2")
    assert (result.exit_code, result.stdout) == (6, "j1\n")
    assert "it goes on" in result.stderr


def test_watch_of_a_finished_job_says_how_it_ended(api: FakeApi) -> None:
    api.finish(api.add_job())
    result = run(api, "watch", "j1", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == api.jobs["j1"]


@pytest.mark.parametrize(("name", "code"), [("fine", 0), ("fails", 1)])
def test_watch_ends_as_the_job_does(api: FakeApi, name: str, code: int) -> None:
    api.add_job(name)
    result = run(api, "watch", "j1")
    assert (result.exit_code, result.stdout) == (code, "")


def test_watch_of_an_unknown_job_is_four(api: FakeApi) -> None:
    result = run(api, "watch", "j9")
    assert result.exit_code == 4
    assert "no job has the id j9" in result.stderr


def test_plan_lists_the_configurations(api: FakeApi) -> None:
    result = run(api, "plan", "q3_mlp")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["TRIAL", "LEARNING_RATE", "OPTIMIZER"],
        ["0", "0.1", "sgd"],
        ["1", "0.01", "-"],
    ]
    assert result.stderr == "2 trials of 2 epochs, strategy grid\n"
    assert api.jobs == {}


def test_plan_of_a_sampler_shows_the_domains(api: FakeApi) -> None:
    result = run(api, "plan", "q3_mlp", "--strategy", "tpe")
    assert '{"values": [0.1, 0.01]}' in result.stdout
    assert "sampler=tpe seed=42 trials=2" in result.stderr


def test_plan_as_json_is_the_answer(api: FakeApi) -> None:
    planned = json.loads(run(api, "plan", "q3_mlp", "--json").stdout)
    assert planned["fingerprint"] == "fp-q3_mlp"


def test_pause_resume_and_retry(api: FakeApi) -> None:
    first, second = api.add_job(), api.add_job()
    paused = run(api, "pause", first["id"], second["id"]).stderr
    assert "job j1 is paused" in paused
    assert "job j2 is paused" in paused
    assert "job j1 is running" in run(api, "resume", "j1").stderr
    refused = run(api, "retry", "j1")
    assert refused.exit_code == 4
    assert "wait for it" in refused.stderr
    api.finish(first)
    assert "job j1 is queued" in run(api, "retry", "j1").stderr
    assert api.paths("POST")[-1] == "/api/v1/jobs/j1/retry-failed"


def test_cancel_and_delete(api: FakeApi) -> None:
    api.add_job()
    refused = run(api, "rm", "j1")
    assert refused.exit_code == 4
    assert "cancel it first" in refused.stderr
    assert "job j1 is cancelled" in run(api, "cancel", "j1").stderr
    assert run(api, "rm", "j1").exit_code == 0
    assert api.jobs == {}


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a b", "a\n"])
def test_what_cannot_be_an_id_is_a_usage_error(api: FakeApi, job_id: str) -> None:
    for command in ("show", "cancel"):
        assert run(api, command, job_id).exit_code == 2
    assert api.requests == []
