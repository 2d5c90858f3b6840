"""The data sets by name, the real Fashion-MNIST where its files are at hand, and the docs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from tests.real_data import fashion_mnist
from tests.trainables.synthetic import image_data, regression_data
from trainables import datasets, registry
from trainables.contract import UnknownDataset
from trainables.datasets import RegressionData

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
#: Of the arrays that the protocol gives from the published files.
DIGESTS = {
    "x_train": "4a6a70b2f99d70c3e10ea3dcb24dc39c13a6e1197984d1abde295775bda54443",
    "y_train": "a0bfc9db61c2a3b26a1903e70fda26d570c61c00954d81788e7236f7678b3d66",
    "x_validation": "3457189f332baabd37df6361f249065584ca3b447b41632fde82d789326a2100",
    "y_validation": "32e5ab655b7593c34bdf6f43119e0e1233558fae9407dcef0c63645af6d5680e",
    "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    "y_test": "d51d859896c55775b9e9e219b77ff03bcec1b6ac322f313544dc3f9e7bc94fae",
}


def test_every_data_set_that_a_trainable_takes_exists() -> None:
    taken = {name for trainable in registry.trainables().values() for name in trainable.datasets}
    assert taken == set(datasets.names()) == {"ames", "fashion_mnist"}


@pytest.mark.parametrize("function", ["load", "ensure", "fetch", "status"])
def test_unknown_name_lists_the_known_ones(tmp_path: Path, function: str) -> None:
    with pytest.raises(UnknownDataset, match="'mnist'; there are: ames, fashion_mnist"):
        getattr(datasets, function)("mnist", tmp_path)


@pytest.mark.parametrize("name", datasets.names())
def test_status_is_ready_for_json_and_writes_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    status = json.loads(json.dumps(dataclasses.asdict(datasets.status(name, folder))))
    assert status["name"] == name
    assert status["rows"] == sum(status["splits"].values())
    assert all(status[key] for key in ("title", "source", "license", "citation", "checksums"))
    assert not folder.exists()


@pytest.mark.parametrize("name", datasets.names())
def test_docs_tell_of_it(name: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    status = datasets.status(name, Path("unused"))
    assert f"## {status.title.partition(':')[0]} (`{name}`)" in text
    for checksums in status.checksums.values():
        for checksum in checksums:
            assert checksum.partition(":")[2] in text
    assert f"{status.rows:,}" in text


def test_ames_is_carried_by_the_package(tmp_path: Path) -> None:
    lines: list[str] = []
    datasets.ensure("ames", tmp_path, log=lines.append)
    assert lines == []
    datasets.fetch("ames", tmp_path, log=lines.append)
    assert "nothing to fetch" in lines[0]
    assert isinstance(datasets.load("ames", tmp_path), RegressionData)
    assert list(tmp_path.iterdir()) == []


def test_fashion_mnist_follows_the_protocol() -> None:
    data = fashion_mnist()
    for name, digest in DIGESTS.items():
        array = getattr(data, name)
        little_endian = array.astype(array.dtype.newbyteorder("<"))
        assert hashlib.sha256(little_endian.tobytes()).hexdigest() == digest, name
    assert data.x_train.shape == (50_000, 784)
    assert data.x_validation.shape == data.x_test.shape == (10_000, 784)
    assert np.bincount(data.y_test).tolist() == [1000] * len(data.classes)
    assert data.scale == 1 / 256


def test_synthetic_data_look_like_the_real_ones(tmp_path: Path) -> None:
    images = image_data(folder=tmp_path)
    assert isinstance(images.x_train, np.memmap)
    assert images.x_train.dtype == np.uint8
    assert images.y_train.dtype == np.int64
    assert not images.x_train.flags.writeable
    assert len(images.classes) == images.y_train.max() + 1
    np.testing.assert_array_equal(images.x_train, image_data().x_train)
    regression = regression_data(rows=5)
    assert regression.x_train.shape == regression.x_test.shape == (5, 6)
    assert not regression.x_train.flags.writeable
