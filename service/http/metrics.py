"""Metrics for Prometheus: jobs and trials, the database, requests and latencies, the version."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from starlette.types import Scope

from results.errors import StoreUnavailable
from results.states import JobState
from results.store import Store
from service.http.openapi import PROBLEMS, media
from service.version import version

logger = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

#: Methods that are counted by name. A client may send any word, and each would make a series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class StoreCollector(Collector):
    """Reads the store at each scrape, so that every API process answers the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield the version, whether the database answers and, if so, its numbers."""
        yield InfoMetricFamily("argbest", "Version of argbest.", {"version": version()})
        try:
            found = [*self._jobs(), *self._trials(), *self._durations(), *self._leases()]
        except StoreUnavailable as error:
            # This moment must be seen above all, with its latencies.
            logger.warning("metrics without those of the database: %s", error)
            found = []
        yield GaugeMetricFamily(
            "argbest_database_up", "Whether the database answers.", value=bool(found)
        )
        yield from found

    def _jobs(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("argbest_jobs", "Jobs by state.", labels=["state"])
        counts = self._store.counts()
        for state in JobState:
            jobs.add_metric([state.value], counts.get(state, 0))
        yield jobs
        yield GaugeMetricFamily(
            "argbest_oldest_queued_job_seconds",
            "Time since the acceptance of the oldest job that is queued; 0 if none is.",
            value=self._store.longest_wait(),
        )

    def _leases(self) -> Iterator[Metric]:
        leases = self._store.lease_counts()
        yield CounterMetricFamily(
            "argbest_take_overs",
            "Jobs started again because their driver, controller or host was gone.",
            value=leases.take_overs,
        )
        yield CounterMetricFamily(
            "argbest_refused_writes",
            "Writes of a driver or controller refused because its job had been taken over.",
            value=leases.refused_writes,
        )

    def _trials(self) -> Iterator[Metric]:
        trials = GaugeMetricFamily(
            "argbest_trials",
            "Ends of trials by state and kind of failure; a trial that is retried ends again.",
            labels=["state", "kind"],
        )
        for outcome in self._store.trial_outcomes():
            values = [outcome.state.value, outcome.kind.value if outcome.kind else ""]
            trials.add_metric(values, outcome.trials)
        yield trials

    def _durations(self) -> Iterator[Metric]:
        found = self._store.durations()
        for name, (number, seconds), what in (
            ("job_wait", found.job_wait, "From a job's acceptance to its first start."),
            (
                "job_run",
                found.job_run,
                "From a job's start, or when it went on, to its end, with pauses.",
            ),
            ("trial", found.trial, "Training of the attempt with which a trial ended."),
        ):
            yield SummaryMetricFamily(
                f"argbest_{name}_seconds", what, count_value=number, sum_value=seconds
            )


def install(app: FastAPI, store: Store) -> Callable[[Scope, int, float], None]:
    """Serve ``/metrics``; return the function that counts a request, its status and its seconds.

    Each application has a registry of its own: two of them in one process do not mix.
    """
    registry = CollectorRegistry()
    registry.register(StoreCollector(store))
    latencies = Histogram(
        "argbest_http_request_seconds",
        "Time to the answer's start, by method, route and status.",
        ["method", "route", "status"],
        registry=registry,
    )

    def observe(scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # The route's template, not the path: ids would make a series each.
        route = getattr(scope.get("route"), "path", "unknown")
        latencies.labels(method, route, str(status)).observe(seconds)

    app.state.metrics = registry
    app.include_router(router)
    return observe


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **media("the metrics", "text/plain"),
        **{status: PROBLEMS[status] for status in (401, 403, 503)},
    },
)
def metrics(request: Request) -> Response:
    """Answer the metrics in Prometheus's text format."""
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)
