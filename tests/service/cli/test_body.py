"""The body of a submission from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi


def test_submit_sends_every_option_under_its_name(api: FakeApi) -> None:
    options = (
        "--epochs 3 --trials 5 --seed 0 --strategy tpe --max-concurrent-trials 2 --cpus 0.5 "
        "--gpus 1 --time-limit 60 --max-failures 0 --name mine --tag who=me --tag a=1"
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
        (["--set", "x={low:1e-4,high:0.1}"], 'the space after ":" is missing: low: 1e-4'),
        (["--set", "x={low: 1, high:2}"], 'the space after ":" is missing: high: 2'),
        (["--set", "x={when: {y:1}}"], "is missing: y: 1"),
        (["--tag", "label"], "NAME=VALUE, like team=vision"),
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


def test_options_go_over_a_request_from_a_file(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(
        "search_space: {name: mine}\nname: old\nseed: 7\ntags: {a: x, b: y}\n"
        "parameters: {p: 1, q: 2}\nresources_per_trial: {cpu: 2}\n"
    )
    options = ("--name", "new", "--tag", "b=z", "--set", "q=3", "--gpus", "1")
    assert run(api, "submit", str(file), *options).exit_code == 0
    assert body(api) == {
        "search_space": {"name": "mine"},
        "name": "new",
        "seed": 7,
        "tags": {"a": "x", "b": "z"},
        "parameters": {"p": 1, "q": 3},
        "resources_per_trial": {"cpu": 2, "gpu": 1.0},
    }
