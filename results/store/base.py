"""What a store promises; :class:`results.store.sql.SqlStore` keeps it on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from results.records import (
    Curve,
    DriverProcess,
    EpochReport,
    Failure,
    JobRecord,
    JsonObject,
    Lease,
    NewTrial,
    Page,
    TrialRecord,
)
from results.states import JobState, TrialState


class Store(Protocol):
    """Keeps jobs, trials and reports. Safe to call from several threads and processes.

    Every method raises :class:`results.errors.StoreUnavailable` where the database cannot answer,
    and those that name a job :class:`results.errors.JobNotFound`. Every method that takes a
    :class:`~results.records.Lease` checks its token in the same transaction as its write and
    raises :class:`results.errors.LeaseLost`, having written nothing, when it is not the current one.
    """

    # --- jobs, as a client sees them -------------------------------------------------------

    def create_job(
        self,
        *,
        name: str,
        spec: JsonObject,
        fingerprint: str,
        trials: Sequence[NewTrial],
        planned_trials: int,
        idempotency_key: str | None = None,
    ) -> JobRecord:
        """Accept a job, queued, with the trials known so far; on disk before it returns.

        With an ``idempotency_key`` seen before, return the job made then, if the ``fingerprint`` and ``name``
        are the same, or raise :class:`results.errors.IdempotencyClash`. ``planned_trials`` is the
        number of trials in the end; a sampler's trials are added as they are suggested.
        """

    def job(self, job_id: str) -> JobRecord:
        """Return the job."""

    def jobs(
        self,
        *,
        state: JobState | None = None,
        fingerprint: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return a page of jobs, newest first; a job made meanwhile never shifts later pages."""

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials by number."""

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """Return one trial; raise :class:`results.errors.TrialNotFound` if there is none."""

    def curve(self, job_id: str, number: int) -> Curve:
        """Return the curve of the trial's latest attempt (empty before its first report)."""

    def curves(self, job_id: str) -> tuple[Curve, ...]:
        """Return the curves of all trials that have reported, by number, in one query."""

    def request_cancel(self, job_id: str) -> JobRecord:
        """Cancel a queued job at once; ask for a running one to be cancelled.

        Idempotent for a job that is cancelling or cancelled; raises
        :class:`results.errors.IllegalMove` for one that has finished otherwise.
        """

    def delete_job(self, job_id: str) -> None:
        """Delete a finished job with its trials and reports; raise IllegalMove for another."""

    # --- running a job, under a lease ------------------------------------------------------

    def claim_job(self, owner: str, lease_seconds: float) -> Lease | None:
        """Take the oldest queued job, or a running one whose lease expired; None if there is none.

        The job becomes running, its token grows by one, and its running trials are queued again.
        """

    def renew_lease(self, lease: Lease, lease_seconds: float) -> JobState:
        """Extend the lease by the database's clock and return the job's state."""

    def set_driver(self, lease: Lease, driver: DriverProcess) -> None:
        """Remember the process that drives the job, so that any controller on its host can end it."""

    def drivers(self) -> Mapping[str, tuple[JobState, Lease, DriverProcess | None]]:
        """Return, by job id, the state, lease and driver of each running or cancelling job."""

    def release_job(self, lease: Lease) -> None:
        """Put a running job back into the queue (its driver ended before the job did)."""

    def add_trial(self, lease: Lease, trial: NewTrial) -> None:
        """Add a trial that a sampler suggested."""

    def start_trial(self, lease: Lease, number: int, *, node: str | None) -> int:
        """Mark the trial running as a new attempt and return that attempt's number.

        Forgets the metrics, epochs and error of the attempt before; its reports stay in the table.
        """

    def write_reports(self, lease: Lease, reports: Sequence[EpochReport]) -> int:
        """Write a batch of reports, each at most once; return how many were new.

        The trial's ``metrics``, ``epochs`` and ``seconds`` follow its newest report.
        """

    def finish_trial(
        self, lease: Lease, number: int, state: TrialState, error: Failure | None = None
    ) -> None:
        """Mark the trial finished; on disk before it returns. A finished trial stays as it is."""

    def finish_job(self, lease: Lease, state: JobState, error: Failure | None = None) -> None:
        """Mark the job finished, and each unfinished trial cancelled; on disk before it returns."""

    # --- the database itself ----------------------------------------------------------------

    def migrate(self) -> None:
        """Bring the schema up to the newest revision."""

    def schema_is_current(self) -> bool:
        """Whether the schema is at the newest revision."""

    def close(self) -> None:
        """Close all connections."""
