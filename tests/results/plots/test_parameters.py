"""The metric by the values of parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from matplotlib.axes import Axes

from results.analysis import JobResults
from results.plots import parameters
from results.plots.parameters import Rows
from results.plots.style import EARLY, MOST_ROWS
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake
from tests.results.plots.helpers import captions_of, collapsing, drawn, names_of, results_of


def rows_of(results: JobResults, name: str) -> Rows:
    comparison = results.comparisons[name]
    assert comparison is not None
    rows = parameters.value_rows(results, comparison)
    assert rows is not None
    return rows


def axes_of(results: JobResults, rows: Rows) -> Axes:
    return drawn(lambda figure: parameters.draw_rows(figure, results, rows))


def search_over(values: list[Any], scores: list[float] | None = None, **spec: Any) -> Fake:
    """Return a grid over one parameter whose trial ``n`` scores ``n``, or ``scores[n]``."""
    found = iter(scores or map(float, range(len(values))))
    base = fakes.grid(1).job.spec.to_json()
    changes = {"parameters": {"a": {"values": values}}, "epochs": 1} | spec
    return fakes.make(
        base | changes,
        [{"a": value} for value in values],
        lambda *_: {"validation_accuracy": next(found)},
        fakes.CLASSIFICATION,
    )


def test_rows_show_means_and_missing_results() -> None:
    results = results_of(fakes.feedforward(20, failed={2: DIVERGED}))
    axes = axes_of(results, rows_of(results, "learning_rate"))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.001", "0.01", "0.1"]
    assert [text.get_text() for text in axes.texts] == ["0.8892", "0.8812", "no result"]
    assert axes.get_ylabel() == "Learning rate"


def test_rows_have_a_dot_for_each_trial_where_a_value_has_several() -> None:
    results = results_of(fakes.grid(1))
    axes = axes_of(results, rows_of(results, "layers"))
    assert axes.collections[0].get_offsets().shape == (144, 2)


def test_a_range_is_a_scatter_on_its_scale() -> None:
    results = results_of(fakes.sampled())
    points = parameters.value_points(results, "learning_rate")
    assert points is not None
    axes = drawn(lambda figure: parameters.draw_points(figure, results, points))
    assert axes.get_xscale() == "log"
    assert len(axes.get_lines()[0].get_xdata()) == len(results.ranked) == 36


def test_means_far_off_the_others_are_triangles_at_the_edge() -> None:
    results = results_of(collapsing())
    rows = parameters.all_value_rows(results)
    assert rows is not None
    outside = [(row.parameter, row.result.value) for row in rows.rows if row.outside]
    assert outside == [("learning_rate", 0.1), ("optimizer", "adam")]
    assert "Triangles lie outside the axis" in captions_of(collapsing())["parameters"]
    axes = axes_of(results, rows)
    assert axes.get_xlim()[0] > 0.7
    assert [text.get_text() for text in axes.texts].count("0.1000") == 2


def test_a_parameter_without_any_result_has_no_plot() -> None:
    """A parameter that applies only where all trials diverged."""
    rates, sizes = [1e-7, 1e-3, 10.0], [10, 20]
    space = {
        "learning_rate": {"values": rates},
        "hidden_size": {"values": sizes, "when": {"learning_rate": 10.0}},
    }
    configurations: list[dict[str, Any]] = [{"learning_rate": rate} for rate in rates[:2]]
    configurations += [{"learning_rate": 10.0, "hidden_size": size} for size in sizes]
    spec = fakes.regression(2).job.spec.to_json()
    fake = fakes.make(
        spec | {"strategy": "grid", "parameters": space},
        configurations,
        lambda p, _: {"train_rmse": p["learning_rate"], "test_rmse": 1.0},
        fakes.REGRESSION,
        failed=dict.fromkeys((2, 3), DIVERGED),
    )
    names = names_of(fake)
    assert "parameter_learning_rate" in names
    assert "parameter_hidden_size" not in names


@pytest.mark.parametrize(
    "values",
    [list(range(14)), [f"{'long ' * 30}{n}" for n in range(14)], [[64, n] for n in range(14)]],
)
def test_labels_of_many_or_long_values_do_not_overlap(values: list[Any]) -> None:
    results = results_of(search_over(values))
    axes = axes_of(results, rows_of(results, "a"))
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert len({label.get_text() for label in axes.get_yticklabels()}) == 14
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0


def test_of_many_values_the_best_are_shown() -> None:
    fake = search_over(list(range(100)))
    results = results_of(fake)
    rows = rows_of(results, "a").rows
    assert [row.result.value for row in rows] == list(range(100 - MOST_ROWS, 100))
    assert captions_of(fake)["parameter_a"].endswith(f" The best {MOST_ROWS} of 100 values.")


def test_trials_that_ended_early_are_hollow_marks_beside_the_others() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7)
    results = results_of(fake)
    points = parameters.value_points(results, "learning_rate")
    assert points is not None
    assert (len(points.points), len(points.early)) == (1, 10)
    early, *_ = drawn(lambda figure: parameters.draw_points(figure, results, points)).get_lines()
    assert (len(early.get_xdata()), early.get_label()) == (10, EARLY)
    axes = axes_of(results, rows_of(results, "optimizer"))
    hollow, _ = axes.collections
    assert len(hollow.get_offsets()) == 10
    assert hollow.get_facecolor().size == 0
    assert EARLY in axes.get_legend_handles_labels()[1]
    captions = captions_of(fake)
    assert captions["parameter_optimizer"] == (
        "Last validation accuracy of each trial that trained to the end by optimizer (not"
        " comparable, as only one value has a result), with the mean for each value. Light, hollow"
        " marks are trials that ended early, at their last epoch."
    )
    assert captions["parameter_learning_rate"].endswith("at their last epoch.")
