"""The facts about the Ames data that the hand-in quotes, computed again from the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

from handin import ames_checks
from handin.document import FINDINGS
from tests.handin.handin_runs import make_answers, replace_curve
from trainables import datasets
from trainables.datasets.ames import read_table
from trainables.datasets.types import RegressionData
from trainables.numpy_models import analytic_weights, rmse, with_bias
from trainables.numpy_trainables import train_linear_regression, train_neural_regression

#: Column of ``Pool.Area`` among the features.
POOL = 33

Curves = dict[str, list[float]]


@pytest.fixture(scope="module")
def ames(tmp_path_factory: pytest.TempPathFactory) -> RegressionData:
    data = datasets.load("ames", tmp_path_factory.mktemp("ames"))
    assert isinstance(data, RegressionData)
    return data


def run(train: Callable[..., None], data: RegressionData) -> Curves:
    """The curves of 150 epochs with the homework's settings."""
    curves: Curves = {}

    def report(epoch: int, metrics: dict[str, float], **_: object) -> None:
        for name, value in metrics.items():
            curves.setdefault(name, []).append(value)

    train({}, data, report, epochs=150, seed=42)
    return curves


def without_pools(data: RegressionData) -> RegressionData:
    kept = data.x_test[:, POOL] < 0
    return replace(data, x_test=data.x_test[kept], y_test=data.y_test[kept])


def at(curves: Curves, *epochs: int) -> tuple[float, ...]:
    return tuple(round(curves["test_rmse"][epoch - 1], 4) for epoch in epochs)


def test_pools_are_those_of_one_training_and_twelve_test_houses(ames: RegressionData) -> None:
    train, test = (np.sort(x[:, POOL][x[:, POOL] > 0]) for x in (ames.x_train, ames.x_test))
    assert (len(train), len(test)) == (1, ames_checks.POOL_HOUSES)
    assert (train[0], test[0], test[-1]) == pytest.approx(ames_checks.POOL_AREAS, abs=0.005)


def test_years_of_sale() -> None:
    years = [int(year) for year in read_table()["Yr.Sold"]]
    assert (min(years[:1465]), max(years[:1465])) == ames_checks.TRAINING_YEARS
    assert (min(years[1465:]), max(years[1465:])) == ames_checks.TEST_YEARS


def test_errors_of_the_analytic_solution(ames: RegressionData) -> None:
    weights = analytic_weights(ames.x_train, ames.y_train)
    pairs = ((ames.x_train, ames.y_train), (ames.x_test, ames.y_test))
    errors = tuple(round(rmse(with_bias(x) @ weights, y), 4) for x, y in pairs)
    assert errors == ames_checks.ANALYTIC


def test_the_linear_run_with_and_without_pools(ames: RegressionData) -> None:
    assert at(run(train_linear_regression, ames), 71, 150) == ames_checks.LINEAR
    without = run(train_linear_regression, without_pools(ames))
    assert at(without, 71, 150) == ames_checks.WITHOUT_POOLS
    errors = without["test_rmse"]
    assert errors.index(min(errors)) + 1 == ames_checks.WITHOUT_POOLS_LOWEST
    assert round(fmean(errors[-10:]), 4) == ames_checks.LINEAR_WITHOUT_POOLS_MEAN
    zeroed = [x * (np.arange(x.shape[1]) != POOL) for x in (ames.x_train, ames.x_test)]
    blind = run(train_linear_regression, replace(ames, x_train=zeroed[0], x_test=zeroed[1]))
    assert at(blind, 71, 150) == ames_checks.WITHOUT_FEATURE


def test_the_network_with_and_without_pools(ames: RegressionData) -> None:
    assert at(run(train_neural_regression, ames), 71, 150) == ames_checks.NETWORK
    errors = run(train_neural_regression, without_pools(ames))["test_rmse"]
    found = (round(errors[-1], 4), round(fmean(errors[-10:]), 4))
    assert found == ames_checks.NETWORK_WITHOUT_POOLS


def test_the_facts_are_quoted_only_beside_the_run_that_they_explain(ames: RegressionData) -> None:
    answers = make_answers()
    assert not any("pool" in str(block) for block in FINDINGS["Q2.2a"](answers))
    checked = replace_curve(answers, "Q2.2a", **run(train_linear_regression, ames))
    pools, distance = map(str, FINDINGS["Q2.2a"](checked))
    assert "12 test houses have one, of 6.3 to 22.4" in pools
    assert "0.1734 at epoch 71 and 0.1615 at epoch 150, lowest at epoch 149" in pools
    assert "a test RMSE of 0.3310" in distance
