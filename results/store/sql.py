"""The store on a SQL database: each method is one transaction around a function of its room.

Only :meth:`SqlStore.curves` takes several, one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from results.errors import LeaseLost, StoreUnavailable
from results.records import (
    Curve,
    DriverProcess,
    Durations,
    EpochReport,
    Failure,
    JobRecord,
    JsonObject,
    Lease,
    LeaseCounts,
    LeasedJob,
    NewToken,
    NewTrial,
    Page,
    TokenRecord,
    TokenScope,
    TrialOutcome,
    TrialRecord,
)
from results.states import JobState, TrialState
from results.store import counters, curves, jobs, leases, schema, tokens, trials
from results.store.database import Database

logger = logging.getLogger(__name__)

_NOTE_LOCK_SECONDS = 0.1
# Whoever claims may have to end the process that holds the lock of SQLite.
_CLAIM_LOCK_SECONDS = 5.0


class SqlStore:
    """Keeps what :class:`results.store.base.Store` promises, on SQLite or PostgreSQL.

    Made by :func:`results.store.open_store`. The methods' docstrings are the protocol's.
    """

    def __init__(self, url: str) -> None:
        """Take the database's URL; nothing is opened yet."""
        self._database = Database(url)

    def __repr__(self) -> str:
        return f"SqlStore({self._database.url.render_as_string(hide_password=True)!r})"

    def __reduce__(self) -> tuple[type[SqlStore], tuple[str]]:
        return SqlStore, (self.url,)

    @property
    def url(self) -> str:
        """The URL that opens this store again, in any process and folder; holds the password."""
        return self._database.url.render_as_string(hide_password=False)

    def create_job(
        self,
        *,
        name: str,
        spec: JsonObject,
        fingerprint: str,
        trials: Sequence[NewTrial],
        planned_trials: int,
        idempotency_key: str | None = None,
        request_digest: str | None = None,
    ) -> JobRecord:
        """See :meth:`results.store.base.Store.create_job`."""
        with self._database.write(durable=True) as connection:
            return jobs.create(
                connection,
                name=name,
                spec=spec,
                fingerprint=fingerprint,
                trials=trials,
                planned_trials=planned_trials,
                idempotency_key=idempotency_key,
                request_digest=request_digest,
            )

    def job_of_key(self, idempotency_key: str, request_digest: str) -> JobRecord | None:
        """See :meth:`results.store.base.Store.job_of_key`."""
        with self._database.read() as connection:
            return jobs.of_key(connection, idempotency_key, request_digest)

    def job(self, job_id: str) -> JobRecord:
        """See :meth:`results.store.base.Store.job`."""
        with self._database.read() as connection:
            return jobs.get(connection, job_id)

    def jobs(
        self,
        *,
        state: JobState | None = None,
        fingerprint: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """See :meth:`results.store.base.Store.jobs`."""
        with self._database.read() as connection:
            return jobs.page(
                connection, state=state, fingerprint=fingerprint, cursor=cursor, limit=limit
            )

    def counts(self) -> Mapping[JobState, int]:
        """See :meth:`results.store.base.Store.counts`."""
        with self._database.read() as connection:
            return jobs.counts(connection)

    def longest_wait(self) -> float:
        """See :meth:`results.store.base.Store.longest_wait`."""
        with self._database.read() as connection:
            return jobs.longest_wait(connection)

    def trial_outcomes(self) -> tuple[TrialOutcome, ...]:
        """See :meth:`results.store.base.Store.trial_outcomes`."""
        with self._database.read() as connection:
            return trials.outcomes(connection)

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """See :meth:`results.store.base.Store.trials`."""
        with self._database.read() as connection:
            return trials.of_job(connection, job_id)

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """See :meth:`results.store.base.Store.trial`."""
        with self._database.read() as connection:
            return trials.get(connection, job_id, number)

    def curve(self, job_id: str, number: int) -> Curve:
        """See :meth:`results.store.base.Store.curve`."""
        with self._database.read() as connection:
            return curves.of_trial(connection, job_id, number)

    def curves(self, job_id: str, numbers: Collection[int] | None = None) -> Iterator[Curve]:
        """See :meth:`results.store.base.Store.curves`."""

        def read(after: int) -> tuple[Curve, ...]:
            with self._database.read() as connection:
                return curves.of_job(connection, job_id, numbers, after=after)

        return curves.one_by_one(read)

    def request_cancel(self, job_id: str) -> JobRecord:
        """See :meth:`results.store.base.Store.request_cancel`."""
        with self._database.write(durable=True) as connection:
            return jobs.request_cancel(connection, job_id)

    def request_pause(self, job_id: str) -> JobRecord:
        """See :meth:`results.store.base.Store.request_pause`."""
        with self._database.write(durable=True) as connection:
            return jobs.request_pause(connection, job_id)

    def resume_job(self, job_id: str) -> JobRecord:
        """See :meth:`results.store.base.Store.resume_job`."""
        with self._database.write(durable=True) as connection:
            return jobs.resume(connection, job_id)

    def retry_failed(self, job_id: str) -> JobRecord:
        """See :meth:`results.store.base.Store.retry_failed`."""
        with self._database.write(durable=True) as connection:
            return jobs.retry_failed(connection, job_id)

    def delete_job(self, job_id: str) -> None:
        """See :meth:`results.store.base.Store.delete_job`."""
        with self._database.write() as connection:
            jobs.delete(connection, job_id)

    def claim_job(self, owner: str, lease_seconds: float, *, to_run: bool = True) -> Lease | None:
        """See :meth:`results.store.base.Store.claim_job`."""
        with self._database.write(lock_seconds=_CLAIM_LOCK_SECONDS) as connection:
            return leases.claim(connection, owner, lease_seconds, to_run=to_run)

    @contextmanager
    def _write_under(self, lease: Lease, *, durable: bool = False) -> Iterator[Connection]:
        """Open a writing transaction; a write that the lease no longer allows is counted."""
        try:
            with self._database.write(durable=durable) as connection:
                yield connection
        except LeaseLost:
            # The refused transaction was rolled back: the count needs one of its own.
            with self._database.write() as connection:
                counters.count_refused_write(connection, lease)
            raise

    def lease_counts(self) -> LeaseCounts:
        """See :meth:`results.store.base.Store.lease_counts`."""
        with self._database.read() as connection:
            return counters.lease_counts(connection)

    def durations(self) -> Durations:
        """See :meth:`results.store.base.Store.durations`."""
        with self._database.read() as connection:
            return counters.durations(connection)

    def renew_lease(self, lease: Lease, lease_seconds: float) -> JobState:
        """See :meth:`results.store.base.Store.renew_lease`."""
        with self._write_under(lease) as connection:
            return leases.renew(connection, lease, lease_seconds)

    def set_driver(self, lease: Lease, driver: DriverProcess) -> None:
        """See :meth:`results.store.base.Store.set_driver`."""
        with self._write_under(lease) as connection:
            leases.set_driver(connection, lease, driver)

    def leased_jobs(self) -> Mapping[str, LeasedJob]:
        """See :meth:`results.store.base.Store.leased_jobs`."""
        with self._database.read() as connection:
            return leases.leased_jobs(connection)

    def release_job(self, lease: Lease, *, lost: bool = False) -> None:
        """See :meth:`results.store.base.Store.release_job`."""
        with self._write_under(lease) as connection:
            leases.release(connection, lease, lost=lost)

    def add_trial(self, lease: Lease, trial: NewTrial) -> None:
        """See :meth:`results.store.base.Store.add_trial`."""
        with self._write_under(lease) as connection:
            trials.add(connection, lease, trial)

    def start_trial(self, lease: Lease, number: int, *, node: str | None) -> int:
        """See :meth:`results.store.base.Store.start_trial`."""
        with self._write_under(lease) as connection:
            return trials.start(connection, lease, number, node)

    def write_reports(self, lease: Lease, reports: Sequence[EpochReport]) -> int:
        """See :meth:`results.store.base.Store.write_reports`."""
        with self._write_under(lease) as connection:
            return curves.write(connection, lease, reports)

    def finish_trial(
        self, lease: Lease, number: int, state: TrialState, error: Failure | None = None
    ) -> None:
        """See :meth:`results.store.base.Store.finish_trial`."""
        with self._write_under(lease, durable=True) as connection:
            trials.finish(connection, lease, number, state, error)

    def finish_job(self, lease: Lease, state: JobState, error: Failure | None = None) -> None:
        """See :meth:`results.store.base.Store.finish_job`."""
        with self._write_under(lease, durable=True) as connection:
            leases.finish(connection, lease, state, error)

    def create_token(
        self, name: str, scope: TokenScope, *, lifetime_seconds: float | None = None
    ) -> NewToken:
        """See :meth:`results.store.base.Store.create_token`."""
        with self._database.write(durable=True) as connection:
            return tokens.create(connection, name, scope, lifetime_seconds)

    def token(self, secret: str) -> TokenRecord | None:
        """See :meth:`results.store.base.Store.token`."""
        if not tokens.is_secret(secret):
            return None
        with self._database.read() as connection:
            found = tokens.find(connection, secret)
        if found is None:
            return None
        record, is_stale = found
        if is_stale:
            try:
                with self._database.write(lock_seconds=_NOTE_LOCK_SECONDS) as connection:
                    tokens.note_use(connection, record.name)
            except StoreUnavailable as error:
                # A full disk or a locked file: the next use tries again, and this one may read.
                logger.debug("the use of token %s was not noted: %s", record.name, error)
        return record

    def tokens(self) -> tuple[TokenRecord, ...]:
        """See :meth:`results.store.base.Store.tokens`."""
        with self._database.read() as connection:
            return tokens.of_all(connection)

    def revoke_token(self, name: str) -> None:
        """See :meth:`results.store.base.Store.revoke_token`."""
        with self._database.write(durable=True) as connection:
            tokens.revoke(connection, name)

    def migrate(self) -> None:
        """See :meth:`results.store.base.Store.migrate`."""
        schema.migrate(self._database)

    def schema_is_current(self) -> bool:
        """See :meth:`results.store.base.Store.schema_is_current`."""
        with self._database.read() as connection:
            return schema.is_current(connection)

    def close(self) -> None:
        """See :meth:`results.store.base.Store.close`."""
        self._database.close()
