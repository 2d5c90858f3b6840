"""Exports round-trip and can be pasted."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from results import export
from results.errors import NoBestTrial
from results.records import Curve
from search_spaces.yaml_files import load_yaml
from tests.results import fakes
from tests.results.fakes import DIVERGED


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_best_space_runs_the_best_configuration_alone() -> None:
    job = fakes.feedforward().job
    space = export.best_space(job)
    assert space["strategy"] == "single"
    assert space["parameters"] == {
        "learning_rate": 0.001, "hidden_size": 200, "dropout": 0.3, "activation": "relu",
        "optimizer": "sgd", "layers": 1, "batch_size": 1,
    }  # fmt: skip
    assert (space["trainable"], space["dataset"], space["epochs"]) == (
        "torch_feedforward",
        "fashion_mnist",
        20,
    )


def test_best_space_is_named_as_the_declared_one() -> None:
    job = fakes.feedforward(1).job
    declared = fakes.with_spec(replace(job, name="Any name!"), search_space="q4_feedforward")
    assert export.best_space(declared)["name"] == "q4_feedforward"


def test_best_yaml_is_the_space_with_comments() -> None:
    job = replace(fakes.feedforward().job, id="x\nparameters: {evil: 1}")
    text = export.best_yaml(job)
    assert load_yaml(text).value == export.best_space(job)
    assert "with seed 42" in text


def test_best_of_nothing_is_refused() -> None:
    job = replace(fakes.regression(1).job, best=None)
    with pytest.raises(NoBestTrial, match="no trial has succeeded"):
        export.best_yaml(job)
    with pytest.raises(NoBestTrial):
        export.best_curl(job, "http://localhost:8000", with_token=False)


@pytest.mark.parametrize("value", ["relu", "it's", "$(rm -rf ~) `id` \\ !x", "a\\nb", "été", '"'])
def test_curl_is_one_shell_command_with_the_request(value: str) -> None:
    job = fakes.regression(2).job
    assert job.best is not None
    best = replace(job.best, parameters={"activation": value, "learning_rate": 1e-05})
    resources = {"cpu": 1, "gpu": 0.5}
    job = fakes.with_spec(replace(job, best=best), resources_per_trial=resources)
    text = export.best_curl(job, "https://host:8443/", with_token=False)
    command, *arguments = shlex.split(text)
    assert command == "curl"
    assert "https://host:8443/api/v1/jobs" in arguments
    assert arguments[arguments.index("-H") + 1] == "Content-Type: application/json"
    assert "Authorization" not in text
    # --data-raw, unlike --data, never reads a file named after an @.
    request = json.loads(arguments[arguments.index("--data-raw") + 1])
    assert request == export.best_request(job)
    assert request["search_space"]["parameters"] == {"activation": value, "learning_rate": 1e-05}
    assert (request["seed"], request["resources_per_trial"]) == (42, resources)


def test_curl_quotes_a_hostile_base_url() -> None:
    job = fakes.regression(1).job
    parts = shlex.split(export.best_curl(job, "http://h/;reboot #", with_token=False))
    assert "http://h/;reboot #/api/v1/jobs" in parts


def test_curl_lets_the_shell_fill_the_token_in() -> None:
    text = export.best_curl(fakes.regression(1).job, "http://h", with_token=True)
    show = text.replace("curl --fail-with-body", r"printf '%s\n'", 1)
    shell = {"ARGBEST_TOKEN": "a $secret"}
    done = subprocess.run(["sh", "-c", show], env=shell, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[: lines.index("--data-raw")] == [
        "-X", "POST", "http://h/api/v1/jobs", "-H", "Content-Type: application/json",
        "-H", "Authorization: Bearer a $secret",
    ]  # fmt: skip


def test_trials_csv_round_trips() -> None:
    fake = fakes.sampled(12)
    trials = fake.trials
    rows = read_csv(export.trials_csv(trials))
    assert [int(row["number"]) for row in rows] == [trial.number for trial in trials]
    for row, trial in zip(rows, trials, strict=True):
        assert float(row["parameters.learning_rate"]) == trial.parameters["learning_rate"]
        assert float(row["metrics.test_accuracy"]) == trial.metrics["test_accuracy"]
        dropout = row["parameters.dropout"]
        assert (float(dropout) if dropout else None) == trial.parameters.get("dropout")
    assert (rows[8]["state"], rows[8]["error.kind"]) == ("failed", "diverged")
    named = [replace(trials[0], engine="numba"), trials[1]]
    assert [row["engine"] for row in read_csv(export.trials_csv(named))] == ["numba", ""]


def test_trials_csv_quotes_and_keeps_types() -> None:
    parameters: dict[str, Any] = {"a": 'x,"y"\r\nz', "b": True, "c": [1, 2], "d": None}
    absent = replace(fakes.regression(1).trials[0], parameters={})
    trial = replace(fakes.regression(1).trials[0], parameters=parameters)
    text = export.trials_csv([trial, absent])
    row, other = read_csv(text)
    assert row["parameters.a"] == parameters["a"]
    assert [row[f"parameters.{name}"] for name in "bcd"] == ["true", "[1, 2]", "null"]
    assert [other[f"parameters.{name}"] for name in "abcd"] == [""] * 4
    assert text.endswith("\r\n")


def test_curves_csv_round_trips() -> None:
    fake = fakes.regression(5)
    short = Curve(7, (1, 2), {"extra": (None, math.inf)})
    names = [*fake.curves[0].metrics, "extra"]
    rows = read_csv("".join(export.curves_csv([*fake.curves, short], names)))
    assert [row["trial"] for row in rows] == ["0"] * 5 + ["7"] * 2
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5, 1, 2]
    values = tuple(float(row["test_rmse"]) for row in rows[:5])
    assert values == fake.curves[0].metrics["test_rmse"]
    assert (rows[0]["extra"], rows[5]["train_rmse"]) == ("", "")
    assert rows[5]["extra"] == ""
    assert float(rows[6]["extra"]) == math.inf


def test_csv_of_nothing_is_its_header() -> None:
    assert "".join(export.curves_csv([], [])) == "trial,epoch\r\n"


def test_the_columns_of_curves_are_what_the_trials_have() -> None:
    fake = fakes.sampled(12)
    assert export.metric_names(fake.trials) == list(fake.curves[0].metrics)
    assert export.metric_names([]) == []


def test_json_has_null_for_what_is_not_finite() -> None:
    trial = replace(fakes.regression(1).trials[0], metrics={"m": -math.inf, "n": 0.1})
    metrics = json.loads(export.to_json(export.trial_row(trial)))["metrics"]
    assert metrics == {"m": None, "n": 0.1}


def test_a_trial_is_shown_as_reports_show_it() -> None:
    trial = fakes.feedforward(2, failed={0: DIVERGED}).trials[0]
    row = export.trial_row(trial)
    assert list(row) == [
        "number", "state", "parameters", "seed", "metrics", "epochs", "seconds", "node",
        "attempts", "error", "engine", "purpose", "configuration", "model_bytes",
        "parent", "start_epoch",
    ]  # fmt: skip
    assert row["error"] == {"kind": "diverged", "message": DIVERGED.message}


def test_a_population_s_best_is_said_to_be_the_end_of_a_schedule() -> None:
    fake = fakes.population()
    for text in (
        export.best_yaml(fake.job),
        export.best_curl(fake.job, "http://x", with_token=False),
    ):
        assert "# Parameters changed during training (pbt)" in text
        assert "to get the same result" not in text
    rows = list(csv.DictReader(io.StringIO(export.trials_csv(fake.trials))))
    assert [(row["parent"], row["start_epoch"]) for row in rows[3:]] == [
        ("", "0"), ("0", "2"), ("4", "4"),
    ]  # fmt: skip
