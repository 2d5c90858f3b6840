"""Parameter names with dots and hyphens, and values that are lists: plots, reports, exports."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from results import export, plots, report
from results.analysis import JobResults
from results.plots.names import plot_name
from results.study import make_study
from search_spaces import SearchSpace, configurations
from search_spaces.yaml_files import load_yaml
from tests.results import fakes
from tests.results.fakes import CLASSIFICATION, Fake

PARAMETERS: dict[str, Any] = {
    "model.hidden-sizes": {"values": [[64, 64], [128], []]},
    "model.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "decay": {"values": [None, 0.1]},
    "second": {"values": ["a", "b"], "when": {"model.hidden-sizes": [[64, 64], [128]]}},
    "num-layers": {"low": 1, "high": 3},
    "third": {"value": 1, "when": {"num-layers": {"at_least": 2}}},
}


def job(strategy: str) -> Fake:
    listed = {**PARAMETERS, "model.optimizer.lr": {"values": [1e-4, 1e-3, 1e-2]}}
    raw = {
        "name": "unusual", "title": "Unusual", "trainable": "any", "dataset": "images",
        "epochs": 2, "metric": "validation_accuracy", "mode": "max",
    }  # fmt: skip
    grid = SearchSpace.from_json({**raw, "strategy": "grid", "parameters": listed})
    trials = json.loads(json.dumps(list(configurations(grid))))[::2]
    spec = {**raw, "strategy": strategy, "trials": len(trials), "seed": 42}
    declared = PARAMETERS if strategy == "tpe" else listed
    return fakes.make({**spec, "parameters": declared}, trials, curve, CLASSIFICATION)


def curve(parameters: Any, epoch: int) -> dict[str, float]:
    rate = parameters["model.optimizer.lr"]
    score = 0.5 + 10 * rate + 0.01 * epoch + 0.001 * sum(parameters["model.hidden-sizes"])
    return {"train_loss": 1 - score, "validation_accuracy": score, "test_accuracy": score}


@pytest.fixture(params=["grid", "tpe"])
def fake(request: pytest.FixtureRequest) -> Fake:
    return job(request.param)


def test_every_plot_is_drawn_and_named_after_its_parameter(fake: Fake) -> None:
    results = JobResults.of(*fake)
    names = [info.name for info in plots.available(results)]
    for name in ("model.hidden-sizes", "num-layers", "decay"):
        assert plot_name(f"parameter_{name}") in names
    for name in names:
        svg = plots.draw(name, results, "svg")
        assert ET.fromstring(svg).tag.endswith("svg")


@pytest.mark.parametrize("style", ["html", "md", "json", "pdf"])
def test_reports_show_names_and_lists(fake: Fake, style: Any) -> None:
    built = report.build(JobResults.of(*fake), generated_at=datetime(2026, 3, 1, tzinfo=UTC))
    rendered = report.render(built, style, {})
    if style == "html":
        assert b"model.hidden-sizes" in rendered
        assert b"[64, 64]" in rendered


def test_the_table_of_trials_has_lists_as_json(fake: Fake) -> None:
    rows = list(csv.DictReader(io.StringIO(export.trials_csv(fake.trials))))
    for row, trial in zip(rows, fake.trials, strict=True):
        sizes = json.loads(row["parameters.model.hidden-sizes"])
        assert sizes == trial.parameters["model.hidden-sizes"]
        assert float(row["parameters.model.optimizer.lr"]) > 0
        assert (row["parameters.second"] == "") == ("second" not in trial.parameters)


def test_the_best_configuration_can_be_run_again(fake: Fake) -> None:
    again = SearchSpace.from_json(load_yaml(export.best_yaml(fake.job)).value)
    assert fake.job.best is not None
    assert list(configurations(again)) == [fake.job.best.parameters]


def test_a_study_holds_all_configurations() -> None:
    results = JobResults.of(*job("tpe"))
    study = make_study(results.space, results.ranking.configurations)
    assert len(study.trials) == len(results.trials)
    assert study.best_trial.params["model.hidden-sizes"] == "[64, 64]"
