"""Figures of parameters: Optuna's places, our numbers and our trials."""

from __future__ import annotations

import pytest

from results.analysis import JobResults
from results.figures.figure import Figure
from results.figures.parameters import (
    MOST_UNDER_CONTOUR,
    choosable,
    contour,
    having,
    importance,
    likely,
    likely_pair,
    rank,
    slices,
)
from results.plots.searches import importances
from tests.results import fakes
from tests.results.test_unusual_parameters import job as unusual


@pytest.fixture(scope="module")
def results() -> JobResults:
    return JobResults.of(*fakes.sampled())


def assert_points(results: JobResults, trace: dict[str, object], *members: str) -> None:
    """Each point has the value of its trial."""
    scores = {trial.number: score for trial, score in results.ranked}
    axes = [trace[axis] for axis in ("x", "y")]
    numbers = trace["customdata"]
    assert isinstance(numbers, list)
    assert numbers
    for member, values in zip(members, axes, strict=True):
        for number, value in zip(numbers, values, strict=True):  # type: ignore[call-overload]
            trial = results.trial(number)
            assert trial is not None
            assert value == (scores[number] if member == "score" else trial.parameters[member])


def test_those_are_chosen_that_matter_and_go_together(results: JobResults) -> None:
    assert choosable(results) == ("learning_rate", "hidden_size", "optimizer", "dropout")
    shares = importances(results)
    assert likely(results, 2) == sorted(shares, key=lambda name: -shares[name])[:2]
    assert set(likely_pair(results)) <= set(shares)
    # Dropout exists under one optimizer alone.
    assert not having(results, ("optimizer", "dropout"))
    assert having(results, ("learning_rate", "dropout"))


def test_importances_are_bars_with_the_first_on_top(results: JobResults) -> None:
    (bars,) = importance(results, ())["data"]
    assert dict(zip(bars["y"], bars["x"], strict=True)) == importances(results)
    assert bars["x"] == sorted(bars["x"])


def test_a_slice_has_a_point_for_each_configuration_that_has_the_parameter(
    results: JobResults,
) -> None:
    drawn = slices(results, ["learning_rate", "dropout", "optimizer"])
    dropout, rate, optimizer = drawn["data"]  # by name
    for trace, name in ((dropout, "dropout"), (rate, "learning_rate"), (optimizer, "optimizer")):
        assert_points(results, trace, name, "score")
        having = [t.number for t, _ in results.ranked if name in t.parameters]
        assert sorted(trace["customdata"]) == sorted(having)
    layout = drawn["layout"]
    assert (layout["xaxis2"]["type"], layout["xaxis3"]["type"]) == ("log", "category")
    assert sorted(layout["xaxis3"]["categoryarray"]) == ["adam", "sgd"]
    assert layout["yaxis"]["title"]["text"] == "Validation accuracy"
    assert not {"template", "title", "width"} & set(layout)


def test_a_contour_and_a_rank_have_the_configurations_with_both_parameters(
    results: JobResults,
) -> None:
    pair = ["dropout", "learning_rate"]
    plane, dots = contour(results, pair)["data"]
    assert plane["reversescale"] is True  # more is better: dark
    assert_points(results, dots, *pair)
    ranked, scale = rank(results, pair)["data"]
    assert_points(results, ranked, *pair)
    assert "hovertext" not in ranked
    assert scale["marker"]["colorbar"]["ticktext"][0].startswith("min.")


def test_values_of_lists_are_written_as_everywhere() -> None:
    results = JobResults.of(*unusual("tpe"))
    (trace,) = slices(results, ["model.hidden-sizes"])["data"]
    assert set(trace["x"]) == {"[64, 64]", "[128]", "[]"}
    (trace,) = slices(results, ["decay"])["data"]
    assert set(trace["x"]) == {"null", "0.1"}


def test_of_very_many_configurations_a_contour_takes_some() -> None:
    results = JobResults.of(*fakes.sampled(400, epochs=1))
    drawn: Figure = contour(results, ["hidden_size", "learning_rate"])
    plane, dots = drawn["data"]
    assert len(dots["customdata"]) == MOST_UNDER_CONTOUR
    assert len(plane["z"]) <= MOST_UNDER_CONTOUR + 2
    best, worst = results.ranked[0][0].number, results.ranked[-1][0].number
    assert {best, worst} <= set(dots["customdata"])
