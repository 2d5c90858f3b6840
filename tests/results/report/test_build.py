"""What the JSON report says."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from tests.results import fakes
from tests.results.fakes import DIVERGED
from tests.results.report.made import built


def test_the_report_is_json_without_nan() -> None:
    fake = fakes.feedforward(2, failed={3: DIVERGED})
    wild = replace(fake.trials[3], metrics={"train_loss": math.nan})
    trials = (*fake.trials[:3], wild, *fake.trials[4:])
    made = built(fake._replace(trials=trials)).content
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["trials"][3]["metrics"] == {"train_loss": None}
    assert made["trials"][3]["error"] == {"kind": "diverged", "message": DIVERGED.message}


def test_the_keys_of_a_report() -> None:
    made = built(fakes.feedforward()).content
    assert set(made) >= {
        "job", "title", "generated_at", "metric", "best", "explanation", "summary", "trials",
        "varied", "comparison", "metrics", "plots", "curves", "reproduce",
    }  # fmt: skip
    assert made["title"] == "Feed-forward network with one hidden layer (Q4.2)"
    assert made["generated_at"] == "2026-03-01T12:30:15.000500+00:00"
    assert made["varied"] == [
        "learning_rate", "hidden_size", "dropout", "activation", "optimizer",
    ]  # fmt: skip
    assert made["constants"] == {"layers": 1, "batch_size": 1}
    assert (made["best"]["trial"], made["best"]["description"]) == (1, "learning rate 0.001")
    assert made["metric"]["mode"] == "max"
    assert [trial["rank"] for trial in made["trials"]] == [2, 1, 6, 5, 3, 4, 7]
    assert made["plots"][0]["name"] == "train_loss"


def test_the_comparison_and_the_curves() -> None:
    made = built(fakes.feedforward()).content
    rates = made["comparison"][0]
    assert rates["parameter"] == "learning_rate"
    assert [(row["value"], row["trials"], row["best_trial"]) for row in rates["rows"]] == [
        (0.001, 1, 1),
        (0.01, 1, 0),
        (0.1, 1, 2),
    ]
    curve = next(
        c for c in made["curves"] if (c["trial"], c["metric"]) == (1, "validation_accuracy")
    )
    assert (curve["first"]["epoch"], curve["best"]["epoch"], curve["last"]["epoch"]) == (1, 14, 20)


def test_reproduce_names_the_server() -> None:
    made = built(fakes.regression(1), base_url="https://search.example:8443").content
    assert "https://search.example:8443/api/v1/jobs" in made["reproduce"]["curl"]


def test_a_report_of_many_trials_says_that_it_shows_the_best() -> None:
    failed = dict.fromkeys(range(0, 500, 2), DIVERGED)
    many = fakes.sampled(1000, 1)
    configurations = [trial.parameters for trial in many.trials]
    fake = fakes.make(
        many.job.spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION, failed
    )
    made = built(fake).content
    assert made["explanation"][-1].startswith("Tables and plots show 200 of the 1000 trials: the")
    assert (made["shown"], len(made["trials"]), made["summary"]["scored"]) == (200, 1000, 750)
    assert "Tables and plots" not in str(built(fakes.grid(1)).content["explanation"])


def test_null_and_absent_parameters_and_engines_stay_apart() -> None:
    fake = fakes.regression(1)
    trials = [
        replace(fake.trials[0], parameters={"clip": None}, engine="numba"),
        replace(fake.trials[0], number=1, parameters={}),
    ]
    made = built(fake._replace(trials=tuple(trials))).content["trials"]
    assert [(t["parameters"], t["engine"]) for t in made] == [({"clip": None}, "numba"), ({}, "")]
