"""All parameters side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from results.plots import coordinates
from tests.results import fakes
from tests.results.plots.helpers import results_of


def test_coordinates_lie_between_zero_and_one() -> None:
    results = results_of(fakes.sampled())
    columns = {column.name: column for column in coordinates.coordinates(results)}
    assert list(columns) == ["learning_rate", "hidden_size", "optimizer", "dropout"]
    rates = [trial.parameters["learning_rate"] for trial, _ in results.ranked]
    lowest, highest = rates.index(min(rates)), rates.index(max(rates))
    assert columns["learning_rate"].places[lowest] == pytest.approx(0)
    assert columns["learning_rate"].places[highest] == pytest.approx(1)
    adam = [trial.parameters["optimizer"] == "adam" for trial, _ in results.ranked]
    assert [place is None for place in columns["dropout"].places] == adam
    assert {label for _, label in columns["optimizer"].ticks} == {"sgd", "adam"}


def test_a_single_value_of_a_range_has_a_place() -> None:
    results = results_of(fakes.sampled())
    one = [replace(t, parameters={**t.parameters, "hidden_size": 100}) for t in results.trials[:-1]]
    columns = coordinates.coordinates(replace(results, trials=(*one, results.trials[-1])))
    places = next(c for c in columns if c.name == "hidden_size").places
    assert set(places) <= {0.0, 1.0}


def test_parallel_coordinates_draw_the_best_in_front() -> None:
    figure = Figure()
    results = results_of(fakes.sampled())
    coordinates.draw_coordinates(figure, results, coordinates.coordinates(results))
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 4]
    assert len(lines) == 36
    assert lines[-1].get_linewidth() == max(line.get_linewidth() for line in lines)


def test_null_is_a_value_and_an_absent_parameter_breaks_the_line() -> None:
    fake = fakes.sampled()
    values = [{"decay": None}, {"decay": 0.1}, {}]
    trials = [
        replace(trial, parameters={**trial.parameters, **values[trial.number % 3]})
        for trial in fake.trials
    ]
    results = results_of(fake._replace(trials=tuple(trials)))
    column = next(c for c in coordinates.coordinates(results) if c.name == "decay")
    assert dict(column.ticks).keys() == {0.0, 1.0}
    assert {label for _, label in column.ticks} == {"null", "0.1"}
    for (trial, _), place in zip(results.ranked, column.places, strict=True):
        assert (place is None) == ("decay" not in trial.parameters)


def test_many_values_are_labelled_in_part() -> None:
    fake = fakes.sampled()
    trials = [replace(t, parameters={**t.parameters, "n": t.number}) for t in fake.trials]
    results = results_of(fake._replace(trials=tuple(trials)))
    column = next(c for c in coordinates.coordinates(results) if c.name == "n")
    assert len(set(column.places)) == 36
    assert [label for _, label in column.ticks][:3] == ["0", "3", "6"]
