"""Users' data sets in the store: added once, removed by name, forgotten when no job names them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from results.errors import DatasetExists, DatasetNotFound
from results.spec import DataRef
from results.store import Store
from results.store.tables import DATASETS
from tests.results.store.samples import accept

CARD = {"kind": "regression", "rows": 3}
FIRST, SECOND = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _emptied(store: Store) -> None:
    with store._database.write() as connection:
        connection.execute(sa.delete(DATASETS))


def add(store: Store, name: str, digest: str) -> bool:
    return store.add_dataset(name, digest, kind="regression", size=10, card=CARD)[1]


def test_a_data_set_is_added_once_under_a_name(store: Store) -> None:
    assert add(store, "prices", FIRST)
    assert not add(store, "prices", FIRST)
    with pytest.raises(DatasetExists, match="its content is another") as caught:
        add(store, "prices", SECOND)
    assert "argbest data remove prices" in caught.value.hint
    assert add(store, "again", FIRST)
    found = store.dataset("prices")
    assert (found.digest, found.kind, found.size, found.card) == (FIRST, "regression", 10, CARD)
    assert [record.name for record in store.datasets()] == ["again", "prices"]


def test_a_removed_name_may_have_another_content(store: Store) -> None:
    add(store, "prices", FIRST)
    store.remove_dataset("prices")
    for look in (store.dataset, store.remove_dataset):
        with pytest.raises(DatasetNotFound, match="'prices'"):
            look("prices")
    assert add(store, "prices", SECOND)
    assert [record.digest for record in store.datasets()] == [SECOND]


def test_what_a_job_names_is_not_forgotten(store: Store) -> None:
    for name, digest in (("one", FIRST), ("two", SECOND), ("copy", SECOND)):
        add(store, name, digest)
    data = DataRef(FIRST, "regression", "price", ("train", "test"))
    job_id = accept(store, data=data).id
    assert store.job(job_id).spec.data == data
    store.remove_dataset("one")
    store.remove_dataset("two")
    assert store.forget_datasets(removed_for_seconds=0) == ()
    store.remove_dataset("copy")
    assert store.forget_datasets(removed_for_seconds=3600) == ()
    assert store.forget_datasets(removed_for_seconds=-1) == (SECOND,)
    assert store.forget_datasets(removed_for_seconds=-1) == ()
