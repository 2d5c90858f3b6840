from __future__ import annotations

import numpy as np
import pytest

from benchmarks.records import BenchmarkError
from benchmarks.search_confirm import (
    BEGIN,
    END,
    METHODS,
    Noise,
    Outcome,
    Search,
    all_seeds,
    in_rounds,
    measure,
    one_seed,
    row_of,
    section,
    together,
    update_page,
)

#: Four configurations with five seeds: the seeds share 0, 1, -1, 0, 0.
TABLE = np.array([[1.0], [2.0], [3.0], [4.0]]) + np.array([0.0, 1.0, -1.0, 0.0, 0.0])


def test_the_noise_of_a_table() -> None:
    noise = Noise.of(TABLE)
    assert noise.true == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert noise.own == pytest.approx(np.zeros(4))
    assert noise.common == pytest.approx(np.sqrt(0.5))
    drawn = noise.draw(np.random.default_rng(0), np.array([3, 0]), 1000)
    assert drawn[0] - drawn[1] == pytest.approx(np.full(1000, 3.0))
    assert drawn[1].std() == pytest.approx(np.sqrt(0.5), rel=0.1)


def test_methods_on_a_search_worked_by_hand() -> None:
    """The search's seed flatters configuration 2; further seeds show that 0 is the best."""
    further = np.array([[0.1] * 5, [0.2] * 5, [0.3, 0.31, 0.3, 0.3, 0.3], [0.9] * 5])
    search = Search(np.array([0.2, 0.3, 0.1, 0.9]), further)
    assert search.order == [2, 0, 1, 3]
    assert one_seed(search) == Outcome(2, [2], 0)
    assert all_seeds(search, top=3, seeds=5) == Outcome(0, [2, 0, 1], 15)
    assert in_rounds(search, top=3, seeds=5) == Outcome(0, [2, 0, 1], 9, claimed=True)


def test_a_row_counts_true_bests_and_wrong_claims() -> None:
    true = np.array([0.1, 0.2, 0.3])
    found = [
        (Outcome(0, [0, 1], 6, claimed=True), true),
        (Outcome(1, [0, 1], 6, claimed=True), true),
        (Outcome(1, [1, 2], 8, claimed=True), true),
        (Outcome(2, [1, 2], 10), true),
    ]
    row = row_of("m", "d", found)
    assert (row.best, row.claims, row.wrong, row.trainings) == (0.25, 0.75, 0.25, 7.5)
    assert row.loss == pytest.approx(0.1)


def test_searches_are_the_same_for_every_method_and_each_time() -> None:
    noise = Noise.of(np.random.default_rng(1).normal(0.2, 0.05, (300, 5)))
    names = list(METHODS)[:3]
    rows = measure(noise, dataset="d", searches=20, methods=names)
    assert rows == measure(noise, dataset="d", searches=20, methods=names)
    assert rows[1].trainings == 25
    assert rows[2].trainings <= 25
    assert [row.dataset for row in together(rows)] == ["all"] * 3


def test_the_page() -> None:
    noise = Noise.of(np.random.default_rng(1).normal(0.2, 0.05, (300, 5)))
    text = section(measure(noise, dataset="car", searches=5, methods=["one seed"]), 5)
    assert "| true best | car |" in text
    page = update_page(f"a\n{BEGIN}\nold\n{END}\nb", text)
    assert page == f"a\n{BEGIN}\n{text}\n{END}\nb"
    with pytest.raises(BenchmarkError, match="confirmation:begin"):
        update_page("a", text)
