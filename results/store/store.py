"""The store: one class, whose methods stand in modules by their subject."""

from __future__ import annotations

from results.store import schema
from results.store.code import CodeMethods
from results.store.counters import CounterMethods
from results.store.curves import CurveMethods
from results.store.datasets import DatasetMethods
from results.store.edits import EditMethods
from results.store.events import EventMethods
from results.store.extend import ExtendMethods
from results.store.jobs import JobMethods
from results.store.leases import LeaseMethods
from results.store.listing import ListingMethods
from results.store.moves import MoveMethods
from results.store.occupancy import OccupancyMethods
from results.store.queue import QueueMethods
from results.store.repeated import RepeatedMethods
from results.store.reports import ReportMethods
from results.store.shares import ShareMethods
from results.store.tokens import TokenMethods
from results.store.trials import TrialMethods


class Store(
    JobMethods,
    ListingMethods,
    EditMethods,
    QueueMethods,
    MoveMethods,
    ExtendMethods,
    ShareMethods,
    LeaseMethods,
    TrialMethods,
    ReportMethods,
    CurveMethods,
    RepeatedMethods,
    CounterMethods,
    EventMethods,
    OccupancyMethods,
    CodeMethods,
    TokenMethods,
    DatasetMethods,
):
    """Keeps jobs, trials and reports. Safe to call from several threads and processes.

    Every method is one transaction, except :meth:`curves`, which reads in several, and
    :meth:`prune_events`. It raises
    :class:`results.errors.StoreUnavailable` where the database cannot answer. Methods that name a
    job raise :class:`results.errors.JobNotFound`, those that name a trial
    :class:`results.errors.TrialNotFound` if the job has none of that number, and those that return
    a job :class:`results.errors.UnreadableJob` if another version accepted it and this one cannot
    read its specification. Every method that takes a :class:`~results.records.Lease` checks its
    token in the same transaction as its write and raises :class:`results.errors.LeaseLost`, having
    written nothing, when it is not the current one, or when the job has finished.

    Values are checked before they are written: a string with a NUL character or a lone surrogate, a
    number that is not finite and a value that is not JSON raise ``ValueError``. Only in a
    :class:`~results.records.Failure` are such characters escaped: what failed must be recorded.
    """

    def __repr__(self) -> str:
        return f"Store({self._database.url.render_as_string(hide_password=True)!r})"

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return Store, (self.url,)

    @property
    def url(self) -> str:
        """The URL that opens this store again, in any process and folder; holds the password."""
        return self._database.url.render_as_string(hide_password=False)

    def migrate(self) -> None:
        """Bring the schema up to the newest revision; safe in several processes at once.

        Raises :class:`results.errors.UnsupportedDatabase` if a newer version made the schema.
        """
        schema.migrate(self._database)

    def schema_is_current(self) -> bool:
        """Whether the schema is at the newest revision."""
        with self._database.read() as connection:
            return schema.is_current(connection)

    def close(self) -> None:
        """Close all connections; a later call opens them again."""
        self._database.close()


def open_store(url: str) -> Store:
    """Return the store at ``url``; it connects at its first call, not here.

    ``url`` is ``sqlite:///relative.db``, ``sqlite:////absolute/path.db`` or
    ``postgresql://user:password@host/database``. The schema is made by :meth:`Store.migrate`. The
    store may be shared by threads, and pickled into other processes (it travels as its URL,
    password included). Raises :class:`results.errors.UnsupportedDatabase` for any other URL, for
    SQLite in memory (other processes could not see it) and for PostgreSQL without its driver.
    """
    return Store(url)
