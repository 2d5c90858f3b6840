"""One log format for every process of the service: UTC time, level, logger, message."""

from __future__ import annotations

import logging
import time


def configure() -> None:
    """Log to stderr from INFO on; libraries only tell of trouble."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)sZ %(levelname)s %(name)s: %(message)s"
    )
    for library in ("alembic", "httpx2"):
        logging.getLogger(library).setLevel(logging.WARNING)
