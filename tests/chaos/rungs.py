"""kill -9 of drivers amid the rungs of a search: the same trials are promoted.

A search whose scheduler promotes runs once undisturbed on one slot, where the order of its reports
is always the same. Then the same search runs again and again while its driver is killed. Each
trial must come to the same epoch and end in the same state, with the same curve bit for bit.
"""

from __future__ import annotations

import random
import time
from contextlib import closing
from typing import Any

from benchmarks.service_process import running_service
from results.store import open_store
from service.settings import Settings
from tests.chaos.outcome import Outcome, nothing_done, slow, spread
from tests.chaos.segments import LongJobs, Tally, kill_driver

SEED = 50
#: A kill comes this long after a trial's first report of its segment, drawn uniformly.
KILL_SECONDS = (0.0, 4.0)


def search_body(trials: int = 18, epochs: int = 9, hidden: int = 60) -> dict[str, Any]:
    """Return the search: a third of the trials go on from epoch 1, and of these from epoch 3.

    A sampler that starts again would draw other configurations than the undisturbed one.
    """
    rates = [1e-4 * 1000 ** ((7 * number % trials) / (trials - 1)) for number in range(trials)]
    return {
        "search_space": "q3_mlp", "strategy": "grid", "epochs": epochs,
        "parameters": {"learning_rate": {"values": rates}, "hidden_size": hidden},
        "scheduler": {"name": "asha", "min_epochs": 1, "reduction_factor": 3},
        "max_failures": 10,
    }  # fmt: skip


def kill_amid_rungs(
    settings: Settings, kills: int, *, limit_s: float, body: dict[str, Any] | None = None
) -> Outcome:
    """Kill the driver ``kills`` times, or until ``limit_s`` is over; then check all searches.

    ``settings`` say where Fashion-MNIST lies prepared, and how often a checkpoint is made.
    """
    drawn, tally = random.Random(SEED), Tally()
    own = settings.model_copy(update={"max_claims": 1000})
    with (
        running_service(own, workers=1, database_url=settings.database_url) as service,
        closing(open_store(service.settings.store_url)) as store,
    ):
        jobs = LongJobs(service, store, body or search_body())
        give_up = time.monotonic() + limit_s
        while tally.done < kills and time.monotonic() < give_up:
            job_id = jobs.settle()
            time.sleep(drawn.uniform(*KILL_SECONDS))
            tally.done += kill_driver(jobs, job_id, tally)
        jobs.check_all()
        reached = jobs.epochs
    figures: dict[str, str | int | float] = {
        "kill -9 of a driver": f"{tally.done} of {kills}",
        **spread("taken over", tally.took),
        "searches": len(jobs.jobs),
        "trials of each": len(reached),
        "epochs to which they come": ", ".join(
            f"{reached.count(epoch)} to {epoch}" for epoch in sorted(set(reached))
        ),
        "searches with other promotions": len(jobs.violations),
    }
    violations = [
        *jobs.violations,
        *slow(tally.took),
        *nothing_done("kill -9 of a driver", tally.done, kills),
    ]
    if len(set(reached)) < 2:
        violations.append("no trial was left behind: nothing was promoted")
    return Outcome("Driver killed amid rungs", figures, violations)
