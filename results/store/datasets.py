"""Users' data sets: added under a name, listed, removed, and forgotten once no job names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row

from results.errors import DatasetExists, DatasetNotFound
from results.records import DatasetRecord
from results.store import values
from results.store.rows import moment
from results.store.tables import DATASETS, JOBS, Now, insert_if_new
from results.store.transactions import Transactions
from search_spaces import unstorable

_IS_HERE = DATASETS.c.removed_at.is_(None)


class DatasetMethods(Transactions):
    """The methods of the store about users' data sets."""

    def add_dataset(
        self, name: str, digest: str, *, kind: str, size: int, card: Mapping[str, Any]
    ) -> tuple[DatasetRecord, bool]:
        """Add a data set; return it, and whether it is new: the same content may be added again.

        Raises :class:`results.errors.DatasetExists` if the name has another content.
        """
        columns = {
            "name": values.text(name, "name"),
            "digest": values.text(digest, "digest"),
            "kind": values.text(kind, "kind"),
            "size": values.integer(size, "size", low=0),
            "card": values.plain_json(dict(card), "card"),
            "created_at": Now(),
        }
        with self._database.write(durable=True) as connection:
            insertion = insert_if_new(connection, DATASETS).values(columns).returning(DATASETS)
            row = connection.execute(insertion).one_or_none()
            if row is not None:
                return _record(row), True
            found = connection.execute(_of_name(name)).one_or_none()
        if found is None or found.digest != digest:
            raise _exists(name)
        return _record(found), False

    def check_dataset(self, name: str, digest: str) -> None:
        """Raise :class:`results.errors.DatasetExists` if the name has another content."""
        with self._database.read() as connection:
            found = connection.execute(_of_name(name)).one_or_none()
        if found is not None and found.digest != digest:
            raise _exists(name)

    def dataset(self, name: str) -> DatasetRecord:
        """Return the data set; raise :class:`results.errors.DatasetNotFound` if there is none."""
        if unstorable(name):
            raise _not_found(name)
        with self._database.read() as connection:
            row = connection.execute(_of_name(name)).one_or_none()
        if row is None:
            raise _not_found(name)
        return _record(row)

    def datasets(self) -> tuple[DatasetRecord, ...]:
        """Return all data sets by name."""
        query = sa.select(DATASETS).where(_IS_HERE).order_by(DATASETS.c.name)
        with self._database.read() as connection:
            return tuple(map(_record, connection.execute(query).all()))

    def remove_dataset(self, name: str) -> None:
        """Free the name; the content stays as long as a job names it.

        Raises :class:`results.errors.DatasetNotFound` if there is none.
        """
        if unstorable(name):
            raise _not_found(name)
        removal = sa.update(DATASETS).where(DATASETS.c.name == name, _IS_HERE)
        with self._database.write(durable=True) as connection:
            if not connection.execute(removal.values(removed_at=Now())).rowcount:
                raise _not_found(name)

    def forget_datasets(self, *, removed_for_seconds: float) -> tuple[str, ...]:
        """Forget removed data sets that nothing names; return the digests of their contents.

        Only those that were removed so long ago, since a job may be about to name one. A content is
        returned if no job has it, and no other data set that is there or was removed since.
        """
        other = DATASETS.alias()
        long_ago = Now() - removed_for_seconds
        old = DATASETS.c.removed_at < long_ago
        is_young = sa.or_(other.c.removed_at.is_(None), other.c.removed_at >= long_ago)
        used = sa.or_(
            sa.exists().where(JOBS.c.data == DATASETS.c.digest),
            sa.exists().where(other.c.digest == DATASETS.c.digest, is_young),
        )
        deletion = sa.delete(DATASETS).where(old, sa.not_(used)).returning(DATASETS.c.digest)
        with self._database.write() as connection:
            return tuple(sorted(set(connection.scalars(deletion))))


def _of_name(name: str) -> sa.Select[Any]:
    return sa.select(DATASETS).where(DATASETS.c.name == name, _IS_HERE)


def _exists(name: str) -> DatasetExists:
    message = f"a data set is called {name!r}, and its content is another"
    hint = f"remove it first, `argbest data remove {name}`, or choose another name"
    return DatasetExists(message, hint=hint)


def _not_found(name: str) -> DatasetNotFound:
    return DatasetNotFound(f"no data set is called {name!r}")


def _record(row: Row[Any]) -> DatasetRecord:
    return DatasetRecord(
        name=row.name,
        digest=row.digest,
        kind=row.kind,
        size=row.size,
        card=row.card,
        created_at=moment(row.created_at),
    )
