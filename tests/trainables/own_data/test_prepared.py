"""Splits are drawn by the seed, and all that is learned of data is learned of training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.trainables.own_data.files import made, npz, table
from trainables.own_data.prepared import split_rows


def test_a_split_takes_each_row_once_and_its_share() -> None:
    order, counts = split_rows(100, (0.6, 0.2, 0.2), 42, None)
    assert counts == {"train": 60, "validation": 20, "test": 20}
    assert sorted(order) == list(range(100))
    again, _ = split_rows(100, (0.6, 0.2, 0.2), 42, None)
    other, _ = split_rows(100, (0.6, 0.2, 0.2), 43, None)
    assert np.array_equal(order, again)
    assert not np.array_equal(order, other)


def test_classes_keep_their_shares_in_each_part() -> None:
    classes = np.repeat([0, 1, 2], [70, 29, 1])
    order, counts = split_rows(100, (0.6, 0.2, 0.2), 1, classes)
    ends = np.cumsum(list(counts.values()))
    parts = np.split(classes[order], ends[:-1])
    assert [np.bincount(part, minlength=3).tolist() for part in parts] == [
        [42, 17, 1], [14, 6, 0], [14, 6, 0],
    ]  # fmt: skip


def test_numbers_are_standardised_on_training_rows_only(tmp_path: Path) -> None:
    result = made(tmp_path, table(), target="price").prepared
    size = result.features.index("size")
    train, test = result.x[result.part("train"), size], result.x[result.part("test"), size]
    known = train[train != 0]
    assert known.mean() == pytest.approx(0, abs=1e-12)
    assert known.std(ddof=1) == pytest.approx(1)
    assert abs(test.mean()) > 1e-3
    assert (result.x[:, size] == 0).sum() == 10  # the missing ones
    y = result.y[result.part("train")]
    assert (y.mean(), y.std(ddof=1)) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert result.target.scale > 50_000


def test_categories_have_a_column_for_missing_and_none_for_unseen_values(tmp_path: Path) -> None:
    rows = [f"{'ab'[i % 2]},{i % 5}.5" for i in range(40)]
    result = made(tmp_path, "x,y\n" + "\n".join(rows), target="y", task="regression")
    validation = result.prepared.part("validation")
    order, _ = split_rows(40, (0.6, 0.2, 0.2), 42, None)
    unseen, missing = order[validation][:2]
    rows[unseen], rows[missing] = "new,1.5", ",2.5"
    changed = made(tmp_path, "x,y\n" + "\n".join(rows), target="y", task="regression").prepared
    assert changed.features == ("x=a", "x=b", "x missing")
    assert changed.x[validation][:2].tolist() == [[0, 0, 0], [0, 0, 1]]
    assert set(changed.x.sum(axis=1)[2:]) <= {0.0, 1.0}


def test_bytes_of_images_stay_bytes(tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    x, y = random.randint(0, 256, (50, 4, 4)).astype(np.uint8), np.arange(50) % 3
    result = made(tmp_path, npz(x=x, y=y)).prepared
    assert (result.x.dtype, result.x.shape, result.scale) == (np.uint8, (50, 16), 1 / 256)
    order, _ = split_rows(50, (0.6, 0.2, 0.2), 42, y)
    assert np.array_equal(result.x, x.reshape(50, -1)[order])
    assert np.array_equal(result.y, y[order])


def test_parts_that_a_file_has_are_kept(tmp_path: Path) -> None:
    x = np.arange(24.0).reshape(8, 3) ** 2
    x[0, 1] = np.nan
    x[:, 2] = 5
    y = np.linspace(0, 1, 8) ** 2
    content = npz(x_train=x[:5], y_train=y[:5], x_test=x[5:], y_test=y[5:])
    result = made(tmp_path, content).prepared
    assert result.counts == {"train": 5, "validation": 0, "test": 3}
    assert result.x[0, 1] == 0
    assert np.all(result.x[:, 2] == 0)
    train = result.x[:5, 0]
    assert (train.mean(), train.std(ddof=1)) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
