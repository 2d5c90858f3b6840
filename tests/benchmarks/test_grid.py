"""Our own table: what is written is read again, and becomes a problem."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.records import BenchmarkError
from benchmarks.searches import grid
from benchmarks.searches.grid import Training, load, problem, read, to_bytes
from benchmarks.searches.ours import OURS
from benchmarks.searches.plan import available, problem_names
from benchmarks.searches.runs import Run, measure

EPOCHS = 4


def training(rate: float, optimizer: str, accuracy: float, seed: int = 42) -> Training:
    """A training that gains 0.1 in each of its epochs up to its accuracy at the last."""
    accuracies = [accuracy - 0.1 * (EPOCHS - epoch) for epoch in range(1, EPOCHS + 1)]
    metrics = {"train_loss": [1 / 3] * EPOCHS, "validation_accuracy": accuracies}
    return Training({"rate": rate, "optimizer": optimizer, "l2": 0.0}, seed, metrics)


FULL = [
    training(0.1, "sgd", 0.5),
    training(0.1, "adam", 0.6),
    training(0.01, "sgd", 0.7),
    training(0.01, "adam", 0.9),
    training(0.01, "adam", 0.7, seed=43),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    content = to_bytes(FULL)
    assert read(content) == FULL
    assert b"rate" not in content
    file = tmp_path / "q4_grid.csv.xz"
    file.write_bytes(content)
    assert load("q4_grid", file).name == "grid/q4_grid"


def test_a_true_loss_is_the_mean_over_seeds_and_constants_are_no_parameters() -> None:
    made = problem("grid/tiny", FULL)
    assert list(made.space.parameters) == ["rate", "optimizer"]
    assert made.space.epochs == EPOCHS
    best = {"rate": 0.01, "optimizer": "adam"}
    assert made.curve(best, None)[-1] == pytest.approx(0.2)
    assert [made.curve(best, seed)[-1] for seed in (0, 1, 2)] == pytest.approx([0.1, 0.3, 0.1])
    assert made.curve({"rate": 0.1, "optimizer": "sgd"}, 7)[0] == pytest.approx(0.8)
    assert (made.best, made.typical) == pytest.approx((0.2, 0.35))
    assert made.regret(best, EPOCHS) == pytest.approx(0)


def test_the_best_of_the_grid_is_that_of_its_own_seed(tmp_path: Path) -> None:
    file = tmp_path / "grid.csv.xz"
    file.write_bytes(to_bytes([*FULL, training(0.1, "sgd", 0.95, seed=43)]))
    assert grid.best(file) == 0.9
    assert grid.best() == 0.8869, "docs/search-measured.md names it"


def test_means_are_those_of_configurations_with_several_seeds(tmp_path: Path) -> None:
    file = tmp_path / "grid.csv.xz"
    file.write_bytes(to_bytes(FULL))
    assert grid.means(file) == {grid.key_of(FULL[3].parameters): pytest.approx(0.8)}


def test_a_training_that_diverged_has_the_worst_loss() -> None:
    diverged = replace(FULL[0], metrics={grid.METRIC: [0.3, 0.4, math.nan, math.nan]})
    others = [replace(one, metrics={grid.METRIC: one.metrics[grid.METRIC]}) for one in FULL[1:]]
    made = problem("grid/tiny", read(to_bytes([diverged, *others])))
    assert made.curve(diverged.parameters, None) == pytest.approx([0.7, 0.6, 1.0, 1.0])


def test_a_table_with_a_hole_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="3 configurations, and no full grid"):
        problem("grid/tiny", FULL[:3])


def test_without_the_file_the_table_is_asked_for_by_its_tool(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"tools\.grid_table makes it"):
        load("q4_grid", tmp_path / "q4_grid.csv.xz")
    assert ("grid" in available(None)) == grid.FILE.is_file()
    assert problem_names(["grid"], None, None) == ("grid/q4_grid",)


def test_a_search_of_the_table_trains_each_configuration_once() -> None:
    made = problem("grid/tiny", [replace(one, seed=42) for one in FULL[:4]])
    (entry,) = (one for one in OURS if one.name == "argbest-random")
    found = measure(Run("grid/tiny", entry.name, 0, 2, 10), made, entry)
    assert found.configurations == found.finished == 4
    assert found.incumbents[-1][1] == pytest.approx(0)
