"""A stored data set is unpacked once on a node and mapped; what is damaged is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.own_data.files import made, table
from trainables.contract import DatasetUnavailable
from trainables.datasets import ClassificationData, RegressionData
from trainables.files import sha256_of
from trainables.own_data import folder_of, is_unpacked, load, unpack
from trainables.own_data.making import tree_of
from trainables.own_data.stored import write


def put(folder: Path, **options: Any) -> tuple[Path, str]:
    """Write a data set's content; return its file and digest."""
    file = folder / "content.npz"
    return file, write(file, tree_of(made(folder, table(), **options).prepared))


def test_a_regression_comes_back_as_it_was(tmp_path: Path) -> None:
    prepared = made(tmp_path, table(), target="price").prepared
    file, digest = put(tmp_path, target="price")
    assert digest == sha256_of(file)
    target = folder_of(tmp_path, digest)
    assert not is_unpacked(target)
    for _ in range(2):  # another process may have been first
        unpack(file, target, digest)
    assert is_unpacked(target)
    data = load(target, "prices")
    assert isinstance(data, RegressionData)
    assert (data.name, data.y_scale) == ("prices", prepared.target.scale)
    assert np.array_equal(data.x_validation, prepared.x[prepared.part("validation")])
    assert np.array_equal(data.y_test, prepared.y[prepared.part("test")])
    assert not data.x_train.flags.writeable


def test_a_classification_comes_back_with_its_classes(tmp_path: Path) -> None:
    file, digest = put(tmp_path, target="city", split=(0.8, 0.0, 0.2))
    unpack(file, folder_of(tmp_path, digest), digest)
    data = load(folder_of(tmp_path, digest), "cities")
    assert isinstance(data, ClassificationData)
    assert (data.classes, data.scale) == (("Bergen", "Oslo", "Voss"), 1.0)
    assert data.x_validation.shape == (0, data.x_train.shape[1])


def test_what_is_damaged_is_told(tmp_path: Path) -> None:
    file, digest = put(tmp_path, target="price")
    target = folder_of(tmp_path, digest)
    with pytest.raises(DatasetUnavailable, match=r"about\.json"):
        load(target, "prices")
    with pytest.raises(DatasetUnavailable, match="its SHA-256 is another"):
        unpack(file, target, "0" * 64)
    unpack(file, target, digest)
    (target / "x_train.npy").write_bytes(b"")
    assert not is_unpacked(target)
    unpack(file, target, digest)
    assert is_unpacked(target)
    (target / "about.json").write_text("[]")
    assert not is_unpacked(target)
