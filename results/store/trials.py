"""Trials and their checkpoints: read, and written by the moves that a lease holder makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from results.records import Checkpoint, Failure, Lease, NewTrial, TrialRecord
from results.states import TrialState
from results.store.batch import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    Move,
    PauseTrial,
    PlanTrials,
    RequeueTrial,
    StartTrial,
)
from results.store.rows import checkpoint_record, trial_record
from results.store.tables import CHECKPOINTS, JOBS, TRIALS
from results.store.transactions import Transactions, job_row
from results.store.trial_moves import apply, trial_row


class TrialMethods(Transactions):
    """The methods of the store about trials."""

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials by number."""
        query = sa.select(TRIALS).where(TRIALS.c.job_id == job_id).order_by(TRIALS.c.number)
        with self._database.read() as connection:
            job_row(connection, job_id)
            return tuple(map(trial_record, connection.execute(query)))

    def moving_trials(self, job_id: str, numbers: Collection[int]) -> tuple[TrialRecord, ...]:
        """Return the job's trials that run, and those of these numbers, by number."""
        is_moving = (TRIALS.c.state == TrialState.RUNNING) | TRIALS.c.number.in_(numbers)
        query = sa.select(TRIALS).where(TRIALS.c.job_id == job_id, is_moving)
        with self._database.read() as connection:
            job_row(connection, job_id)
            return tuple(map(trial_record, connection.execute(query.order_by(TRIALS.c.number))))

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """Return one trial; raise :class:`results.errors.TrialNotFound` if there is none."""
        with self._database.read() as connection:
            job_row(connection, job_id)
            return trial_record(trial_row(connection, job_id, number))

    def write(self, lease: Lease, moves: Sequence[Move]) -> Mapping[int, int]:
        """Write moves of the job's trials, in order, in one transaction.

        Returns the attempts of the trials that were started, by their numbers. It is on disk before
        this returns if a trial finishes. Raises what the methods for single moves raise, and then
        nothing is written.
        """
        started: dict[int, int] = {}
        durable = any(isinstance(move, FinishTrial) for move in moves)
        with self._held(lease, durable=durable) as (changes, _):
            for move in moves:
                attempt = apply(changes, lease.job_id, move)
                if isinstance(move, StartTrial) and attempt is not None:
                    started[move.number] = attempt
        return started

    def add_trial(self, lease: Lease, trial: NewTrial) -> None:
        """Add a trial that a sampler suggested; adding the same one again changes nothing.

        Raises ``ValueError`` if the number is taken by another configuration.
        """
        self.write(lease, [AddTrial(trial)])

    def start_trial(
        self, lease: Lease, number: int, *, node: str | None, resumed_from: int = 0
    ) -> int:
        """Mark the trial running and return the number of its attempt.

        After ``resumed_from`` epochs, if those are all that its attempt has reported, the same
        attempt goes on. Otherwise, or for a move with ``is_retry``, a new one begins, with the
        reports up to that epoch: its metrics, epochs and seconds are what they were then. The
        reports of former attempts stay in the table. Raises
        :class:`results.errors.IllegalMove` for a trial that has finished, and ``ValueError`` for
        an epoch that was never reported.
        """
        return self.write(lease, [StartTrial(number, node, resumed_from)])[number]

    def requeue_trial(self, lease: Lease, number: int, *, detail: str = "") -> None:
        """Queue a running trial again, with its attempt kept; ``detail`` says why.

        A trial that is not running stays as it is.
        """
        self.write(lease, [RequeueTrial(number, detail)])

    def pause_trial(self, lease: Lease, number: int) -> None:
        """Let a running trial wait at a rung until it is started again or finished.

        A trial that is not running stays as it is.
        """
        self.write(lease, [PauseTrial(number)])

    def plan_trials(self, lease: Lease, total: int, *, ended_by: str = "") -> None:
        """Set how many trials the job has in all, and why its search has ended early.

        Raises ``ValueError`` for fewer than it has.
        """
        self.write(lease, [PlanTrials(total, ended_by)])

    def finish_trial(
        self, lease: Lease, number: int, state: TrialState, error: Failure | None = None
    ) -> None:
        """Mark the trial finished; on disk before it returns. A finished trial stays as it is."""
        self.write(lease, [FinishTrial(number, state, error)])

    def add_checkpoint(self, lease: Lease, checkpoint: Checkpoint) -> None:
        """Remember a file in the storage that holds a trial's state."""
        self.write(lease, [AddCheckpoint(checkpoint)])

    def checkpoints(self, job_id: str) -> tuple[Checkpoint, ...]:
        """Return the job's checkpoints by trial, newest first."""
        query = sa.select(CHECKPOINTS).where(CHECKPOINTS.c.job_id == job_id)
        query = query.order_by(CHECKPOINTS.c.trial, CHECKPOINTS.c.epoch.desc(), CHECKPOINTS.c.name)
        with self._database.read() as connection:
            job_row(connection, job_id)
            return tuple(map(checkpoint_record, connection.execute(query)))

    def checkpoint_names(self, limit: int) -> tuple[str, ...]:
        """Return the names of at most so many checkpoints, those of the newest jobs."""
        query = sa.select(CHECKPOINTS.c.name).join(JOBS, JOBS.c.id == CHECKPOINTS.c.job_id)
        query = query.order_by(JOBS.c.sequence.desc(), CHECKPOINTS.c.name).limit(limit)
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def drop_checkpoints(self, job_id: str, names: Collection[str]) -> None:
        """Forget checkpoints of the job, whose files are to be deleted; unknown names are fine."""
        of_job = CHECKPOINTS.c.job_id == job_id
        newest = sa.select(sa.func.max(CHECKPOINTS.c.epoch)).where(
            of_job, CHECKPOINTS.c.trial == TRIALS.c.number
        )
        dropped = sa.delete(CHECKPOINTS).where(of_job, CHECKPOINTS.c.name.in_(names))
        with self._locked(job_id) as (changes, _):
            trials = set(changes.connection.scalars(dropped.returning(CHECKPOINTS.c.trial)))
            changes.connection.execute(
                sa.update(TRIALS)
                .where(TRIALS.c.job_id == job_id, TRIALS.c.number.in_(trials))
                .values(checkpoint=sa.func.coalesce(newest.scalar_subquery(), 0))
            )
