"""An archive is kept once, and what fails on the way leaves no file behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from results.errors import StoreUnavailable
from results.records import CodeRecord
from results.storage import Storage
from results.store import Store
from results.store.tables import CODE
from service.code.archive import BadArchive, Limits
from service.code.keep import keep
from service.engine.leftovers import sweep_code
from service.settings import Settings
from tests.service.code.archives import file, packed
from tests.service.stand_ins import opened

CONTENT = packed(file("train.py"))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Racing(Store):
    """A store in which another upload of the same code comes first, or that is away."""

    is_away = is_killed = False

    def add_code(self, code: CodeRecord) -> CodeRecord:
        if self.is_killed:
            raise SystemExit(137)
        if self.is_away:
            raise StoreUnavailable("away")
        other = CodeRecord(code.digest, "code/other", code.size, code.files, code.unpacked)
        super().add_code(other)
        return super().add_code(code)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Racing]:
    settings = Settings(data_dir=tmp_path)
    with opened(settings):
        racing = Racing(settings.store_url)
        yield racing
        racing.close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sent.tar.gz").write_bytes(CONTENT)
    return tmp_path / "sent.tar.gz"


def test_the_upload_that_came_first_counts(store: Racing, storage: Storage, path: Path) -> None:
    storage.mark("code/other")
    kept, is_new = keep(store, storage, path, SHA256, Limits())
    assert (kept.name, is_new) == ("code/other", False)
    assert storage.names("code") == ["code/other"]


def test_a_row_whose_file_is_gone_gets_the_new_one(
    store: Racing, storage: Storage, path: Path
) -> None:
    kept, is_new = keep(store, storage, path, SHA256, Limits())
    assert is_new
    assert storage.names("code") == [kept.name]
    assert store.code(kept.digest) == kept


def test_no_file_is_left_where_the_database_is_away(
    store: Racing, storage: Storage, path: Path
) -> None:
    store.is_away = True
    with pytest.raises(StoreUnavailable):
        keep(store, storage, path, SHA256, Limits())
    assert storage.names("code") == []


def test_a_bad_archive_is_not_stored(store: Racing, storage: Storage, path: Path) -> None:
    with pytest.raises(BadArchive):
        keep(store, storage, path, SHA256, Limits(unpacked=3))
    assert storage.names("code") == []


def test_the_file_of_an_upload_that_was_killed_is_swept_and_one_under_way_is_not(
    store: Racing, storage: Storage, path: Path
) -> None:
    store.is_killed = True
    with pytest.raises(SystemExit):
        keep(store, storage, path, SHA256, Limits())
    sweep_code(store, storage)
    assert len(storage.names("code")) == 1, "it may be under way"
    with store._database.write() as connection:
        connection.execute(sa.update(CODE).values(used_at=CODE.c.used_at - 2 * 86_400))
    storage.mark("code/of-another-service")
    sweep_code(store, storage)
    assert storage.names("code") == ["code/of-another-service"]
