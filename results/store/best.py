"""The best trial of a job, as it is kept on the job's row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from results.errors import UnreadableJob
from results.ranking import sort_key
from results.states import TrialState
from results.store.rows import SPEC, read_spec
from results.store.tables import JOBS, TRIALS
from results.store.transactions import job_row, update_job
from search_spaces import SearchSpace


def candidate(number: int, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> Any:
    """Return a trial that has succeeded as the job's row keeps its best one."""
    return {"trial": number, "parameters": parameters, "metrics": metrics}


def improve_best(connection: Connection, job_id: str, succeeded: Iterable[Any]) -> None:
    """Let the job's best trial follow these candidates, which have just succeeded."""
    job = job_row(connection, job_id, JOBS.c.best, SPEC)
    space = read_spec(job_id, job.spec).space
    update_job(connection, job_id, best=_best([job.best, *succeeded], space))


def update_best(connection: Connection, job_id: str) -> None:
    """Look for the job's best trial among all that have succeeded.

    The best of a job that this version cannot read stays what it is.
    """
    try:
        space = read_spec(job_id, job_row(connection, job_id, SPEC).spec).space
    except UnreadableJob:
        return
    columns = (TRIALS.c.number, TRIALS.c.parameters, TRIALS.c.metrics)
    query = sa.select(*columns).where(
        TRIALS.c.job_id == job_id, TRIALS.c.state == TrialState.SUCCEEDED
    )
    succeeded = (candidate(*row) for row in connection.execute(query))
    update_job(connection, job_id, best=_best(succeeded, space))


def _best(candidates: Iterable[Any], space: SearchSpace) -> Any:
    def key(best: Mapping[str, Any]) -> tuple[float, int]:
        return sort_key(best["metrics"][space.metric], best["trial"], space.mode)

    scored = (best for best in candidates if best and space.metric in best["metrics"])
    return min(scored, key=key, default=None)
