"""Tokens, made and revoked on the database directly, by whoever may use the server's machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from results.errors import TokenExists, UnsupportedDatabase
from results.records import TokenScope
from results.store import Store, open_store
from service.settings import Settings
from service.version import OTHER_SCHEMA

#: The store as the command line knows it, which imports no database.
TokenStore = Store

FIRST_TOKEN = "first-admin"  # noqa: S105 - a name


@contextmanager
def token_store(settings: Settings, *, make: bool) -> Iterator[Store]:
    """Open the service's database for as long as it is needed.

    ``make`` it, or its schema, if that is not there or older. Raises
    :class:`results.errors.UnsupportedDatabase` where there is none of this version, and what
    :func:`results.store.open_store` and :meth:`~results.store.Store.migrate` raise.
    """
    if make:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    elif not settings.database_url and not (settings.data_dir / "argbest.db").exists():
        raise UnsupportedDatabase(f"there is no database in {settings.data_dir}")
    with closing(open_store(settings.store_url)) as store:
        if make:
            store.migrate()
        elif not store.schema_is_current():
            raise UnsupportedDatabase(OTHER_SCHEMA)
        yield store


def make_first_token(store: Store) -> str | None:
    """Return the secret of a new admin token if there is no token at all, otherwise None.

    Of several services that start at once over one database, one makes it.
    """
    if store.tokens():
        return None
    try:
        return store.create_token(FIRST_TOKEN, TokenScope.ADMIN).secret
    except TokenExists:
        return None
