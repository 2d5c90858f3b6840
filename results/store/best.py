"""The best configuration of a job, as it is kept on the job's row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import UnreadableJob
from results.ranking import Ranked, losses_of, rank
from results.states import Purpose, TrialState
from results.store.rows import SPEC, read_spec, trial_record
from results.store.tables import JOBS, TRIALS
from results.store.transactions import job_row, update_job
from search_spaces import SearchSpace

#: The most points of a job's history of best values.
MOST_HISTORY = 40


def improve_best(connection: Connection, job_id: str, configuration: int) -> None:
    """Let the job's best follow a configuration of which a trial of the search has succeeded."""
    job = job_row(connection, job_id, JOBS.c.best, JOBS.c.history, JOBS.c.finished, SPEC)
    space = read_spec(job_id, job.spec).space
    # By its number where it is the only trial: that is a look-up by key.
    alike = TRIALS.c.number if space.repeats == 1 else TRIALS.c.configuration
    found = _best_of(connection, job_id, space, alike == configuration)
    if found is not None:
        best = _better([job.best, found], space)
        update_job(connection, job_id, best=best, history=_noted(job, best))


def update_best(connection: Connection, job_id: str) -> None:
    """Look for the job's best configuration among all.

    The best of a job that this version cannot read stays what it is.
    """
    try:
        job = job_row(connection, job_id, JOBS.c.history, JOBS.c.finished, SPEC)
        space = read_spec(job_id, job.spec).space
    except UnreadableJob:
        return
    best = _best_of(connection, job_id, space, sa.true())
    update_job(connection, job_id, best=best, history=_noted(job, best))


def _noted(job: Row[Any], best: Mapping[str, Any] | None) -> list[list[float]]:
    """Return the history of the best value with the one of now, in at most 40 pairs.

    Of more, every other one goes, except the first and the last ones.
    """
    history = list(job.history or ())
    values = None if best is None else best.get("values")
    if values and (not history or history[-1][1] != values[0]):
        history.append([job.finished, values[0]])
    if len(history) > MOST_HISTORY:
        history = [history[0], *history[2:-1:2], history[-1]]
    return history


def _best_of(
    connection: Connection, job_id: str, space: SearchSpace, which: sa.ColumnElement[bool]
) -> dict[str, Any] | None:
    query = sa.select(TRIALS).where(
        TRIALS.c.job_id == job_id,
        TRIALS.c.state == TrialState.SUCCEEDED,
        TRIALS.c.purpose == Purpose.SEARCH,
        which,
    )
    found = rank(map(trial_record, connection.execute(query)), space).configurations
    return _stored(found[0]) if found else None


def _stored(best: Ranked) -> dict[str, Any]:
    """Return a configuration as the job's row keeps its best one."""
    return {
        "trial": best.trial.number,
        "parameters": best.trial.parameters,
        "metrics": best.metrics,
        "values": best.values,
        "standard_deviation": best.standard_deviation,
        "n": best.n,
    }


def _better(candidates: Iterable[Mapping[str, Any] | None], space: SearchSpace) -> Any:
    """Return the first by the objectives' values: no other dominates that one."""

    def key(best: Mapping[str, Any]) -> tuple[tuple[float, ...], int]:
        # Former versions, which had one objective, kept the metrics alone.
        values = best.get("values") or [best["metrics"][space.metric]]
        return losses_of(values, space.objectives), best["trial"]

    return min((best for best in candidates if best), key=key)
