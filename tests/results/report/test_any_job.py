"""Every job has a report in every format, whatever its trials did."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from results import plots, report
from results.analysis import JobResults
from results.records import Failure
from results.states import FailureKind, JobState, TrialState
from search_spaces import SearchSpace, configurations
from tests.results import fakes
from tests.results.generated import job_results
from tests.results.report.made import HOSTILE, NOON

PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="40"><path d="M2 9L6 4"/></svg>'
)


@given(results=job_results())
def test_any_job_has_a_report_in_every_format(results: JobResults) -> None:
    made = report.build(results, generated_at=NOON)
    json.dumps(made.content, allow_nan=False)
    for table in made.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)} == {len(table.numeric)}
    words = " ".join(made.content["explanation"]).replace("(", " ").replace(",", " ").split()
    assert not {"nan", "inf", "-inf", "None", "n/a"} & set(words)
    # The tests of plots draw all of them.
    drawn = {plot["name"]: PICTURE for plot in made.content["plots"]}
    for form in ("html", "md", "json", "pdf"):
        assert report.render(made, form, drawn)


SPACE = SearchSpace.from_json({
    "name": "rates", "trainable": "numpy_neural_regression", "dataset": "ames", "epochs": 2,
    "metric": "train_rmse", "mode": "min", "strategy": "grid",
    "parameters": {
        "learning_rate": {"values": [1e-7, 1e-3, 10.0]},
        "hidden_size": {"values": [10, 20], "when": {"learning_rate": 10.0}},
    },
})  # fmt: skip


@pytest.mark.parametrize("state", [TrialState.FAILED, TrialState.RUNNING])
def test_a_conditional_parameter_without_any_result_is_drawn(state: TrialState) -> None:
    failed = Failure(FailureKind.DIVERGED, HOSTILE + "\x00\x1b\x7f\u2028\n")
    fake = fakes.make(
        {**SPACE.to_json(), "seed": 42, "trials": 4},
        list(configurations(SPACE)), fakes.regression_curve, fakes.REGRESSION,
        dict.fromkeys((2, 3), failed),
    )  # fmt: skip
    if state is TrialState.RUNNING:
        running = [replace(trial, state=state, error=None) for trial in fake.trials[2:]]
        job = replace(fake.job, state=JobState.RUNNING, finished_at=None)
        fake = fake._replace(job=job, trials=(*fake.trials[:2], *running))
    results = JobResults.of(*fake)
    made = report.build(results, generated_at=NOON)
    names = [plot["name"] for plot in made.content["plots"]]
    assert "parameter_learning_rate" in names
    drawn = {name: plots.draw(name, results, "svg") for name in names}
    for form in ("html", "md", "json", "pdf"):
        assert report.render(made, form, drawn)
