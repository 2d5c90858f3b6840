"""Hints of what lets a job go on: whoever follows one is not refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from results.errors import IllegalMove
from results.records import JobRecord, NewTrial
from results.states import JobState
from results.store import Store
from results.store.hints import to_finish
from search_spaces import Choice, Confirm, Scheduler
from tests.results.store.samples import SPACE, SPEC, claim

SPACES: dict[str, dict[str, Any]] = {
    "sampled": {"trials": 2},
    "sampled with repeats": {"trials": 2, "repeats": 3},
    "grid": {
        "strategy": "grid",
        "trials": None,
        "parameters": {"learning_rate": Choice((0.1, 0.2), default=0.1)},
    },
    "population": {
        "trials": None,
        "scheduler": Scheduler.from_json({"name": "pbt", "population": 2, "interval": 1}),
    },
}
VERBS: dict[str, Callable[[Store, str], object]] = {
    "retry": lambda store, job_id: store.retry_failed(job_id),
    "confirm": lambda store, job_id: store.confirm_job(job_id, Confirm(2, 2), fingerprint=""),
}


def submitted(store: Store, name: str) -> JobRecord:
    space = replace(SPACE, **SPACES[name])
    trials = 2 * space.repeats
    listed = [NewTrial(number, {"learning_rate": 0.1}, 42) for number in range(trials)]
    return store.create_job(
        replace(SPEC, space=space, trials=trials), fingerprint="fingerprint", trials=listed
    )


def follow(store: Store, job: JobRecord, hint: str) -> None:
    """Do what the hint says; a population is submitted again."""
    if job.spec.space.scheduler.is_population:
        assert hint == "submit the search again"
        return
    found = re.match(r"extend it to (its own|more than) (\d+) (trials|epochs)", hint)
    assert found is not None, hint
    total = int(found[2]) + (found[1] == "more than")
    totals: dict[str, int | None] = {"trials": None, "epochs": None}
    # As service.jobs does: trials are counted with their repeats here.
    totals[found[3]] = total * (job.spec.space.repeats if found[3] == "trials" else 1)
    extended = store.extend_job(job.id, **totals, fingerprint="another")
    assert extended.job.state is JobState.QUEUED


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_cancelled_job_says_how_it_goes_on(store: Store, name: str, verb: str) -> None:
    job = store.request_cancel(submitted(store, name).id)
    with pytest.raises(IllegalMove) as refused:
        VERBS[verb](store, job.id)
    follow(store, job, refused.value.hint)


@pytest.mark.parametrize("name", ["sampled", "grid"])
def test_a_search_that_a_budget_ended_before_any_success_is_extended(
    store: Store, name: str
) -> None:
    job = submitted(store, name)
    lease = claim(store)
    store.plan_trials(lease, 2, ended_by="the budget of 1 seconds is spent")
    store.finish_job(lease, JobState.FAILED)
    job = store.job(job.id)
    with pytest.raises(IllegalMove) as refused:
        VERBS["confirm"](store, job.id)
    assert refused.value.hint == to_finish(job)
    follow(store, job, refused.value.hint)
