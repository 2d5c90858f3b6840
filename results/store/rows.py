"""From rows to records, and to the specification of a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Row

from results.errors import UnreadableJob
from results.records import (
    BestTrial,
    Checkpoint,
    Event,
    Failure,
    JobRecord,
    Progress,
    TrialRecord,
    Usage,
)
from results.spec import JobSpec
from results.states import FailureKind, JobState, Purpose, TrialState
from results.store.tables import JOBS
from search_spaces import SearchSpaceError

S = TypeVar("S", JobState, TrialState, Purpose)

#: A job's specification as text, from which :func:`read_spec` makes it.
SPEC = sa.cast(JOBS.c.spec, sa.Text).label("spec")
#: The columns of which :func:`job_record` makes a record.
JOB = tuple(SPEC if column is JOBS.c.spec else column for column in JOBS.c)


def read_spec(job_id: str, text: str) -> JobSpec:
    """Return the specification that is stored as ``text``.

    Raises :class:`results.errors.UnreadableJob` where this version cannot read it.
    """
    try:
        return _parsed(text)
    except (SearchSpaceError, LookupError, TypeError, ValueError) as error:
        raise UnreadableJob(
            f"this version of argbest cannot read the specification of job {job_id}: {error}",
            hint="use the version that accepted the job, or a newer one",
        ) from error


def stored_state(states: type[S], text: str, job_id: str) -> S:
    """Return the stored state of a job or trial, or a trial's purpose, a member of ``states``.

    Raises :class:`results.errors.UnreadableJob` for a state that only a newer version has.
    """
    try:
        return states(text)
    except ValueError as error:
        raise UnreadableJob(
            f"this version of argbest has no {states.__name__} {text!r}, as job {job_id} has",
            hint="use a newer version",
        ) from error


# To parse and check a specification takes 0.1 to 0.2 ms, most of what a page of jobs takes.
@lru_cache(maxsize=1024)
def _parsed(text: str) -> JobSpec:
    return JobSpec.from_json(json.loads(text))


def job_record(row: Row[Any]) -> JobRecord:
    """Return the record of the columns :data:`JOB`; raise UnreadableJob as :func:`read_spec`."""
    spec = read_spec(row.id, row.spec)
    state = stored_state(JobState, row.state, row.id)
    # What stopped trials and programs that ended early did not train, nobody will.
    is_cut_short = state.is_finished and (row.stopped or spec.space.may_end_early)
    total = row.epochs_done if is_cut_short else spec.most_epochs(row.planned_trials)
    return JobRecord(
        id=row.id,
        name=row.name,
        state=state,
        spec=spec,
        fingerprint=row.fingerprint,
        progress=Progress(
            trials=row.planned_trials,
            finished=row.finished,
            failed=row.failed,
            running=row.running,
            epochs_done=row.epochs_done,
            epochs_total=total,
            stopped=row.stopped,
            paused=row.paused,
        ),
        best=None if row.best is None else _best(row.best, spec.space.metric),
        error=_failure(row.error),
        created_at=moment(row.created_at),
        started_at=_time(row.started_at),
        finished_at=_time(row.finished_at),
        lease_token=row.lease_token,
        claims=row.claims,
        priority=row.priority,
        slots=row.slots,
        ended_by=row.ended_by,
        tags=row.tags,
        notes=row.notes,
        history=tuple((trials, value) for trials, value in row.history or ()),
    )


def trial_record(row: Row[Any]) -> TrialRecord:
    """Return the record of a row of the table of trials."""
    return TrialRecord(
        number=row.number,
        state=stored_state(TrialState, row.state, row.job_id),
        parameters=row.parameters,
        seed=row.seed,
        metrics=row.metrics,
        epochs=row.epochs,
        seconds=row.seconds,
        node=row.node,
        engine=row.engine,
        attempt=row.attempt,
        error=_failure(row.error),
        started_at=_time(row.started_at),
        finished_at=_time(row.finished_at),
        resumed_from=row.resumed_from,
        checkpoint=row.checkpoint,
        model_bytes=row.model_bytes,
        purpose=stored_state(Purpose, row.purpose, row.job_id),
        configuration=row.number if row.configuration is None else row.configuration,
        usage=None if row.usage is None else usage_record(row.usage),
        parent=row.parent,
        start_epoch=row.start_epoch,
    )


_USAGE = frozenset(member.name for member in fields(Usage))


def usage_record(stored: Mapping[str, Any]) -> Usage:
    """Return the record of a trial's use of its machine, without what a newer version adds."""
    return Usage(**{name: value for name, value in stored.items() if name in _USAGE})


def checkpoint_record(row: Row[Any]) -> Checkpoint:
    """Return the record of a row of the table of checkpoints."""
    return Checkpoint(row.trial, row.epoch, row.seconds, row.name, row.size, row.sha256)


def event_record(row: Row[Any]) -> Event:
    """Return the record of a row of the table of events."""
    at = moment(row.at)
    return Event(row.id, row.job_id, row.trial, row.state, at, row.attempt, row.detail)


def moment(seconds: float) -> datetime:
    """Return the time that is stored as seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _best(stored: Mapping[str, Any], metric: str) -> BestTrial:
    metrics = stored["metrics"]
    # Former versions kept the metrics alone.
    values = stored.get("values") or [metrics[metric]]
    return BestTrial(
        stored["trial"],
        stored["parameters"],
        metric,
        values[0],
        metrics,
        stored.get("standard_deviation"),
        stored.get("n", 1),
    )


def _failure(stored: Mapping[str, Any] | None) -> Failure | None:
    if stored is None:
        return None
    known = stored["kind"] in FailureKind.__members__.values()
    # A newer version may know more kinds.
    kind = FailureKind(stored["kind"]) if known else FailureKind.INTERNAL
    return Failure(kind, stored["message"], stored["traceback"])


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
