"""Which plots there are, the numbers behind them, and that the files are sound."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from results import plots
from results.analysis import JobResults
from results.curve_shape import CurvePoint
from results.errors import UnknownPlot
from results.plots import curves, searches, study
from results.plots.parameters import draw_parameter, draw_parameters, value_dots
from results.plots.style import MOST_MARKS, plain, spread
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake

CURVES = ["train_loss", "validation_accuracy", "test_accuracy", "accuracy"]
PARAMETERS = ["learning_rate", "hidden_size", "dropout", "activation", "optimizer"]
NUMBERED = [f"parameter_{name}" for name in PARAMETERS]
TOGETHER = "parameters"


def names_of(fake: Fake) -> list[str]:
    return [info.name for info in plots.available(results_of(fake))]


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def test_plots_of_each_kind_of_job() -> None:
    assert names_of(fakes.feedforward()) == [*CURVES, *NUMBERED, TOGETHER]
    assert names_of(fakes.regression()) == [
        "train_rmse",
        "test_rmse",
        "distance_to_analytic",
        "rmse",
    ]
    assert names_of(fakes.grid(1)) == [
        *CURVES, *NUMBERED, "parameter_layers", TOGETHER, "importance", "parallel_coordinates",
    ]  # fmt: skip
    assert names_of(fakes.sampled()) == [
        *CURVES, "parameter_learning_rate", "parameter_hidden_size", "parameter_optimizer",
        "parameter_dropout", TOGETHER, "history", "importance", "parallel_coordinates",
    ]  # fmt: skip


def test_no_plots_before_the_first_report() -> None:
    fake = fakes.feedforward(1)
    queued = replace(fake.job, best=None)
    assert plots.available(JobResults.of(queued, (), (), fake.metrics)) == ()


def test_only_curves_while_nothing_has_succeeded() -> None:
    failed = fakes.feedforward(2, failed=dict.fromkeys(range(7), DIVERGED))
    # No trial is selected, so of none the test accuracy may be shown, but for the plot of one's.
    assert names_of(failed) == ["train_loss", "validation_accuracy", "accuracy"]


def test_unknown_plots_are_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownPlot, match=r"'nonsense'; there are: train_rmse, test_rmse"):
        plots.draw("nonsense", results_of(fakes.regression(1)), "png")


def test_every_plot_draws_as_svg_that_parses_and_has_its_title() -> None:
    for fake in (fakes.feedforward(3), fakes.regression(3), fakes.sampled(20, 2)):
        for info in plots.available(results_of(fake)):
            root = ET.fromstring(plots.draw(info.name, results_of(fake), "svg"))
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert root.findtext("{http://www.w3.org/2000/svg}title") == info.title
            assert info.caption.endswith(".")


def captions_of(fake: Fake) -> dict[str, str]:
    return {info.name: info.caption for info in plots.available(results_of(fake))}


def test_captions_of_one_parameter_at_a_time() -> None:
    assert captions_of(fakes.feedforward()) == {
        "train_loss": "Training loss during each epoch, mean over its samples as they are trained"
        " on, 7 trials.",
        "validation_accuracy": "Validation accuracy after each epoch, 7 trials.",
        "test_accuracy": "Test accuracy after each epoch, the selected trial only.",
        "accuracy": "Validation accuracy and test accuracy of trial 1 by epoch; the circle marks"
        " the highest validation accuracy.",
        **{
            f"parameter_{name}": f"Last validation accuracy of each trial by"
            f" {name.replace('_', ' ')} (the other parameters at their defaults)."
            for name in PARAMETERS
        },
        "parameters": "Last validation accuracy by the value of each parameter (the other"
        " parameters at their defaults). A hollow diamond is the default.",
    }


def test_captions_of_a_regression() -> None:
    captions = captions_of(fakes.regression())
    assert captions["rmse"] == (
        "Training RMSE and test RMSE by epoch; the circle marks the lowest test RMSE (for"
        " reference)."
    )
    assert captions["distance_to_analytic"] == (
        "Distance to the analytic solution after each epoch, 1 trial, logarithmic axis."
    )


def test_captions_of_a_grid_and_of_a_sampler() -> None:
    assert captions_of(fakes.grid(1))["parameter_layers"] == (
        "Last validation accuracy of each trial by layers (mean over 48 combinations of the other"
        " parameters), with the mean for each value."
    )
    sampled = captions_of(fakes.sampled())
    drawn = "(over the trials sampled, which is no controlled comparison)"
    assert sampled["parameter_learning_rate"] == (
        f"Last validation accuracy of each trial by learning rate {drawn}."
    )
    assert sampled["parameter_optimizer"] == (
        f"Last validation accuracy of each trial by optimizer {drawn}, with the mean for each"
        " value."
    )
    assert "diamond" not in sampled["parameters"]


def test_the_caption_of_a_single_parameter() -> None:
    spec = {**fakes.feedforward(1).job.spec.to_json(), "strategy": "grid", "parameters": {}}
    configurations = [{"learning_rate": rate} for rate in (0.001, 0.01)]
    fake = fakes.make(spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION)
    captions = captions_of(fake)
    assert captions["parameter_learning_rate"] == (
        "Last validation accuracy of each trial by learning rate (all else equal)."
    )
    assert "parameters" not in captions


def test_a_png_has_300_dots_per_inch() -> None:
    fake = fakes.regression(3)
    png = plots.draw("rmse", results_of(fake), "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    # Width and height in the IHDR chunk: 6.4 by 4.0 inches at 300 dots per inch.
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (1920, 1200)


def test_the_same_numbers_give_the_same_bytes_also_in_threads() -> None:
    fake = fakes.sampled(15, 2)
    names = ["train_loss", "accuracy", "history", "parameter_optimizer"] * 2
    before = dict(mpl.rcParams)
    alone = [plots.draw(name, results_of(fake), "svg") for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: plots.draw(name, results_of(fake), "svg"), names))
    assert together == alone
    assert dict(mpl.rcParams) == before
    assert not any(b"<dc:date>" in svg for svg in alone)


# --- what is drawn --------------------------------------------------------------------------


def draw_metric(figure: Figure, results: JobResults, metric: str) -> None:
    shown = curves.metric_axis(results, metric)
    assert shown is not None
    curves.draw_metric(figure, results, shown)


def test_few_trials_are_labelled_and_the_best_is_thickest() -> None:
    figure = Figure()
    draw_metric(figure, results_of(fakes.feedforward()), "train_loss")
    lines = figure.axes[0].get_lines()
    labels = [str(line.get_label()) for line in lines]
    assert labels == [
        "defaults", "learning rate 0.001 (best)", "learning rate 0.1", "hidden size 100",
        "dropout 0.5", "activation tanh", "optimizer adam",
    ]  # fmt: skip
    assert max(lines, key=lambda line: line.get_linewidth()).get_label() == labels[1]
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 7
    assert tuple(lines[0].get_ydata()) == fakes.feedforward().curves[0].metrics["train_loss"]
    assert figure.axes[0].get_ylabel() == "Training loss (cross-entropy) [nats]"


def test_many_trials_are_gray_but_for_the_best() -> None:
    figure = Figure()
    draw_metric(figure, results_of(fakes.grid(2)), "train_loss")
    lines = figure.axes[0].get_lines()
    assert len(lines) == 144
    assert len({line.get_color() for line in lines[:-1]}) == 1
    assert lines[-1].get_label() == "trial 26 (best)"


def test_a_line_of_very_many_points_keeps_its_extremes_and_its_ends() -> None:
    points = [CurvePoint(epoch, math.sin(epoch) * (epoch % 997)) for epoch in range(1, 50_001)]
    kept = curves.outline(points)
    assert len(kept) <= 4 * 1000
    assert list(kept) == sorted(set(kept))
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    # 50 epochs to a column of pixels: in each, the line reaches as high and as low as before.
    for first in range(0, 50_000, 50):
        column = points[first : first + 50]
        assert {min(column, key=lambda p: p.value), max(column, key=lambda p: p.value)} <= set(kept)
    assert curves.outline(points[:4000]) == points[:4000]


def test_of_many_trials_the_best_are_drawn() -> None:
    whole = results_of(fakes.sampled(MOST_MARKS + 300, 1))
    numbers = {trial.number for trial in whole.shown}
    results = replace(whole, curves={n: c for n, c in whole.curves.items() if n in numbers})
    captions = {info.name: info.caption for info in plots.available(results)}
    assert captions["train_loss"].startswith(
        "Training loss during each epoch, mean over its samples as they are trained on, 200 of"
        " 2300 trials, the best among them."
    )
    assert "one of the 200 best trials" in captions["parallel_coordinates"]
    figure = Figure()
    searches.draw_parallel_coordinates(figure, results)
    assert len([line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 4]) == 200
    # Every trial has its mark, but these are one picture in the SVG, not a path each.
    for name in ("history", "parameter_learning_rate", "parameter_optimizer"):
        svg = plots.draw(name, results, "svg")
        assert b'xlink:href="data:image/png;base64,' in svg
        assert len(svg) < 10**6
        ET.fromstring(svg)


def test_a_diverging_trial_does_not_flatten_the_others() -> None:
    fake = fakes.feedforward(4, failed={2: DIVERGED})
    wild = replace(
        fake.curves[2], metrics={**fake.curves[2].metrics, "train_loss": (1e300, math.inf)}
    )
    figure = Figure()
    results = results_of(fake._replace(curves=(*fake.curves[:2], wild, *fake.curves[3:])))
    draw_metric(figure, results, "train_loss")
    assert figure.axes[0].get_ylim()[1] < 2
    shown = curves.metric_axis(results, "train_loss")
    assert shown is not None
    assert shown.outside == (2,)


def collapsing() -> Fake:
    """Trials 2 and 6 of seven end at the accuracy of a guess."""
    fake = fakes.feedforward(4)
    low = {n: replace(fake.curves[n], metrics={"validation_accuracy": (0.1,) * 4}) for n in (2, 6)}
    guess = {"validation_accuracy": 0.1}
    return fake._replace(
        curves=tuple(low.get(curve.trial, curve) for curve in fake.curves),
        trials=tuple(replace(t, metrics=guess) if t.number in low else t for t in fake.trials),
    )


def test_collapsed_trials_do_not_squeeze_the_others() -> None:
    fake = collapsing()
    results = results_of(fake)
    shown = curves.metric_axis(results, "validation_accuracy")
    assert shown is not None
    assert shown.outside == (2, 6)
    assert shown.low > 0.7
    assert captions_of(fake)["validation_accuracy"] == (
        "Validation accuracy after each epoch, 7 trials. The axis is limited to the other trials;"
        " it leaves out parts of trial 2 (learning rate 0.1) and trial 6 (optimizer adam)."
    )
    dots = value_dots(results)
    outside = [(d.parameter, d.row.value) for d in dots if d.outside]
    assert outside == [("learning_rate", 0.1), ("optimizer", "adam")]
    assert "Triangles lie outside the axis" in captions_of(fake)["parameters"]
    figure = Figure()
    draw_parameters(figure, results)
    assert figure.axes[0].get_xlim()[0] > 0.7
    assert [text.get_text() for text in figure.axes[0].texts].count("0.1000") == 2


@pytest.mark.parametrize(
    ("values", "mode", "expected"),
    [
        ([0.88, 0.87, 0.86, 0.1, 0.1], "max", {3, 4}),
        ([0.3, 0.31, 0.5, 10.0], "min", {3}),
        ([0.88, 0.1, 0.1], "max", set()),  # Two of three: the others are no majority.
        ([0.88, 0.85, 0.80, 0.75], "max", set()),
        ([0.5, 0.5, 0.5, 0.5001], "min", set()),
        ([0.5], "min", set()),
        ([], "max", set()),
    ],
)
def test_collapsed(values: list[float], mode: str, expected: set[int]) -> None:
    assert curves.collapsed(dict(enumerate(values)), mode) == expected


def test_a_test_metric_is_drawn_of_the_selected_trial_only() -> None:
    shown = curves.metric_axis(results_of(fakes.feedforward()), "test_accuracy")
    assert shown is not None
    assert shown.trials == (1,)


def test_wide_and_declared_logarithmic_axes() -> None:
    figure = Figure()
    draw_metric(figure, results_of(fakes.regression(5)), "distance_to_analytic")
    assert figure.axes[0].get_yscale() == "log"
    assert curves.spans_decades([0.01, 0.5, 1.0], "max")
    assert not curves.spans_decades([0.02, 1.0], "max")
    assert curves.spans_decades([0.1, 1.0], "min")
    assert not curves.spans_decades([0.11, 1.0], "min")
    assert not curves.spans_decades([0.0, 1.0], "min")
    assert not curves.spans_decades([], "min")


def test_splits_mark_the_best_validation_value_where_there_is_one() -> None:
    figure = Figure()
    curves.draw_splits(
        figure, results_of(fakes.feedforward()), 1, ["validation_accuracy", "test_accuracy"]
    )
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels[-1] == "highest validation accuracy: epoch 14, 0.8919"


def test_splits_mark_the_best_test_value_for_reference_where_nothing_else_is_held_out() -> None:
    figure = Figure()
    results = results_of(fakes.regression())
    assert curves.split_groups(results) == {"rmse": ["train_rmse", "test_rmse"]}
    curves.draw_splits(figure, results, 0, ["train_rmse", "test_rmse"])
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels == [
        "Training RMSE",
        "Test RMSE",
        "lowest test RMSE (for reference): epoch 71, 0.1950",
    ]
    assert figure.axes[0].get_ylabel() == "RMSE [log price]"


def test_parameter_columns_show_means_and_missing_results() -> None:
    figure = Figure()
    fake = fakes.feedforward(20, failed={2: DIVERGED})
    draw_parameter(figure, results_of(fake), "learning_rate")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.001", "0.01", "0.1"]
    assert [text.get_text() for text in axes.texts] == ["0.8892", "0.8812", "no result"]


def test_parameter_range_is_a_scatter_on_its_scale() -> None:
    figure = Figure()
    results = results_of(fakes.sampled())
    draw_parameter(figure, results, "learning_rate")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert len(axes.collections[0].get_offsets()) == len(results.ranked) == 36


# --- the study ------------------------------------------------------------------------------


def test_history_keeps_the_best_so_far() -> None:
    points = study.history(results_of(fakes.sampled()))
    assert [point.trial for point in points] == [n for n in range(40) if n % 9 != 8]
    best = -math.inf
    for point in points:
        best = max(best, point.score)
        assert point.best == best


def decided_by(name: str) -> Fake:
    """Fifty trials over two parameters, of which one decides the score."""

    def curve(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 1 - abs(parameters[name] - 0.3)}

    configurations = [{"a": (n * 0.618034) % 1, "b": (n * 0.754878) % 1, "c": 1} for n in range(50)]
    domain = {"low": 0.0, "high": 1.0, "log": False, "type": "float"}
    changes = {"epochs": 1, "parameters": {"a": domain, "b": domain, "c": 1}}
    spec = fakes.sampled(2).job.spec.to_json() | changes
    return fakes.make(spec, configurations, curve, fakes.CLASSIFICATION)


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_deciding_parameter_is_the_important_one(name: str) -> None:
    shares = study.importances(results_of(decided_by(name)))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[name] > 0.8


def test_importances_of_categories_and_conditions() -> None:
    # The formula takes most for Adam and for the learning rate; batch_size does not vary.
    shares = study.importances(results_of(fakes.sampled(80, 1)))
    assert set(shares) == {"learning_rate", "hidden_size", "optimizer", "dropout"}


def test_no_importances_of_too_few_or_equal_trials() -> None:
    assert study.importances(results_of(fakes.sampled(9))) == {}
    fake = decided_by("a")

    def same(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 0.5}

    equal = fakes.make(
        fake.job.spec.to_json(), [t.parameters for t in fake.trials], same, fakes.CLASSIFICATION
    )
    assert study.importances(results_of(equal)) == {}
    assert "importance" not in names_of(equal)
    assert plots.draw("parallel_coordinates", results_of(equal), "svg").startswith(b"<?xml")


def test_coordinates_lie_between_zero_and_one() -> None:
    results = results_of(fakes.sampled())
    columns = {column.name: column for column in study.coordinates(results)}
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
    columns = study.coordinates(replace(results, trials=(*one, results.trials[-1])))
    places = next(c for c in columns if c.name == "hidden_size").places
    assert set(places) <= {0.0, 1.0}


def test_parallel_coordinates_draw_the_best_in_front() -> None:
    figure = Figure()
    searches.draw_parallel_coordinates(figure, results_of(fakes.sampled()))
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 4]
    assert len(lines) == 36
    assert lines[-1].get_linewidth() == max(line.get_linewidth() for line in lines)


# --- hostile texts --------------------------------------------------------------------------


def test_plain_text_has_no_tex_and_no_missing_glyphs() -> None:
    assert plain("$x$") == r"\$x\$"
    assert plain("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"
    assert plain("日") == "\N{REPLACEMENT CHARACTER}"
    assert len(plain("x" * 100)) == 60


@pytest.mark.parametrize("value", [r"$\frac{$", "日本語", "-->]]><script>", "x" * 200, ""])
def test_any_value_can_be_drawn(value: str) -> None:
    spec = {
        **fakes.feedforward(2).job.spec.to_json(),
        "strategy": "grid",
        "parameters": {"activation": {"values": ["relu", value]}},
    }
    fake = fakes.make(
        spec,
        [{"learning_rate": 0.1, "activation": v} for v in ("relu", value)],
        fakes.classification_curve,
        {},
    )
    for info in plots.available(results_of(fake)):
        ET.fromstring(plots.draw(info.name, results_of(fake), "svg"))


def test_extreme_numbers_can_be_drawn() -> None:
    fake = fakes.regression(4)
    for values in ((1e308, -1e308, math.nan, 0.0), (5e-324, 1e308, 1.0, 2.0), (0.0,) * 4):
        wild = replace(fake.curves[0], metrics=dict.fromkeys(fakes.REGRESSION, values))
        extreme = fake._replace(curves=(wild,))
        assert names_of(extreme) == names_of(fake)
        for name in names_of(extreme):
            assert plots.draw(name, results_of(extreme), "png").startswith(b"\x89PNG")


def test_extreme_scores_can_be_drawn() -> None:
    spec = fakes.grid(1).job.spec.to_json()
    configurations = [{"learning_rate": rate} for rate in (0.001, 0.01, 0.1)]
    scores = {0.001: 1e308, 0.01: 1e-308, 0.1: 0.5}
    fake = fakes.make(
        spec,
        configurations,
        lambda parameters, _: {"validation_accuracy": scores[parameters["learning_rate"]]},
        fakes.CLASSIFICATION,
    )
    ET.fromstring(plots.draw("parameter_learning_rate", results_of(fake), "svg"))


def test_spread_is_even_and_bounded() -> None:
    places = sorted(spread(index) for index in range(100))
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert -1 <= places[0] < places[-1] <= 1
    assert max(gaps) < 0.05
