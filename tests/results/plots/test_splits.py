"""One trial on several parts of the data."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.axes import Axes

from results.analysis import JobResults
from results.plots import splits
from tests.results import fakes
from tests.results.plots.helpers import captions_of, drawn, names_of, results_of


def axes_of(results: JobResults, trial: int, quantity: str) -> Axes:
    names = splits.split_groups(results)[quantity]
    shown = splits.splits(results, trial, quantity, names)
    assert shown is not None
    return drawn(lambda figure: splits.draw_splits(figure, shown))


def test_the_best_validation_value_is_marked_where_there_is_one() -> None:
    axes = axes_of(results_of(fakes.feedforward()), 1, "accuracy")
    labels = axes.get_legend_handles_labels()[1]
    assert labels[-1] == "highest validation accuracy: epoch 14, 0.8919"


def test_the_best_test_value_is_marked_for_reference_where_nothing_else_is_held_out() -> None:
    results = results_of(fakes.regression())
    assert splits.split_groups(results) == {"rmse": ["train_rmse", "test_rmse"]}
    axes = axes_of(results, 0, "rmse")
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [
        "Training RMSE",
        "Test RMSE",
        "lowest test RMSE (for reference): epoch 71, 0.1950",
    ]
    assert axes.get_ylabel() == "RMSE [log price]"


def test_prefixes_of_other_spelling_name_one_quantity() -> None:
    fake = fakes.regression(3)
    metrics = {"train/loss": (3.0, 2.0, 1.0), "val/loss": (3.0, 2.5, 2.0)}
    curve = replace(fake.curves[0], metrics=metrics)
    fake = fake._replace(curves=(curve,))
    assert splits.split_groups(results_of(fake)) == {"loss": ["train/loss", "val/loss"]}
    assert names_of(fake)[-1] == "loss"
    assert captions_of(fake)["loss"] == "Train/loss and val/loss by epoch."
    assert axes_of(results_of(fake), 0, "loss").get_ylabel() == "Loss"


def test_metrics_named_after_the_splits_alone_measure_a_value() -> None:
    curve = replace(fakes.regression(3).curves[0], metrics={"train": (3.0, 2.0), "val": (3.0, 2.5)})
    fake = fakes.regression(3)._replace(curves=(curve,))
    assert splits.split_groups(results_of(fake)) == {"value": ["train", "val"]}
    assert axes_of(results_of(fake), 0, "value").get_ylabel() == "Value"
    assert names_of(fake)[-1] == "value"


def test_a_metric_named_like_its_quantity_has_a_plot_beside_it() -> None:
    fake = fakes.regression(3)
    own = {**fake.curves[0].metrics, "rmse": (1.0, 1.0, 1.0)}
    names = names_of(fake._replace(curves=(replace(fake.curves[0], metrics=own),)))
    assert names[-2] == "rmse"
    assert names[-1].startswith("rmse--")
