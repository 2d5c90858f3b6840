"""The data sets by name, and the page that describes them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from tests.trainables.synthetic import image_data, regression_data
from trainables import datasets, registry
from trainables.contract import UnknownDataset
from trainables.datasets import RegressionData

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


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
def test_the_docs_describe_it(name: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    status = datasets.status(name, Path("unused"))
    assert f"## {status.title.partition(':')[0]} (`{name}`)" in text
    for checksums in status.checksums.values():
        for checksum in checksums:
            assert checksum.partition(":")[2] in text
    assert f"{status.rows:,}" in text


def test_ames_is_part_of_the_package(tmp_path: Path) -> None:
    lines: list[str] = []
    datasets.ensure("ames", tmp_path, log=lines.append)
    assert lines == []
    datasets.fetch("ames", tmp_path, log=lines.append)
    assert "nothing to fetch" in lines[0]
    assert isinstance(datasets.load("ames", tmp_path), RegressionData)
    assert list(tmp_path.iterdir()) == []


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
