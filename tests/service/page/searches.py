"""Finished jobs for the page's tests, as a driver leaves them, with hostile names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from results.records import EpochReport, NewTrial
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import Library, SearchSpace
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings

HOSTILE = "<img src=x onerror=alert(1)>"
METRIC = "validation_accuracy"


def sampled_search(store: Store, settings: Settings, *, trials: int = 24, **spec: Any) -> str:
    """Write a finished search over three parameters, and return its job's id."""
    plan = Jobs(store, Library(), settings).plan(JobRequest(search_space="q4_logistic_regression"))
    parameters = {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "momentum": {"low": 0.0, "high": 1.0},
        "optimizer": {"values": ["sgd", HOSTILE]},
    }
    declared = {**plan.spec.space.to_json(), "strategy": "tpe", "trials": trials, "epochs": 2,
                "parameters": parameters}  # fmt: skip
    space = SearchSpace.from_stored(declared)
    configurations = [
        {"learning_rate": 10 ** (-4 + 3 * ((n * 0.618) % 1)), "momentum": (n * 0.755) % 1,
         "optimizer": ("sgd", HOSTILE)[n % 2]}
        for n in range(trials)
    ]  # fmt: skip
    new = [NewTrial(n, c, 42) for n, c in enumerate(configurations)]
    job_spec = replace(plan.spec, space=space, trials=trials, **{"name": HOSTILE, **spec})
    job = store.create_job(job_spec, fingerprint="sampled", trials=new)
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number, values in enumerate(configurations):
        score = 0.9 - 0.05 * (math.log10(float(values["learning_rate"])) + 2) ** 2
        score += 0.001 * job_spec.seed
        attempt = store.start_trial(lease, number, node="here")
        store.write_reports(
            lease,
            [EpochReport(number, attempt, e, {METRIC: score - 0.1 / e}, float(e)) for e in (1, 2)],
        )
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return job.id
