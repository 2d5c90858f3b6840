"""Makes a job's search from its records, so that one that is taken over goes on as it was."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from results.errors import JobNotFound
from results.records import JobRecord, TrialRecord
from results.store import Store
from service.search.budget import BudgetTracker
from service.search.history import gather
from service.search.schedulers import make_scheduler
from service.search.search import Search

logger = logging.getLogger("service.engine.driver")


def make_search(store: Store, job: JobRecord, records: Sequence[TrialRecord]) -> Search:
    """Return the search of a job, with what its trials have come to so far."""
    space = job.spec.space
    scheduler = make_scheduler(space.scheduler, epochs=space.epochs)
    sampler = None
    if space.is_sampled:
        # Importing Optuna takes half a second, which a list of configurations does without.
        from service.search.samplers import make_sampler

        history = gather(space, lambda job_id: _trials_of(store, job_id)).past
        sampler = make_sampler(space, seed=job.spec.seed, records=records, history=history)
    started = job.started_at or datetime.now(UTC)

    def elapsed() -> float:
        return (datetime.now(UTC) - started).total_seconds()

    return Search(
        job.spec,
        records,
        store.rung_values(job.id, scheduler.rungs()),
        scheduler=scheduler,
        sampler=sampler,
        budget=BudgetTracker(space, elapsed),
        ended_by=job.ended_by,
        planned=job.progress.trials,
    )


def _trials_of(store: Store, job_id: str) -> Sequence[TrialRecord]:
    """Return the trials of a job to learn from, none if it was deleted since."""
    try:
        return store.trials(job_id)
    except JobNotFound as error:
        logger.warning("nothing is learnt from job %s: %s", job_id, error)
        return []
