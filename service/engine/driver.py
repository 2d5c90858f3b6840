"""The process that drives jobs: ``python -m service.engine.driver [JOB OWNER TOKEN]``.

The controller starts it in a session of its own, so it outlives the controller and the API. It
renews the job's lease, writes every result under it, and stops at once when the lease is lost.
Started without a job it is a spare: it connects to Ray and waits until the controller gives it one
(see :mod:`service.engine.channel`). After a job that ended well it waits for the next one.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import ray

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import Lease
from results.store import Store, open_store
from service import logs
from service.engine import processes
from service.engine.allowance import Allowance
from service.engine.capacity import CapacityWatch
from service.engine.channel import Orders
from service.engine.cluster import is_reachable
from service.engine.endings import Ending, ending_of
from service.engine.heartbeat import EXIT_UNFINISHED, Heartbeat
from service.engine.ray_connection import (
    NODE_SECONDS,
    RayUnavailableError,
    connect_spare,
    is_connected,
)
from service.engine.run import run_job
from service.engine.tune_run import TUNE_SETTINGS, TuneRun
from service.engine.warm_processes import Ahead
from service.log_lines import log_state
from service.logs import limit_log
from service.settings import Settings

logger = logging.getLogger("service.engine.driver")

#: A driver takes no further job after this many, so that whatever it leaks has an end.
JOBS_PER_DRIVER = 50


def _run(
    store: Store,
    lease: Lease,
    settings: Settings,
    allowance: Allowance,
    run: TuneRun,
    *,
    node_s: float = NODE_SECONDS,
) -> tuple[Ending | None, bool]:
    """Drive the job; return how that ended and whether it ended without an exception.

    The ending is None if the next driver is to go on with the job.
    """
    try:
        # The controller shared the slots out when it claimed the job.
        slots = store.job(lease.job_id).slots
        allowance.slots = 1 if slots is None else slots
        return run_job(store, lease, settings, allowance, run, node_s=node_s), True
    except Exception as error:
        # The edge of this process: an exception ends the job, or leaves it to the next driver.
        ending = ending_of(error)
        # Ray may have gone without an exception of its own.
        if ending is None or not is_reachable(settings.ray_address):
            logger.error("driver stops: %s: %s", type(error).__name__, error)
            return None, False
        logger.exception("the job could not be driven")
        return ending, False


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


def _drive(
    store: Store, lease: Lease, settings: Settings, run: TuneRun, orders: Orders
) -> tuple[int, bool]:
    """Drive one job; return the exit status, and whether this process may drive another."""
    log = settings.log_file(lease.job_id)
    _write_to(log)
    logs.configure(settings.log_format, job_id=lease.job_id)
    allowance = Allowance()
    heartbeat = Heartbeat(store, lease, settings, allowance)
    heartbeat.start()
    orders.begin()
    ending, is_well = _run(store, lease, settings, allowance, run)
    # Before the last write: a renewal after it would find the lease gone.
    heartbeat.stop()
    status = _end(store, lease, ending)
    _flush()
    limit_log(log, settings.max_log_bytes)
    return status, is_well and status == 0


def _write_to(log: Path) -> None:
    """Let standard output and standard error go to the log from here on."""
    _flush()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)


def _flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()


def _next(orders: Orders, settings: Settings, run: TuneRun) -> Lease | None:
    """Wait for another job; None if there will be none, or Ray has gone.

    If none comes for a while, trial processes are started ahead.
    """
    run.keep()
    if orders.is_closed():
        return None
    processes.set_title("argbest driver, waiting")
    ahead = Ahead(settings.warm_processes, orders.have_come)
    return orders.next(lambda: not ray.is_initialized() or is_connected(), ahead.is_ready)


def _work(lease: Lease | None, store: Store, settings: Settings) -> int:
    """Drive the job, or wait for one if there is none, and then others; return the status."""
    orders, run = Orders(), TuneRun(settings.tune_dir)
    if lease is None:
        # Ray looks for a head that has gone for many minutes.
        with orders.needed(lambda: os._exit(EXIT_UNFINISHED)):
            connect_spare(settings)
        lease = _next(orders, settings, run)
    for left in reversed(range(JOBS_PER_DRIVER)):
        if lease is None:
            return 0
        run.keep()
        processes.set_title(f"argbest driver {lease.job_id}")
        status, may_go_on = _drive(store, lease, settings, run, orders)
        if not (may_go_on and left):
            return status
        lease = _next(orders, settings, run)
    return 0


def main(arguments: Sequence[str]) -> None:
    """Drive the job that the arguments name, or wait for one; end the process."""
    lease = Lease(arguments[0], arguments[1], int(arguments[2])) if arguments else None
    settings = Settings()
    logs.configure(settings.log_format)
    os.environ.update(TUNE_SETTINGS)
    # Once a trial, it warns that the log files which are switched off are missing.
    logging.getLogger("ray.tune.analysis.experiment_analysis").setLevel(logging.ERROR)
    # At the end of a run it lists the processes that have left.
    logging.getLogger("ray.tune.tune").setLevel(logging.CRITICAL)
    store = open_store(settings.store_url)
    CapacityWatch(store).start()
    try:
        status = _work(lease, store, settings)
    except RayUnavailableError as error:
        logger.warning("a spare driver ends: %s", error)
        status = EXIT_UNFINISHED
    logging.shutdown()
    _flush()
    # Ray's exit handlers wait for trial processes that the end of this one ends anyway.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
