"""Where jobs, trials and reports are kept: SQLite on one host, PostgreSQL for several.

:func:`open_store` returns a :class:`Store`, whose methods' docstrings are its contract.
"""

from results.store.batch import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    Move,
    NoteUsage,
    PauseTrial,
    PlanTrials,
    Reports,
    RequeueTrial,
    StartTrial,
)
from results.store.listing import NEWEST_FIRST, SORTS
from results.store.store import Store, open_store

__all__ = [
    "NEWEST_FIRST",
    "SORTS",
    "AddCheckpoint",
    "AddTrial",
    "FinishTrial",
    "Move",
    "NoteUsage",
    "PauseTrial",
    "PlanTrials",
    "Reports",
    "RequeueTrial",
    "StartTrial",
    "Store",
    "open_store",
]
