"""The process that drives one job: ``python -m service.engine.driver JOB OWNER TOKEN``.

The controller starts it in a session of its own, so it outlives the controller and the API. It
renews the job's lease, writes every result under it, and stops at once when the lease is lost.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import Lease
from results.store import Store, open_store
from service import logs
from service.engine.cluster import is_reachable
from service.engine.endings import Ending, ending_of
from service.engine.heartbeat import EXIT_UNFINISHED, Heartbeat
from service.engine.pause_gate import PauseGate
from service.engine.ray_connection import NODE_SECONDS
from service.engine.run import TUNE_SETTINGS, run_job
from service.log_lines import log_state
from service.logs import limit_log
from service.settings import Settings

logger = logging.getLogger("service.engine.driver")


def _run(
    store: Store,
    lease: Lease,
    settings: Settings,
    gate: PauseGate,
    *,
    node_s: float = NODE_SECONDS,
) -> Ending | None:
    """Drive the job and return how that ended; None if the next driver is to go on with it."""
    try:
        return run_job(store, lease, settings, gate, node_s=node_s)
    except Exception as error:
        # The edge of this process: an exception ends the job, or leaves it to the next driver.
        ending = ending_of(error)
        # Ray may have gone without an exception of its own.
        if ending is None or not is_reachable(settings.ray_address):
            logger.error("driver stops: %s: %s", type(error).__name__, error)
            return None
        logger.exception("the job could not be driven")
        return ending


def _end(store: Store, lease: Lease, ending: Ending | None) -> int:
    """Write how the run ended, which ends the lease; return the exit status."""
    if ending is None:
        return EXIT_UNFINISHED
    if ending.error is not None:
        logger.error("the job failed: %s", ending.error.message)
    try:
        if ending.state.is_finished:
            store.finish_job(lease, ending.state, ending.error)
            log_state(logger, lease.job_id, ending.state)
        else:
            store.release_job(lease)
    except (LeaseLost, IllegalMove, StoreUnavailable) as error:
        logger.error("driver stops: %s: %s", type(error).__name__, error)
        return EXIT_UNFINISHED
    return 0


def main(arguments: Sequence[str]) -> int:
    """Drive the job that the arguments name; return the process's exit status."""
    job_id, owner, token = arguments
    settings = Settings()
    logs.configure(settings.log_format, job_id=job_id)
    os.environ.update(TUNE_SETTINGS)
    # Once a trial, it warns that the log files which are switched off are missing.
    logging.getLogger("ray.tune.analysis.experiment_analysis").setLevel(logging.ERROR)
    lease = Lease(job_id, owner, int(token))
    store = open_store(settings.store_url)
    gate = PauseGate()
    heartbeat = Heartbeat(store, lease, settings, gate)
    heartbeat.start()
    ending = _run(store, lease, settings, gate)
    # Before the last write: a renewal after it would find the lease gone.
    heartbeat.stop()
    status = _end(store, lease, ending)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    limit_log(settings.log_file(job_id), settings.max_log_bytes)
    # Ray's exit handlers wait for trial processes that the end of this one ends anyway.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
