"""The store on a SQL database: each method is one transaction around a function of its room.

Only :meth:`Store.curves` takes several, one after the other.
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
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store import counters, curves, jobs, leases, schema, tokens, trials
from results.store.database import Database

logger = logging.getLogger(__name__)

_NOTE_LOCK_SECONDS = 0.1
# Whoever claims may have to end the process that holds the lock of SQLite.
_CLAIM_LOCK_SECONDS = 5.0


class Store:
    """Keeps jobs, trials and reports. Safe to call from several threads and processes.

    Every method raises :class:`results.errors.StoreUnavailable` where the database cannot answer,
    and those that name a job :class:`results.errors.JobNotFound`. Every method that takes a
    :class:`~results.records.Lease` checks its token in the same transaction as its write and
    raises :class:`results.errors.LeaseLost`, having written nothing, when it is not the current
    one, or when the job has finished. Those that name a trial raise
    :class:`results.errors.TrialNotFound` if the job has none of that number.

    What is written is checked first: a string with a NUL character or a lone surrogate, a number
    that is not finite and a value that is not JSON are refused with a ``ValueError``. Only in a
    :class:`~results.records.Failure` are such characters escaped: what failed must be recorded.
    """

    def __init__(self, url: str) -> None:
        """Take the database's URL; nothing is opened yet."""
        self._database = Database(url)

    def __repr__(self) -> str:
        return f"Store({self._database.url.render_as_string(hide_password=True)!r})"

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return Store, (self.url,)

    @property
    def url(self) -> str:
        """The URL that opens this store again, in any process and folder; holds the password."""
        return self._database.url.render_as_string(hide_password=False)

    def create_job(
        self,
        spec: JobSpec,
        *,
        fingerprint: str,
        trials: Sequence[NewTrial],
        idempotency_key: str | None = None,
        request_digest: str | None = None,
    ) -> JobRecord:
        """Accept a job, queued, with the trials known so far; on disk before it returns.

        With an ``idempotency_key`` seen before, do as :meth:`job_of_key`; deleting the job frees
        its key. ``spec.trials`` is the number of trials in the end; a sampler's trials are added
        as they are suggested.
        """
        with self._database.write(durable=True) as connection:
            return jobs.create(
                connection,
                spec,
                fingerprint=fingerprint,
                trials=trials,
                idempotency_key=idempotency_key,
                request_digest=request_digest,
            )

    def job_of_key(self, idempotency_key: str, request_digest: str) -> JobRecord | None:
        """Return the job that was made under this key, or None if there is none.

        Raises :class:`results.errors.IdempotencyClash` if it was made by a request of another
        digest.
        """
        with self._database.read() as connection:
            return jobs.of_key(connection, idempotency_key, request_digest)

    def job(self, job_id: str) -> JobRecord:
        """Return the job."""
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
        """Return a page of jobs, newest first; a job made meanwhile never shifts later pages.

        Raises :class:`results.errors.BadCursor` unless ``cursor`` is an earlier page's
        ``next_cursor``, and ``ValueError`` for a ``limit`` below 1.
        """
        with self._database.read() as connection:
            return jobs.page(
                connection, state=state, fingerprint=fingerprint, cursor=cursor, limit=limit
            )

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state, with every state as a key."""
        with self._database.read() as connection:
            return jobs.counts(connection)

    def longest_wait(self) -> float:
        """Return the age in seconds of the oldest job that is queued now; 0.0 if none is.

        A job's age counts from its acceptance, by the database's clock.
        """
        with self._database.read() as connection:
            return jobs.longest_wait(connection)

    def trial_outcomes(self) -> tuple[TrialOutcome, ...]:
        """Return how the finished trials of all jobs ended, by state and kind of failure."""
        with self._database.read() as connection:
            return trials.outcomes(connection)

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials by number."""
        with self._database.read() as connection:
            return trials.of_job(connection, job_id)

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """Return one trial; raise :class:`results.errors.TrialNotFound` if there is none."""
        with self._database.read() as connection:
            return trials.get(connection, job_id, number)

    def curve(self, job_id: str, number: int) -> Curve:
        """Return the curve of the trial's latest attempt (empty before its first report).

        Its metrics are those that every epoch reported.
        """
        with self._database.read() as connection:
            return curves.of_trial(connection, job_id, number)

    def curves(self, job_id: str, numbers: Collection[int] | None = None) -> Iterator[Curve]:
        """Return the curves of all trials that have reported, or of those in ``numbers``, in order.

        They are read some at a time, the first of them before this returns, each time in a
        transaction of its own: memory stays bounded, and whoever reads slowly holds no connection.
        Each curve is of one moment; later ones may be of a later moment. The iterator raises
        :class:`results.errors.JobNotFound` when the job is deleted meanwhile.
        """

        def read(after: int) -> tuple[Curve, ...]:
            with self._database.read() as connection:
                return curves.of_job(connection, job_id, numbers, after=after)

        return curves.one_by_one(read)

    def request_cancel(self, job_id: str) -> JobRecord:
        """Cancel a queued or paused job at once; ask for a running one to be cancelled.

        Idempotent for a job that is cancelling or cancelled; raises
        :class:`results.errors.IllegalMove` for one that has finished otherwise.
        """
        with self._database.write(durable=True) as connection:
            return jobs.request_cancel(connection, job_id)

    def request_pause(self, job_id: str) -> JobRecord:
        """Pause a queued job at once; a running one is pausing until its running trials have ended.

        Idempotent for a job that is pausing or paused; raises
        :class:`results.errors.IllegalMove` for one that is cancelling or has finished.
        """
        with self._database.write(durable=True) as connection:
            return jobs.request_pause(connection, job_id)

    def resume_job(self, job_id: str) -> JobRecord:
        """Put a paused job back into the queue; let one that is pausing go on.

        Idempotent for a job that is queued or running; raises
        :class:`results.errors.IllegalMove` for one that is cancelling or has finished.
        """
        with self._database.write(durable=True) as connection:
            return jobs.resume(connection, job_id)

    def retry_failed(self, job_id: str) -> JobRecord:
        """Put a job that has succeeded or failed back into the queue, with its failed trials.

        They run again as new attempts, as do the trials that a failed job never finished;
        succeeded ones stay as they are. Idempotent for an unfinished job without failed trials;
        raises :class:`results.errors.IllegalMove` for an unfinished one with failed trials, for a
        cancelled one, and for one that has succeeded in every trial.
        """
        with self._database.write(durable=True) as connection:
            return jobs.retry_failed(connection, job_id)

    def delete_job(self, job_id: str) -> None:
        """Delete a finished job with its trials and reports; raise IllegalMove for another."""
        with self._database.write() as connection:
            jobs.delete(connection, job_id)

    def claim_job(self, owner: str, lease_seconds: float, *, to_run: bool = True) -> Lease | None:
        """Take the oldest job that is queued or whose lease has expired; None if there is none.

        Without ``to_run`` only one that is cancelling or pausing: that takes no driver.

        A queued job becomes running; one that is cancelling or pausing stays so, and whoever takes
        it over has only to end what is left of it and finish or release it. The
        token grows by one, and running trials are queued again with their attempt kept. The driver
        on record is the former holder's until :meth:`set_driver` replaces it.
        """
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
        """Return how often jobs were taken over, and stale writes refused, since the beginning."""
        with self._database.read() as connection:
            return counters.lease_counts(connection)

    def durations(self) -> Durations:
        """Return how long jobs and trials took, of all since the beginning, deleted ones too."""
        with self._database.read() as connection:
            return counters.durations(connection)

    def renew_lease(self, lease: Lease, lease_seconds: float) -> JobState:
        """Let the lease end ``lease_seconds`` from now, by the database's clock; return the state.

        A lease that has expired can be renewed as long as nobody has taken the job over.
        """
        with self._write_under(lease) as connection:
            return leases.renew(connection, lease, lease_seconds)

    def set_driver(self, lease: Lease, driver: DriverProcess) -> None:
        """Remember the process that drives the job: any controller on its host can end it."""
        with self._write_under(lease) as connection:
            leases.set_driver(connection, lease, driver)

    def leased_jobs(self) -> Mapping[str, LeasedJob]:
        """Return, by job id, each job that somebody runs.

        These are the jobs that are running, pausing or cancelling.
        """
        with self._database.read() as connection:
            return leases.leased_jobs(connection)

    def release_job(self, lease: Lease, *, lost: bool = False) -> None:
        """Put a running job back into the queue: its driver ended before the job did.

        ``lost`` says that it did so by itself, which counts as a take-over and, in the job's
        ``claims``, as one more try; a driver that was told to end leaves no trace. The job's
        running trials are queued again. One that is pausing is then paused. Raises
        :class:`results.errors.IllegalMove` for a job that is cancelling: that one is finished as
        cancelled.
        """
        with self._write_under(lease) as connection:
            leases.release(connection, lease, lost=lost)

    def add_trial(self, lease: Lease, trial: NewTrial) -> None:
        """Add a trial that a sampler suggested; adding the same one again changes nothing.

        Raises ``ValueError`` if the number is taken by another configuration.
        """
        with self._write_under(lease) as connection:
            trials.add(connection, lease, trial)

    def start_trial(self, lease: Lease, number: int, *, node: str | None) -> int:
        """Mark the trial running as a new attempt and return that attempt's number.

        Forgets the metrics, epochs and error of the attempt before; its reports stay in the table.
        Raises :class:`results.errors.IllegalMove` for a trial that has finished.
        """
        with self._write_under(lease) as connection:
            return trials.start(connection, lease, number, node)

    def write_reports(self, lease: Lease, reports: Sequence[EpochReport]) -> int:
        """Write a batch of reports, each at most once; return how many were new.

        The trial's ``metrics``, ``epochs`` and ``seconds`` follow the newest report of its current
        attempt. Reports of a trial that has finished are not written: its result stays as it was
        seen. Raises ``ValueError``, having written nothing, for a metric that is not finite and
        for an attempt that was never started.
        """
        with self._write_under(lease) as connection:
            return curves.write(connection, lease, reports)

    def finish_trial(
        self, lease: Lease, number: int, state: TrialState, error: Failure | None = None
    ) -> None:
        """Mark the trial finished; on disk before it returns. A finished trial stays as it is."""
        with self._write_under(lease, durable=True) as connection:
            trials.finish(connection, lease, number, state, error)

    def finish_job(self, lease: Lease, state: JobState, error: Failure | None = None) -> None:
        """Mark the job finished, and each unfinished trial cancelled; on disk before it returns.

        Raises :class:`results.errors.IllegalMove` where :data:`results.states.JOB_MOVES` has no
        such move: a job that is cancelling becomes cancelled, a running one succeeded or failed.
        """
        with self._write_under(lease, durable=True) as connection:
            leases.finish(connection, lease, state, error)

    def create_token(
        self, name: str, scope: TokenScope, *, lifetime_seconds: float | None = None
    ) -> NewToken:
        """Make a token; its secret is returned once, only a hash is kept.

        Raises :class:`results.errors.TokenExists` if the name is taken, and ``ValueError`` for a
        name or a lifetime that cannot be one.
        """
        with self._database.write(durable=True) as connection:
            return tokens.create(connection, name, scope, lifetime_seconds)

    def token(self, secret: str) -> TokenRecord | None:
        """Return the token with this secret; None for one unknown or expired.

        Its use is noted where the database can be written at the moment, or else at a later use.
        """
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
        """Return all tokens by name, expired ones too."""
        with self._database.read() as connection:
            return tokens.of_all(connection)

    def revoke_token(self, name: str) -> None:
        """Delete a token; raise :class:`results.errors.TokenNotFound` if there is none."""
        with self._database.write(durable=True) as connection:
            tokens.revoke(connection, name)

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
