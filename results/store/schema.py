"""The schema, brought up to date by the Alembic migrations that lie in this package."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from results.errors import UnsupportedDatabase
from results.store.database import Database

# Alembic keeps the migration that runs in module globals: one at a time in a process.
_ONE_AT_A_TIME = threading.Lock()
# Any number will do, as long as every argbest uses this one ("argbest" in ASCII).
_ADVISORY_LOCK = 0x61726762657374


def migrate(database: Database) -> None:
    """Bring the schema to the newest revision, in one transaction; others wait for it.

    Raises :class:`results.errors.UnsupportedDatabase` if a newer argbest made the schema.
    """
    with _ONE_AT_A_TIME, database.write(durable=True) as connection:
        if not database.is_sqlite:
            # SQLite's writing transaction keeps others out by itself.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        try:
            command.upgrade(config(connection), "head")
        except CommandError as error:
            raise UnsupportedDatabase(
                f"the schema cannot be brought up to date ({error}): install the argbest that "
                "made this database, or a newer one"
            ) from error


def is_current(connection: Connection) -> bool:
    """Whether the schema is at the newest revision that this version knows."""
    newest = ScriptDirectory.from_config(config(connection)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(newest)


def config(connection: Connection) -> Config:
    """Return Alembic's configuration for working on ``connection``, in its transaction."""
    made = Config(attributes={"connection": connection})
    folder = Path(__file__).parent / "migrations"
    made.set_main_option("script_location", str(folder).replace("%", "%%"))
    return made
