"""Turns records into the JSON that the API answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from results.export import trial_row
from results.records import Curve, Failure, JobRecord, TrialRecord
from trainables import registry
from trainables.contract import Metric, UnknownTrainable
from trainables.datasets import DatasetStatus


def job_view(job: JobRecord, dashboard_url: str) -> dict[str, Any]:
    """Return a job as the API shows it."""
    base = f"/api/v1/jobs/{job.id}"
    parts = ("trials", "curves", "best", "report", "plots", "events", "log")
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state.value,
        "progress": asdict(job.progress),
        "best": asdict(job.best) if job.best else None,
        "spec": job.spec.to_json(),
        "fingerprint": job.fingerprint,
        "error": _failure(job.error),
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "dashboard_url": dashboard_url or None,
        "links": {"self": base, **{part: f"{base}/{part}" for part in parts}},
    }


def trial_view(trial: TrialRecord) -> dict[str, Any]:
    """Return a trial as the API shows it."""
    return {
        **trial_row(trial),
        "error": _failure(trial.error),
        "started_at": _time(trial.started_at),
        "finished_at": _time(trial.finished_at),
    }


def curve_view(curve: Curve) -> dict[str, list[float] | list[int]]:
    """Return ``{epoch: [...], <metric>: [...], ...}``."""
    return {"epoch": list(curve.epochs), **{k: list(v) for k, v in curve.metrics.items()}}


def json_list(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write a list that is whole as JSON, piece by piece, however long it is.

    FastAPI would write what a route returns in one go on the event loop.
    """
    yield '{"items":['
    for index, item in enumerate(items):
        text = json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        yield f",{text}" if index else text
    yield '],"next_cursor":null}'


def trainable_view(trainable: registry.Trainable) -> dict[str, Any]:
    """Return what is known of a trainable, with the JSON Schema of its parameters."""
    return {
        "name": trainable.name,
        "title": trainable.title,
        "datasets": list(trainable.datasets),
        "metrics": [asdict(metric) for metric in trainable.metrics],
        "parameters": trainable.schema(),
    }


def dataset_view(status: DatasetStatus) -> dict[str, Any]:
    """Return what is known of a data set and where it lies."""
    return asdict(status)


def metric_infos(trainable_name: str) -> dict[str, Metric]:
    """Return how to show a trainable's metrics; empty for one that is no longer installed."""
    try:
        found = registry.get(trainable_name).metrics
    except UnknownTrainable:
        return {}
    return {metric.name: metric for metric in found}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else {**asdict(failure), "kind": failure.kind.value}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
