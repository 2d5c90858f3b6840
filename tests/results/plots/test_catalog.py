"""The plots that a job has, their names and captions, and that every one can be drawn."""

from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree as ET

import hypothesis
import matplotlib as mpl
import pytest
from hypothesis import strategies

from results import plots
from results.analysis import JobResults
from results.errors import UnknownPlot
from results.plots import coordinates
from results.plots.style import MOST_MARKS
from tests.conftest import LONG
from tests.results import fakes
from tests.results.fakes import DIVERGED
from tests.results.generated import job_results
from tests.results.plots.helpers import captions_of, drawn, names_of, results_of

CURVES = ["train_loss", "validation_accuracy", "test_accuracy", "accuracy"]
PARAMETERS = ["learning_rate", "hidden_size", "dropout", "activation", "optimizer"]
NUMBERED = [f"parameter_{name}" for name in PARAMETERS]
TOGETHER = "parameters"


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
    # No trial is selected, so of none the test accuracy may be shown.
    assert names_of(failed) == ["train_loss", "validation_accuracy"]


def test_unknown_plots_are_refused_with_the_known_names() -> None:
    with pytest.raises(UnknownPlot, match=r"'nonsense'; there are: train_rmse, test_rmse"):
        plots.draw("nonsense", results_of(fakes.regression(1)), "png")


def test_every_plot_draws_as_svg_that_parses_and_has_its_title() -> None:
    for fake in (fakes.regression(3), fakes.sampled(20, 2)):
        for info in plots.available(results_of(fake)):
            root = ET.fromstring(plots.draw(info.name, results_of(fake), "svg"))
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert root.findtext("{http://www.w3.org/2000/svg}title") == info.title
            assert info.caption.endswith(".")


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
    names = ["train_loss", "parameter_optimizer"] * 2
    before = dict(mpl.rcParams)
    alone = [plots.draw(name, results_of(fake), "svg") for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: plots.draw(name, results_of(fake), "svg"), names))
    assert together == alone
    assert dict(mpl.rcParams) == before
    assert not any(b"<dc:date>" in svg for svg in alone)


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
    columns = coordinates.coordinates(results)
    axes = drawn(lambda figure: coordinates.draw_coordinates(figure, results, columns))
    assert len([line for line in axes.get_lines() if len(line.get_xdata()) == 4]) == 200
    # Every trial has its mark, but these are one picture in the SVG, not a path each.
    for name in ("history", "parameter_learning_rate", "parameter_optimizer"):
        svg = plots.draw(name, results, "svg")
        assert b'xlink:href="data:image/png;base64,' in svg
        assert len(svg) < 10**6
        ET.fromstring(svg)


def test_any_value_can_be_drawn() -> None:
    values = ["relu", r"$\frac{$", "日本語", "-->]]><script>", "x" * 200, ""]
    spec = {
        **fakes.feedforward(2).job.spec.to_json(),
        "strategy": "grid",
        "parameters": {"activation": {"values": values}},
    }
    fake = fakes.make(
        spec,
        [{"learning_rate": 0.1, "activation": value} for value in values],
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


@hypothesis.given(job_results(), strategies.integers(0, 4))
def test_every_plot_of_any_job_is_drawn(results: JobResults, first: int) -> None:
    """Of one job every fifth is drawn, except in long runs: a plot takes 0.2 s."""
    found = plots.available(results)
    names = [info.name for info in found]
    assert len({name.lower() for name in names}) == len(names)
    for info in found:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", info.name)
        assert info.title
        assert info.caption.endswith(".")
    for info in found if LONG else found[first::5]:
        ET.fromstring(plots.draw(info.name, results, "svg"))


def test_of_trials_that_break_the_constraints_there_are_curves_alone() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7, 3)
    limits = [{"metric": "train_loss", "at_most": 0.0001}]
    job = replace(fakes.with_spec(fake.job, constraints=limits), best=None)
    assert names_of(fake._replace(job=job)) == ["train_loss", "validation_accuracy"]
