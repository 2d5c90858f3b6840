"""Brings the database's schema up to date; ``python -m service.migrate`` does this and ends."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import closing

from results.errors import ResultsError, StoreUnavailable
from results.store import Store, open_store
from service import logs
from service.settings import settings_or_exit

logger = logging.getLogger("service.migrate")

#: How long to wait for a database that does not answer yet.
DATABASE_PATIENCE_SECONDS = 60.0


def wait_and_migrate(
    store: Store,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Bring the database's schema up to date, once it answers; several processes may at once.

    Raises :class:`results.errors.StoreUnavailable` if that takes too long.
    """
    give_up = clock() + DATABASE_PATIENCE_SECONDS
    while True:
        try:
            return store.migrate()
        except StoreUnavailable as error:
            if clock() > give_up:
                raise
            logger.warning("waiting for the database: %s", error)
            sleep(1.0)


def main() -> int:
    """Migrate the database of the environment's settings; return the exit status."""
    settings = settings_or_exit()
    logs.configure(settings.log_format)
    try:
        with closing(open_store(settings.store_url)) as store:
            wait_and_migrate(store)
    except ResultsError as error:
        logger.error("the database (ARGBEST_DATABASE_URL) cannot be used: %s", error)
        return 1
    logger.info("the database's schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
