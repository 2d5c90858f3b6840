"""The request that makes a job again makes an equal one."""

from __future__ import annotations

import json

from results.store import Store
from search_spaces import Library
from service.again import request_of
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings


def test_the_same_job_is_made_again(settings: Settings, store: Store) -> None:
    jobs = Jobs(store, Library(), settings)
    for asked in (
        {"search_space": "q2_linear_regression"},
        {
            "search_space": "q4_feedforward", "name": "a", "strategy": "tpe", "trials": 3,
            "parameters": {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}},
            "epochs": 2, "seed": 7, "priority": 5, "keep": 2, "max_failures": 1, "confirm": True,
            "resources_per_trial": {"cpu": 0.5}, "tags": {"a": "b"}, "time_limit_s": 60.0,
            "max_concurrent_trials": 2, "scheduler": "asha", "budget": {"epochs": 100},
            "source": {"commit": "abc"},
        },
    ):  # fmt: skip
        made = jobs.submit(JobRequest.model_validate(asked))
        body = json.loads(json.dumps(request_of(made)))
        again = jobs.submit(JobRequest.model_validate(body))
        assert again.spec == made.spec
        assert (again.fingerprint, again.priority, again.tags) == (
            made.fingerprint, made.priority, made.tags,
        )  # fmt: skip
