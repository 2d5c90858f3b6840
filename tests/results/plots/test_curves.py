"""One metric over the epochs: the trials drawn, the scale, the lines."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from matplotlib.axes import Axes

from results.analysis import JobResults
from results.curve_shape import CurvePoint
from results.plots import curves
from results.plots.curves import MetricCurves
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import DIVERGED
from tests.results.plots.helpers import captions_of, collapsing, drawn, results_of


def curves_of(results: JobResults, metric: str) -> MetricCurves:
    found = curves.metric_curves(results, metric)
    assert found is not None
    return found


def axes_of(results: JobResults, metric: str) -> Axes:
    found = curves_of(results, metric)
    return drawn(lambda figure: curves.draw_curves(figure, results, found))


def test_few_trials_are_labelled_and_the_best_is_thickest() -> None:
    axes = axes_of(results_of(fakes.feedforward()), "train_loss")
    lines = axes.get_lines()
    labels = [str(line.get_label()) for line in lines]
    assert labels == [
        "defaults", "learning rate 0.001 (best)", "learning rate 0.1", "hidden size 100",
        "dropout 0.5", "activation tanh", "optimizer adam",
    ]  # fmt: skip
    assert max(lines, key=lambda line: line.get_linewidth()).get_label() == labels[1]
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 7
    assert tuple(lines[0].get_ydata()) == fakes.feedforward().curves[0].metrics["train_loss"]
    assert axes.get_ylabel() == "Training loss (cross-entropy) [nats]"


def test_many_trials_are_gray_but_for_the_best() -> None:
    axes = axes_of(results_of(fakes.grid(2)), "train_loss")
    lines = axes.get_lines()
    assert len(lines) == 144
    assert len({line.get_color() for line in lines[:-1]}) == 1
    assert lines[-1].get_label() == "trial 26 (best)"


def test_lines_of_trials_that_ended_early_or_failed_are_told_apart() -> None:
    fake = fakes.stopped(fakes.grid(2), 0, 1, 2)
    trials = [replace(t, state=TrialState.FAILED) if t.number == 3 else t for t in fake.trials]
    fake = fake._replace(trials=tuple(trials))
    results = results_of(fake)
    lines = axes_of(results, "train_loss").get_lines()
    styles = Counter(line.get_linestyle() for line in lines[:-1])
    assert styles == {"-": 139, "--": 3, ":": 1}
    labels = [str(line.get_label()) for line in lines if not str(line.get_label()).startswith("_")]
    assert labels == ["139 trials", "3 trials ended early", "1 trial failed", "trial 26 (best)"]
    caption = captions_of(fake)["train_loss"]
    assert "Those that ended early are dashed and failed are dotted." in caption
    few = fakes.stopped(fakes.feedforward(), 0)
    (first, *_) = axes_of(results_of(few), "train_loss").get_lines()
    assert first.get_label() == "defaults (ended early)"


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


def test_a_diverging_trial_does_not_flatten_the_others() -> None:
    fake = fakes.feedforward(4, failed={2: DIVERGED})
    wild = replace(
        fake.curves[2], metrics={**fake.curves[2].metrics, "train_loss": (1e300, math.inf)}
    )
    results = results_of(fake._replace(curves=(*fake.curves[:2], wild, *fake.curves[3:])))
    assert axes_of(results, "train_loss").get_ylim()[1] < 2
    assert curves_of(results, "train_loss").outside == (2,)


def test_collapsed_trials_do_not_squeeze_the_others() -> None:
    fake = collapsing()
    results = results_of(fake)
    shown = curves_of(results, "validation_accuracy")
    assert shown.outside == (2, 6)
    assert shown.scale.low > 0.7
    assert captions_of(fake)["validation_accuracy"] == (
        "Validation accuracy after each epoch, 7 trials. The axis is limited to the other trials;"
        " it leaves out parts of trial 2 (learning rate 0.1) and trial 6 (optimizer adam)."
    )


def test_a_test_metric_is_drawn_of_the_selected_trial_only() -> None:
    shown = curves_of(results_of(fakes.feedforward()), "test_accuracy")
    assert list(shown.points) == [1]


def test_a_distance_is_on_a_logarithmic_axis_with_numbers() -> None:
    axes = axes_of(results_of(fakes.regression(5)), "distance_to_analytic")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert sum(low < tick < high for tick in axes.get_yticks()) >= 3


def test_a_metric_of_some_epochs_has_a_line_through_them() -> None:
    fake = fakes.regression(6)
    sparse = (math.nan, 0.3, math.nan, 0.2, math.nan, 0.1)
    curve = replace(fake.curves[0], metrics={**fake.curves[0].metrics, "extra/rate": sparse})
    results = results_of(fake._replace(curves=(curve,)))
    line = axes_of(results, "extra/rate").get_lines()[0]
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == [
        (2, 0.3), (4, 0.2), (6, 0.1),
    ]  # fmt: skip


def test_the_trials_that_are_labelled_look_different() -> None:
    fake = fakes.sampled(12, 2)
    numbers = (0, 8, 9, 11)
    curves_ = tuple(
        replace(curve, metrics={**curve.metrics, "extra": (1.0, 2.0)})
        if curve.trial in numbers
        else curve
        for curve in fake.curves
    )
    lines = axes_of(results_of(fake._replace(curves=curves_)), "extra").get_lines()
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == len(lines) == 4


def test_trials_that_do_not_differ_are_named_by_their_numbers() -> None:
    fake = fakes.feedforward(2)
    same = tuple(replace(trial, parameters={"a": 1}) for trial in fake.trials[:2])
    results = results_of(fake._replace(trials=same, curves=fake.curves[:2]))
    lines = axes_of(results, "train_loss").get_lines()
    assert [line.get_label() for line in lines] == ["trial 0", "trial 1 (best)"]


def test_the_line_of_a_copy_begins_where_it_left_the_other_one() -> None:
    results = results_of(fakes.population())
    points = curves_of(results, "m").points
    assert [point.epoch for point in points[5]] == [4, 5, 6]
    assert points[5][0] == points[4][-3]
    assert [point.epoch for point in points[0]] == [1, 2, 3, 4, 5, 6]
    assert (
        "2 trials went on from another one, where its line begins."
        in captions_of(fakes.population())["m"]
    )


def test_the_axis_has_room_for_trials_that_ended_early() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7)
    shown = curves_of(results_of(fake), "train_loss")
    assert len(shown.points) == 12
    assert shown.outside == ()


def test_without_a_best_trial_the_caption_names_none() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5))
    assert "best" not in captions_of(fake)["train_loss"]
    assert "The best one is blue" in captions_of(fakes.sampled(12, 5))["train_loss"]
