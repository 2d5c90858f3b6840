"""Archives of code: which the storage holds, and which nobody needs any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import UnknownCode
from results.records import CodeRecord
from results.store import values
from results.store.tables import CODE, JOBS, Now, insert_if_new
from results.store.transactions import Transactions
from search_spaces import unstorable

#: Code that no job names is kept so long after it was last sent.
KEPT_SECONDS = 86_400.0
#: It is deleted this much later, so that none goes between a look-up and the job that names it.
_GRACE_SECONDS = 3_600.0
_NEEDED = sa.exists().where(JOBS.c.code == CODE.c.digest)


class CodeMethods(Transactions):
    """The methods of the store about archives of code."""

    def expect_code(self, code: CodeRecord) -> None:
        """Remember the name of an archive's file before it is written.

        Unless :meth:`add_code` or :meth:`replace_code` names the file, the sweep deletes it a day
        later. The row has the file's name in place of a digest, so no job finds it.
        """
        expected = replace(code, digest=code.name)
        with self._database.write(durable=True) as connection:
            connection.execute(sa.insert(CODE).values(_columns(expected)))

    def add_code(self, code: CodeRecord) -> CodeRecord:
        """Remember an archive that the storage holds; return the one of this digest that counts.

        That is another one, with a file of another name, where the same code was sent before. It is
        then kept for as long as if it had been sent now.
        """
        with self._database.write(durable=True) as connection:
            connection.execute(insert_if_new(connection, CODE).values(_columns(code)))
            use_code(connection, code.digest)
            return _named(connection, code)

    def code(self, digest: str) -> CodeRecord | None:
        """Return the archive with this digest.

        None where there is none, or where it is old and named by no job: then it goes soon.
        """
        if unstorable(digest):
            return None
        is_kept = sa.or_(CODE.c.used_at > Now() - KEPT_SECONDS, _NEEDED)
        with self._database.read() as connection:
            row = connection.execute(_of(digest).where(is_kept)).one_or_none()
        return None if row is None else _record(row)

    def replace_code(self, code: CodeRecord, former: str) -> CodeRecord:
        """Name another file of the same archive where ``former`` is gone; return what is named."""
        change = (
            sa.update(CODE)
            .where(CODE.c.digest == code.digest, CODE.c.name == former)
            .values(name=values.text(code.name, "name"), used_at=Now())
        )
        with self._database.write(durable=True) as connection:
            connection.execute(change)
            return _named(connection, code)

    def drop_unused_code(self) -> tuple[str, ...]:
        """Forget the archives that no job names, a day after their last use.

        So are those that were expected, and whose upload broke off. Returns their names in the
        storage, whose files the caller deletes.
        """
        old = CODE.c.used_at < Now() - (KEPT_SECONDS + _GRACE_SECONDS)
        unused = sa.delete(CODE).where(old, ~_NEEDED).returning(CODE.c.name)
        with self._database.write(durable=True) as connection:
            return tuple(sorted(connection.scalars(unused)))


def use_code(connection: Connection, digest: str) -> None:
    """Note that code is used now; raise :class:`results.errors.UnknownCode` if there is none.

    From here to the end of the transaction nobody can drop it.
    """
    used = sa.update(CODE).where(CODE.c.digest == digest).values(used_at=Now())
    if not connection.execute(used).rowcount:
        raise UnknownCode(f"no code has the digest {digest}", hint="send it again")


def _columns(code: CodeRecord) -> dict[str, Any]:
    return {
        "digest": values.text(code.digest, "digest"),
        "name": values.text(code.name, "name"),
        "size": values.integer(code.size, "size", low=0, high=2**63 - 1),
        "files": values.integer(code.files, "files", low=0),
        "unpacked": values.integer(code.unpacked, "unpacked", low=0, high=2**63 - 1),
        "used_at": Now(),
    }


def _named(connection: Connection, code: CodeRecord) -> CodeRecord:
    """Return the archive of this digest; where that is ``code``, its file is expected no longer."""
    found = _record(connection.execute(_of(code.digest)).one())
    if found.name == code.name:
        connection.execute(sa.delete(CODE).where(CODE.c.digest == code.name))
    return found


def _of(digest: str) -> sa.Select[Any]:
    return sa.select(CODE).where(CODE.c.digest == digest)


def _record(row: Row[Any]) -> CodeRecord:
    return CodeRecord(row.digest, row.name, row.size, row.files, row.unpacked)
