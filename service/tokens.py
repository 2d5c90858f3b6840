"""Tokens, made and revoked on the database directly, by whoever may use the server's machine."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from results.errors import StoreUnavailable, TokenExists, TokenNotFound, UnsupportedDatabase
from results.records import TokenScope
from results.store import Store, open_store
from service.local_token import (
    LOCAL_PREFIX,
    LocalToken,
    read_local_token,
    token_file,
    write_local_token,
)
from service.settings import Settings
from service.version import OTHER_SCHEMA

logger = logging.getLogger("service.serve")

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
    """Return the secret of a new admin token if there is none, local ones aside, otherwise None.

    Of several services that start at once over one database, one makes it.
    """
    if not all(token.name.startswith(LOCAL_PREFIX) for token in store.tokens()):
        return None
    try:
        return store.create_token(FIRST_TOKEN, TokenScope.ADMIN).secret
    except TokenExists:
        return None


@contextmanager
def local_token(store: Store, settings: Settings, *, is_needed: bool) -> Iterator[None]:
    """Let the command line on this machine have a token of its own while the service runs.

    What an earlier service has left is revoked first, also where none ``is_needed`` any more: after
    a kill -9 the file and its token are still there. Hold the data folder's lock meanwhile.
    """
    _forget(store, settings)
    if not is_needed:
        yield
        return
    name = LOCAL_PREFIX + secrets.token_hex(4)
    made = store.create_token(name, TokenScope.ADMIN)
    write_local_token(settings.data_dir, LocalToken(name, settings.port, made.secret))
    try:
        yield
    finally:
        try:
            _forget(store, settings)
        except StoreUnavailable as error:
            logger.warning("the token %s is revoked at the next start: %s", name, error)


def _forget(store: Store, settings: Settings) -> None:
    """Revoke the token of the data folder's file, and then delete the file."""
    found = read_local_token(settings.data_dir)
    if found is not None and found.name.startswith(LOCAL_PREFIX):
        with suppress(TokenNotFound):
            store.revoke_token(found.name)
    token_file(settings.data_dir).unlink(missing_ok=True)
