"""Which data sets a trainable takes, which parts it measures on, and what is stored of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from results.errors import DatasetExists
from results.spec import DataRef
from results.storage import Storage
from results.store import Store
from service.datasets import (
    Sent,
    add,
    check_kind,
    find_data,
    names_taken,
    parts_lacking,
    status_of,
    target_unit,
)
from service.errors import InvalidRequest
from tests.service.stand_ins import spec
from tests.trainables.own_data.files import table
from trainables import registry
from trainables.files import sha256_of

LINEAR = registry.get("numpy_linear_regression")
CARD = {"kind": "regression", "rows": 3, "splits": {"train": 2, "validation": 0, "test": 1},
        "target": {"name": "rent"}, "source": {"format": "TSV"}}  # fmt: skip
DATA = DataRef("a" * 64, "regression", "rent", ("train", "test"))


@pytest.fixture
def flats(store: Store) -> str:
    """The name of a data set for regression."""
    return store.add_dataset("flats", "a" * 64, kind="regression", size=7, card=CARD)[0].name


def test_a_file_becomes_a_content_in_the_storage(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "sent"
    file.write_text(table())
    storage = Storage(str(tmp_path / "storage"))
    record, is_new = add(store, storage, Sent("flats", "price", seed="3"), file)
    assert is_new
    (name,) = storage.names()
    assert name == f"datasets/{record.digest}.npz"
    assert sha256_of(tmp_path / "storage" / name) == record.digest
    assert status_of(record).checksums == {name: (f"sha256:{record.digest}",)}
    assert record.card["source"]["seed"] == 3


def test_a_file_that_no_data_set_gets_is_not_kept(store: Store, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "storage"))
    file = tmp_path / "sent"
    file.write_text(table())
    add(store, storage, Sent("flats", "price"), file)
    names = storage.names()
    with pytest.raises(DatasetExists, match="its content is another"):
        add(store, storage, Sent("flats", "price", seed="3"), file)
    assert storage.names() == names


def test_the_data_of_a_job_are_found_by_their_name(store: Store, flats: str) -> None:
    assert find_data(store, flats) == DATA
    for name in ("ames", "none", "mine", "a/b", "x" * 500, ""):
        assert find_data(store, name) is None


def test_a_trainable_takes_users_data_of_its_kinds(store: Store, flats: str) -> None:
    space = replace(spec().space, dataset="other")
    assert names_taken(store, LINEAR, space, None) == ("ames", "flats")
    mlp = registry.get("numpy_mlp")
    assert names_taken(store, mlp, space, None) == ("fashion_mnist",)
    store.remove_dataset(flats)
    kept = replace(space, dataset="flats")
    assert names_taken(store, LINEAR, kept, DATA) == ("ames", "flats")
    check_kind(LINEAR, kept, DATA, "")
    with pytest.raises(InvalidRequest, match="flats is for regression"):
        check_kind(mlp, kept, DATA, "")


def test_parts_that_are_lacking_matter_to_trainables_of_kinds() -> None:
    assert parts_lacking(LINEAR, "ames", None) == ("validation",)
    assert parts_lacking(LINEAR, "flats", DATA) == ("validation",)
    assert parts_lacking(registry.get("numpy_mlp"), "fashion_mnist", None) == ()
    own_parts = replace(LINEAR, kinds=(), datasets=("ames",))
    assert parts_lacking(own_parts, "ames", None) == ()
    assert parts_lacking(LINEAR, "unknown", None) == ()


def test_the_unit_of_a_target() -> None:
    assert target_unit(spec()) == "log price"
    assert target_unit(replace(spec(), data=DATA)) == "rent"
    assert target_unit(spec(dataset="gone")) == ""
