"""kill -9 of drivers and controllers mid-search: how long until others go on, and what is lost.

The real service runs searches of a trainable that only waits. A take-over lasts from the kill
until, for a driver, a trial is started by its successor; for the controller, until the next
queued job is claimed. Both moments are those of the store.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress

from benchmarks.service_process import RunningService
from results.store import Store
from service.settings import Settings
from tests.chaos.outcome import Outcome, nothing_done, slow, spread
from tests.chaos.searches import Search, controller_of, searching, until

SEED = 30


def kill_driver(search: Search, store: Store, drawn: random.Random) -> float:
    """Kill a driver whose trials train; return the seconds until its successor starts one."""
    job_id, driver, token = search.settle()
    time.sleep(drawn.uniform(0, 1))
    killed = time.time()
    with suppress(ProcessLookupError):
        os.kill(driver.pid, signal.SIGKILL)
    if store.job(job_id).state.is_finished:
        return kill_driver(search, store, drawn)  # it has ended just before
    return search.taken_over(job_id, token) - killed


def kill_controller(
    service: RunningService, search: Search, store: Store, drawn: random.Random
) -> float:
    """Kill the controller beside a working driver; return the seconds until a job is claimed."""
    search.settle()
    time.sleep(drawn.uniform(0, 1))
    controller = controller_of(service)
    killed = time.time()
    controller.kill()
    job_id = search.submit(1, epochs=1)

    def claimed() -> float | None:
        moment = store.job(job_id).started_at
        return moment.timestamp() if moment else None

    return until(claimed, f"job {job_id} claimed after the controller was killed") - killed


def kill_drivers_and_controllers(
    settings: Settings, drivers: int, controllers: int, *, limit_s: float, trials: int = 40
) -> Outcome:
    """Kill drivers and controllers in turn, or until ``limit_s`` is over; then check the results.

    The searches have ``trials`` trials each. ``settings`` say where prepared data sets lie, and may
    name an empty PostgreSQL database.
    """
    drawn, give_up = random.Random(SEED), time.monotonic() + limit_s
    took: dict[str, list[float]] = {"driver": [], "controller": []}
    with searching(settings, workers=2, trials=trials) as (service, store, search):
        while time.monotonic() < give_up:
            if len(took["driver"]) < drivers:
                took["driver"].append(kill_driver(search, store, drawn))
            elif len(took["controller"]) == controllers:
                break
            if len(took["controller"]) < controllers:
                took["controller"].append(kill_controller(service, search, store, drawn))
        attempts = search.check_all()
    violations = [
        *search.violations,
        *slow([*took["driver"], *took["controller"]]),
        *nothing_done("kill -9 of a driver", len(took["driver"]), drivers),
        *nothing_done("kill -9 of the controller", len(took["controller"]), controllers),
    ]
    figures: dict[str, str | int | float] = {
        "kill -9 of a driver": f"{len(took['driver'])} of {drivers}",
        **spread("driver taken over", took["driver"]),
        "kill -9 of the controller": f"{len(took['controller'])} of {controllers}",
        **spread("controller replaced", took["controller"]),
        "trials": search.trials,
        "attempts": attempts,
        "results lost or changed": len(search.violations),
    }
    place = "PostgreSQL" if settings.database_url else "SQLite"
    return Outcome(f"Driver and controller killed, {place}", figures, violations)
