"""What came back for one question, as the HTTP interface gave it, and how the hand-in reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Any

from results.analysis import JobResults
from results.curve_shape import best_point, curve_points
from results.records import BestTrial, Curve, Failure, JobRecord, Progress, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, JobState, Purpose, TrialState
from trainables.contract import Metric

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished job with its report, its trials' curves and its plots.

    ``job`` is the job's JSON, ``report`` that of ``GET .../report?format=json``, with the trials
    that confirm the winner among its ``trials``, ``curves`` one
    ``{"trial": n, "epoch": [...], "<metric>": [...]}`` per trial that has reported, and ``plots``
    SVG documents by the names that the report lists. A job that failed may have an empty report.
    """

    job: JsonObject
    report: JsonObject
    curves: Sequence[JsonObject]
    plots: Mapping[str, bytes]

    @property
    def results(self) -> JobResults:
        """The same as records, which is what all analysis works on."""
        infos = self.report.get("metrics", {}).items()
        return JobResults.of(
            _job(self.job),
            map(_trial, self.report.get("trials", ())),
            map(_curve, self.curves),
            {name: Metric(**{"name": name, **info}) for name, info in infos},
        )

    @property
    def spec(self) -> JsonObject:
        """The complete job specification."""
        spec: JsonObject = self.job["spec"]
        return spec

    @property
    def state(self) -> JobState:
        """The job's state."""
        return JobState(self.job["state"])

    @property
    def failure(self) -> str:
        """Why the job failed, in the service's words; "" where it gave no reason."""
        return str((self.job["error"] or {}).get("message", ""))

    def best_curve(self) -> Curve | None:
        """Return the selected trial's curve; None if no trial was selected."""
        best = self.job["best"]
        return None if best is None else self.results.curves.get(best["trial"])


def _job(job: JsonObject) -> JobRecord:
    times: dict[str, Any] = {
        key: job[key] and datetime.fromisoformat(job[key])
        for key in ("created_at", "started_at", "finished_at")
    }
    return JobRecord(
        id=job["id"],
        name=job["name"],
        state=JobState(job["state"]),
        spec=JobSpec.from_json(job["spec"]),
        fingerprint=job.get("fingerprint", ""),
        progress=Progress(**job["progress"]),
        best=job["best"] and BestTrial(**job["best"]),
        error=_failure(job["error"]),
        **times,
    )


def _trial(trial: JsonObject) -> TrialRecord:
    same = ("number", "parameters", "seed", "epochs", "seconds", "node")
    return TrialRecord(
        **{key: trial[key] for key in same},
        state=TrialState(trial["state"]),
        metrics={name: _float(value) for name, value in trial["metrics"].items()},
        attempt=trial["attempts"],
        engine=trial.get("engine", ""),
        error=_failure(trial["error"]),
        purpose=Purpose(trial.get("purpose", Purpose.SEARCH)),
        configuration=trial.get("configuration", trial["number"]),
    )


def _curve(curve: JsonObject) -> Curve:
    metrics = {
        name: tuple(map(_float, values))
        for name, values in curve.items()
        if name not in ("trial", "epoch")
    }
    return Curve(curve["trial"], tuple(curve["epoch"]), metrics)


def _failure(error: JsonObject | None) -> Failure | None:
    return None if error is None else Failure(FailureKind(error["kind"]), error["message"])


def _float(value: float | None) -> float:
    return nan if value is None else float(value)


# --- single values of a curve ---------------------------------------------------------------


def at(curve: Curve, metric: str, epoch: int) -> float:
    """Return a metric's value at an epoch that the curve has."""
    return curve.reported(metric)[curve.epochs.index(epoch)]


def last(curve: Curve, metric: str) -> float:
    """Return a metric's value at the last epoch."""
    return curve.reported(metric)[-1]


def best_epoch(curve: Curve, metric: str, mode: str) -> int | None:
    """Return the epoch with the best value, the earliest of equals; None without a finite one."""
    best = best_point(curve_points(curve, metric), mode)
    return None if best is None else best.epoch


def late_range(curve: Curve, metric: str) -> float | None:
    """Return max minus min over the last five epochs; None for fewer than ten epochs.

    In a shorter run the last five epochs show the learning rather than the noise.
    """
    values = curve.reported(metric)
    return max(values[-5:]) - min(values[-5:]) if len(values) >= 10 else None
