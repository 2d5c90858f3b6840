"""What a trial of a population was trained with, through all the trials before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.analysis import JobResults
from results.lineage import Part, ancestry, origin_text, schedule, whole_curve
from tests.results import fakes

FAKE = fakes.population()
TRIALS = {trial.number: trial for trial in FAKE.trials}
CURVES = {curve.trial: curve for curve in FAKE.curves}


def test_the_ancestors_come_first() -> None:
    assert [trial.number for trial in ancestry(TRIALS, 5)] == [0, 4, 5]
    assert [trial.number for trial in ancestry(TRIALS, 1)] == [1]
    assert ancestry(TRIALS, 9) == ()
    assert origin_text(TRIALS[5]) == "trial 4, epoch 4"
    assert origin_text(TRIALS[0]) == ""


def test_a_schedule_has_each_stretch_with_its_values() -> None:
    assert schedule(TRIALS, 5) == (
        Part(0, 1, 2, {"learning_rate": 0.1}),
        Part(4, 3, 4, {"learning_rate": 0.12}),
        Part(5, 5, 6, {"learning_rate": 0.15}),
    )
    waits = {**TRIALS, 5: replace(TRIALS[5], epochs=4)}
    assert [part.trial for part in schedule(waits, 5)] == [0, 4]


def test_the_whole_curve_has_the_epochs_before() -> None:
    found = whole_curve(TRIALS, CURVES, 5)
    assert found is not None
    assert found.epochs == (1, 2, 3, 4, 5, 6)
    wanted = [0.99, 0.98, 0.968, 0.956, 0.941, 0.926]
    assert found.metrics["m"] == pytest.approx(wanted)
    assert whole_curve(TRIALS, {5: CURVES[5]}, 5) is None
    results = JobResults.of(*FAKE)
    assert results.curve_of(5) == found
    assert results.curve_of(1) == CURVES[1]
    assert results.curve_of(9) is None
    assert [trial.trained for trial in FAKE.trials] == [6, 6, 2, 4, 4, 2]
