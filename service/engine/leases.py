"""What a controller writes under a lease that it holds; each function raises ``StoreUnavailable``.

A lease that another controller has taken over meanwhile is no error: the job is theirs.
"""

from __future__ import annotations

import logging

from results.errors import IllegalMove, LeaseLost
from results.records import Failure, Lease
from results.states import JobState
from results.store import Store
from service.engine.driver_processes import forget_runs
from service.log_lines import log_state
from service.settings import Settings

logger = logging.getLogger("service.engine.controller")


def give_back(store: Store, settings: Settings, lease: Lease, *, lost: bool) -> None:
    """Queue the job again; ``lost`` says that its driver has ended by itself."""
    forget_runs(settings)
    try:
        store.release_job(lease, lost=lost)
    except (LeaseLost, IllegalMove) as refused:
        logger.info("job %s: %s", lease.job_id, refused)
        return
    if lost:
        logger.warning("job %s: its driver has ended before it", lease.job_id)
    log_state(logger, lease.job_id, store.job(lease.job_id).state)


def finish(
    store: Store, settings: Settings, lease: Lease, state: JobState, error: Failure | None = None
) -> None:
    """Finish the job in ``state``, with the reason if it failed."""
    forget_runs(settings)
    try:
        store.finish_job(lease, state, error)
    except (LeaseLost, IllegalMove) as refused:
        logger.info("job %s: %s", lease.job_id, refused)
        return
    log_state(logger, lease.job_id, state)
