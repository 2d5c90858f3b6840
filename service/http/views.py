"""Turns records into the answers of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from results.records import Curve, JobRecord, TrialRecord
from service.jobs import Plan
from service.schemas import Answer, CurveView, JobView, PlanView, TrainableView, TrialView
from trainables import registry
from trainables.contract import Metric, UnknownTrainable


def job_view(job: JobRecord, dashboard_url: str) -> JobView:
    """Return a job as the API shows it."""
    base = f"/api/v1/jobs/{job.id}"
    parts = ("trials", "curves", "best", "report", "plots", "events", "log")
    return JobView.model_validate(
        {
            "id": job.id,
            "name": job.name,
            "state": job.state.value,
            "progress": job.progress,
            "best": job.best,
            "spec": job.spec.to_json(),
            "fingerprint": job.fingerprint,
            "error": job.error,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "dashboard_url": dashboard_url or None,
            "links": {"self": base, **{part: f"{base}/{part}" for part in parts}},
        }
    )


def trial_view(trial: TrialRecord, rank: int | None = None) -> TrialView:
    """Return a trial as the API shows it."""
    return TrialView.model_validate(
        {
            "number": trial.number,
            "state": trial.state.value,
            "parameters": trial.parameters,
            "seed": trial.seed,
            "metrics": trial.metrics,
            "epochs": trial.epochs,
            "seconds": trial.seconds,
            "node": trial.node,
            "attempts": trial.attempt,
            "error": trial.error,
            "started_at": trial.started_at,
            "finished_at": trial.finished_at,
            "engine": trial.engine,
            "rank": rank,
        }
    )


def curve_view(curve: Curve) -> CurveView:
    """Return a trial's curve as the API shows it among others."""
    return CurveView.model_validate({"trial": curve.trial, "epoch": curve.epochs, **curve.metrics})


def json_list(items: Iterable[Answer]) -> Iterator[str]:
    """Write a whole list as JSON, an item at a time, however long it is.

    FastAPI would write the list in one go on the event loop.
    """
    yield '{"items":['
    for index, item in enumerate(items):
        yield f"{',' if index else ''}{item.model_dump_json()}"
    yield '],"next_cursor":null}'


def plan_view(plan: Plan) -> PlanView:
    """Return a plan as the API shows it."""
    return PlanView(
        spec=plan.spec.to_json(),
        fingerprint=plan.fingerprint,
        trials=plan.trials,
        configurations=plan.configurations,
        sampling=plan.sampling,
        distinct=plan.distinct,
    )


def trainable_view(trainable: registry.Trainable) -> TrainableView:
    """Return a trainable as the API shows it."""
    return TrainableView.model_validate(
        {
            "name": trainable.name,
            "title": trainable.title,
            "datasets": trainable.datasets,
            "metrics": trainable.metrics,
            "parameters": trainable.schema(),
        }
    )


def metrics_of(trainable_name: str) -> dict[str, Metric]:
    """Return a trainable's metrics by name; empty for one that is no longer installed."""
    try:
        found = registry.get(trainable_name).metrics
    except UnknownTrainable:
        return {}
    return {metric.name: metric for metric in found}
