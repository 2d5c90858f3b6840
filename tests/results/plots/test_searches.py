"""A search's history and the importance of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from results import plots
from results.plots import searches
from results.plots.style import EARLY
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import Fake
from tests.results.plots.helpers import captions_of, drawn, names_of, results_of


def test_history_keeps_the_best_so_far() -> None:
    points = searches.history(results_of(fakes.sampled()))
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
    shares = searches.importances(results_of(decided_by(name)))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[name] > 0.8


def test_importances_of_categories_and_conditions() -> None:
    # The formula takes most for Adam and for the learning rate; batch_size does not vary.
    shares = searches.importances(results_of(fakes.sampled(80, 1)))
    assert set(shares) == {"learning_rate", "hidden_size", "optimizer", "dropout"}


def test_no_importances_of_too_few_or_equal_trials() -> None:
    assert searches.importances(results_of(fakes.sampled(9))) == {}
    fake = decided_by("a")

    def same(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 0.5}

    equal = fakes.make(
        fake.job.spec.to_json(), [t.parameters for t in fake.trials], same, fakes.CLASSIFICATION
    )
    assert searches.importances(results_of(equal)) == {}
    assert "importance" not in names_of(equal)
    assert plots.draw("parallel_coordinates", results_of(equal), "svg").startswith(b"<?xml")


def test_what_changed_during_training_has_no_importance() -> None:
    fake = fakes.sampled()
    assert searches.has_importances(results_of(fake))
    scheduler = {"name": "pbt", "population": fake.job.spec.trials}
    changed = fake._replace(job=fakes.with_spec(fake.job, scheduler=scheduler))
    assert not searches.has_importances(results_of(changed))


def test_the_history_shows_trials_that_ended_early_apart_from_the_best_so_far() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7)
    results = results_of(fake)
    early, whole, best = drawn(lambda figure: searches.draw_history(figure, results)).get_lines()
    assert list(early.get_xdata()) == [0, 1, 2, 3, 4, 5, 6, 9, 10, 11]
    assert (early.get_label(), early.get_fillstyle()) == (EARLY, "none")
    assert (list(whole.get_xdata()), whole.get_fillstyle()) == ([7], "full")
    # One trial has trained to the end: it stays the best.
    assert (list(best.get_xdata()), len(set(best.get_ydata()))) == ([7, 11], 1)
    assert captions_of(fake)["history"] == (
        "Last validation accuracy of each trial that trained to the end in the order sampled, and"
        " the best of these so far. Light, hollow marks are trials that ended early, at their last"
        " epoch."
    )


def test_the_best_so_far_is_not_named_where_it_has_no_line() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 11)
    results = results_of(fake)
    axes = drawn(lambda figure: searches.draw_history(figure, results))
    assert "best so far" not in axes.get_legend_handles_labels()[1]
    assert "best" not in captions_of(fake)["history"]


def test_a_single_value_has_no_history() -> None:
    fake = fakes.sampled(12, 5)
    failed = [replace(t, state=TrialState.FAILED) for t in fake.trials[1:]]
    names = names_of(fake._replace(trials=(fake.trials[0], *failed)))
    assert not [name for name in names if name == "history" or name.startswith("parameter_")]
