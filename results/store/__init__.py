"""Where jobs, trials and reports are kept: SQLite on one host, PostgreSQL for several.

:func:`open_store` is the way in; what a store promises is :class:`results.store.base.Store`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from results.store.sql import SqlStore


def open_store(url: str) -> SqlStore:
    """Return the store at ``url``; it connects at its first call, not here.

    ``url`` is ``sqlite:///relative.db``, ``sqlite:////absolute/path.db`` or
    ``postgresql://user:password@host/database``. The schema is made by
    :meth:`~results.store.sql.SqlStore.migrate`. The store may be shared by threads, and pickled
    into other processes (it travels as its URL, password included). Raises
    :class:`results.errors.UnsupportedDatabase` for any other URL, for SQLite in memory (other
    processes could not see it) and for PostgreSQL without its driver.
    """
    from results.store.sql import SqlStore

    return SqlStore(url)
