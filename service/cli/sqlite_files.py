"""Opens SQLite files of other programs, only to read them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

#: The first bytes of every SQLite file (sqlite.org/fileformat2.html, section 1.3).
MAGIC = b"SQLite format 3\0"
#: Steps of SQLite's machine after which a query is ended: seconds, for a file that is a trap.
MOST_STEPS = 200_000_000
_STEPS_AT_A_TIME = 1_000_000


def opened(path: Path, *, most_steps: int = MOST_STEPS) -> sqlite3.Connection:
    """Return a connection that can only read, and that a hostile schema cannot keep busy.

    Nothing is written beside the file, and a program that writes to it is not disturbed.
    """
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")
    left = iter(range(most_steps // _STEPS_AT_A_TIME))
    database.set_progress_handler(lambda: int(next(left, None) is None), _STEPS_AT_A_TIME)
    return database
