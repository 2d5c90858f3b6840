"""What came back for one question, as the HTTP interface gave it, and how the hand-in reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Any

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """One trial's curves: ``epochs`` (counted from 1) and, per metric, one value per epoch."""

    trial: int
    epochs: tuple[int, ...]
    metrics: Mapping[str, tuple[float, ...]]

    @classmethod
    def from_json(cls, curve: JsonObject) -> Curve:
        """Read ``{"trial": n, "epoch": [...], "<metric>": [...]}``; a null is a NaN."""
        metrics = {
            name: tuple(nan if value is None else float(value) for value in values)
            for name, values in curve.items()
            if name not in ("trial", "epoch")
        }
        return cls(int(curve["trial"]), tuple(curve["epoch"]), metrics)

    def first(self, metric: str) -> float:
        """Return the metric after the first epoch."""
        return self.metrics[metric][0]

    def last(self, metric: str) -> float:
        """Return the metric after the last epoch."""
        return self.metrics[metric][-1]

    def best_epoch(self, metric: str, mode: str) -> int:
        """Return the epoch with the best value of the metric; the earliest of equals."""
        values = self.metrics[metric]
        return self.epochs[values.index(min(values) if mode == "min" else max(values))]

    def at(self, metric: str, epoch: int) -> float:
        """Return the metric after ``epoch``."""
        return self.metrics[metric][self.epochs.index(epoch)]

    def late_range(self, metric: str) -> float | None:
        """Return max minus min over the last five epochs; None for fewer than ten epochs.

        In a shorter run the last five epochs show the learning rather than the noise.
        """
        values = self.metrics[metric]
        return max(values[-5:]) - min(values[-5:]) if len(values) >= 10 else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished job with its report, its trials' curves and its plots.

    ``job`` is the job's JSON, ``report`` that of ``GET .../report?format=json``, ``curves`` one
    ``{"trial": n, "epoch": [...], "<metric>": [...]}`` per trial that has reported, and ``plots``
    SVG documents by the names that the report lists. A job that failed may have an empty report.
    """

    job: JsonObject
    report: JsonObject
    curves: Sequence[JsonObject]
    plots: Mapping[str, bytes]

    @property
    def spec(self) -> JsonObject:
        """The complete job specification."""
        spec: JsonObject = self.job["spec"]
        return spec

    @property
    def state(self) -> str:
        """The job's state."""
        return str(self.job["state"])

    @property
    def best(self) -> JsonObject | None:
        """The selected trial, ``{trial, parameters, metric, value, metrics}``; None without one."""
        return self.report.get("best") or self.job.get("best")

    @property
    def trials(self) -> Sequence[JsonObject]:
        """The trials by number."""
        trials: Sequence[JsonObject] = self.report.get("trials", ())
        return trials

    @property
    def seconds(self) -> float | None:
        """Wall time from start to end in seconds; None for a job that never started or ended."""
        started, finished = self.job.get("started_at"), self.job.get("finished_at")
        if not started or not finished:
            return None
        return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()

    @property
    def failure(self) -> str:
        """Why the job failed, in the service's words; "" where it gave no reason."""
        error = self.job.get("error")
        message = error.get("message") if isinstance(error, Mapping) else error
        return str(message or "")

    def curve(self, trial: int) -> Curve | None:
        """Return the trial's curve; None if it has not reported."""
        found = (curve for curve in self.curves if curve["trial"] == trial and curve["epoch"])
        return next((Curve.from_json(curve) for curve in found), None)

    def best_curve(self) -> Curve | None:
        """Return the selected trial's curve; None if no trial was selected."""
        return self.curve(self.best["trial"]) if self.best else None

    def label(self, metric: str) -> str:
        """Return the metric's label for a table or an axis."""
        info = self.report.get("metrics", {}).get(metric, {})
        return str(info.get("label", metric.replace("_", " ")))

    def varied(self) -> dict[str, list[Any]]:
        """Return the parameters that differ between trials, with their values in trial order."""
        values: dict[str, list[Any]] = {}
        for trial in self.trials:
            for name, value in trial["parameters"].items():
                known = values.setdefault(name, [])
                if value not in known:
                    known.append(value)
        return {name: known for name, known in values.items() if len(known) > 1}
