"""The OpenAPI description is true: Schemathesis asks every route with valid and invalid requests.

All of its checks are on: no 500, only declared statuses, media types, headers and shapes, invalid
requests refused, unknown methods answered with 405. ``ARGBEST_TEST_LONG=1`` asks with many more
examples per route; ``--log-cli-level=info`` shows how many requests were made.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema

from results.errors import IllegalMove, JobNotFound, LeaseLost

# What is imported when it is first asked for, which may take longer than an answer may.
from results.exports import optuna_journal, parquet, tables, tensorboard  # noqa: F401
from results.records import EpochReport, Failure, Lease, TokenScope
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from service.api import create_app
from service.http.dependencies import MAX_JOB_ID
from service.settings import Settings
from tests.conftest import LONG
from tests.databases import migrated_store

logger = logging.getLogger(__name__)

EXAMPLES = 100 if LONG else 5
#: Trials that the stand-in for drivers runs of one job: a generated grid may hold thousands.
TRIALS_RUN = 3

#: A job, trial, plot or name that is not there is a 404 or, as in `best`, a 409.
FOUND_OR_NOT = ["2xx", "404", "409"]


def checks(*more: str) -> dict[str, Any]:
    """Return which statuses are no defect, and none for a valid request, with ``more`` of them."""
    return {
        "not_a_server_error": {"expected-statuses": ["2xx", "4xx", *more]},
        "positive_data_acceptance": {"expected-statuses": [*FOUND_OR_NOT, *more]},
    }


#: By route, a status that a valid request may get. There is no Ray here. JSON Schema cannot say
#: which names and metrics exist, which domains a trainable takes, which totals are larger than a
#: job's own, that 2.0 is no whole number here, and that only an earlier page gives a cursor.
ALSO = {
    "GET /readyz": "503",
    "GET /api/v1/cluster": "503",
    "POST /api/v1/code": "403",  # this service takes no programs
    "POST /api/v1/datasets": "422",
    # Without tokens there are none to make or list.
    "GET /api/v1/tokens": "403",
    "POST /api/v1/tokens": "403",
    "DELETE /api/v1/tokens/{name}": "403",
    "POST /api/v1/jobs/{job_id}/share": "403",
    "POST /api/v1/jobs": "422",
    "GET /api/v1/jobs": "422",
    "POST /api/v1/jobs/{job_id}/extend": "422",
    "POST /api/v1/jobs/{job_id}/confirm": "422",
    "POST /api/v1/jobs/{job_id}/priority": "422",
    "PATCH /api/v1/jobs/{job_id}": "422",
    "GET /api/v1/jobs/{job_id}/points": "422",  # metrics and known trials are read where they count
    "POST /api/v1/yaml": "4xx",  # what is YAML at all
    "GET /api/v1/jobs/{job_id}/figures/{name}": "422",
    "GET /api/v1/compare": "422",
    "GET /api/v1/jobs/{job_id}/replay": "422",  # a first rung above the job's epochs
    "GET /api/v1/jobs/{job_id}/trials/{number}/log": "422",  # an offset or a tail, not both
}
#: A stream without an end; tests of its own ask for it.
ENDLESS = "GET /api/v1/events"
CONFIG: dict[str, Any] = {
    "checks": checks(),
    "operations": [
        *({"include-name": name, "checks": checks(status)} for name, status in ALSO.items()),
        {"include-name": ENDLESS, "enabled": False},
    ],
}


class Drivers(threading.Thread):
    """Runs queued jobs as drivers do, without training, so that every event stream ends."""

    def __init__(self, store: Store) -> None:
        super().__init__(name="drivers", daemon=True)
        self._store, self._stopped = store, threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.03):
            for job in self._store.jobs(state=JobState.PAUSED).items:
                self._try(partial(self._store.resume_job, job.id))
            lease = self._store.claim_job("drivers", lease_seconds=1)
            if lease is not None:
                self._try(partial(self._drive, lease))

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (LeaseLost, IllegalMove, JobNotFound) as error:
            logger.debug("a request came in between: %s", error)

    def _drive(self, lease: Lease) -> None:
        job = self._store.job(lease.job_id)
        if job.state is JobState.PAUSING:
            self._store.release_job(lease)
            return
        for trial in self._store.trials(job.id)[:TRIALS_RUN]:
            if not trial.state.is_finished:
                run_trial(self._store, lease, trial.number, job.spec.space.metric)
        cancelled = job.state is JobState.CANCELLING
        self._store.finish_job(lease, JobState.CANCELLED if cancelled else JobState.SUCCEEDED)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def run_trial(store: Store, lease: Lease, number: int, metric: str) -> None:
    attempt = store.start_trial(lease, number, node="here")
    reports = [EpochReport(number, attempt, e, {metric: 1 / (e + number)}, 0.1 * e) for e in (1, 2)]
    store.write_reports(lease, reports)
    if number == 1:
        error = Failure(FailureKind.DIVERGED, "the training diverged")
        store.finish_trial(lease, number, TrialState.FAILED, error)
    else:
        store.finish_trial(lease, number, TrialState.SUCCEEDED)


@pytest.fixture(scope="module", params=["off", pytest.param("on", marks=pytest.mark.long)])
def contract(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BaseSchema]:
    """The description of an application with jobs, that asks for tokens or does not."""
    folder: Path = tmp_path_factory.mktemp("contract")
    settings = Settings(
        data_dir=folder,
        ray_address="127.0.0.1:1",
        min_free_bytes=0,
        allowed_hosts="testserver",
        auth=request.param,
    )
    store = migrated_store(settings.store_url)
    drivers = Drivers(store)
    drivers.start()
    app = create_app(settings, store)
    token = store.create_token("schemathesis", TokenScope.ADMIN).secret
    headers = {"headers": {"Authorization": f"Bearer {token}"}} if request.param == "on" else {}
    config = schemathesis.Config.from_dict(CONFIG | headers)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    schema.config.seed = 1
    schema.config.generation.update(max_examples=EXAMPLES)
    schema.hook("flatmap_path_parameters")(mostly_existing(store))
    yield schema
    drivers.stop()
    store.close()


def mostly_existing(store: Store) -> Any:
    """Return a hook that puts ids of existing jobs into most of the generated paths."""

    def flatmap_path_parameters(_: Any, drawn: dict[str, Any] | None) -> Any:
        ids = [job.id for job in store.jobs(limit=5).items]
        given = str((drawn or {}).get("job_id", ""))
        # One that breaks the description is to be refused: it stays.
        if not ids or not 0 < len(given) <= MAX_JOB_ID:
            return strategies.just(drawn)
        chosen = strategies.sampled_from([*ids, given])
        return chosen.map(lambda job_id: {**(drawn or {}), "job_id": job_id})

    return flatmap_path_parameters


def run(schema: BaseSchema) -> tuple[Counter[str], list[str]]:
    """Ask every route; return the requests by route, and what is wrong."""
    asked, wrong = Counter[str](), []
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished() | events.FuzzScenarioFinished():
                asked[event.recorder.label] += len(event.recorder.interactions)
                wrong += failures(event.recorder)
            case events.NonFatalError():
                wrong.append(f"{event.label}: {event.value}")
            case events.FatalError():
                raise event.exception
    return asked, wrong


def failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for node in (node for nodes in recorder.checks.values() for node in nodes):
        if node.failure_info is not None:
            failure = node.failure_info.failure
            sample = node.failure_info.code_sample
            yield f"{failure.operation}: {failure.title}: {failure.message}\n{sample}"


@pytest.mark.timeout(200 + 10 * EXAMPLES)
def test_every_route_keeps_to_its_description(contract: BaseSchema) -> None:
    asked, wrong = run(contract)
    logger.info("%d requests", asked.total())
    assert not wrong, f"{len(wrong)} of {asked.total()}:\n" + "\n\n".join(wrong)
    labels = {operation.ok().label for operation in contract.get_all_operations()}
    assert labels - set(asked) == set()
    assert asked.total() > 400
