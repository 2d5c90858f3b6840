"""Reports, plots and exports of a job, made from its records when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from results import export, plots, report
from results.records import Curve, JobRecord, MetricInfo, TrialRecord
from results.store.base import Store
from service.views import metric_infos


@dataclass(frozen=True)
class JobResults:
    """All records of one job, read once, and what is made of them."""

    job: JobRecord
    trials: tuple[TrialRecord, ...]
    curves: tuple[Curve, ...]
    metrics: Mapping[str, MetricInfo]

    @classmethod
    def read(cls, store: Store, job_id: str) -> JobResults:
        """Read the job; raise :class:`results.errors.JobNotFound`."""
        job = store.job(job_id)
        metrics = metric_infos(job.spec["trainable"])
        return cls(job, store.trials(job_id), store.curves(job_id), metrics)

    @cached_property
    def plots(self) -> tuple[plots.PlotInfo, ...]:
        """What can be drawn of the job now."""
        return plots.available(self.job, self.trials, self.curves, self.metrics)

    def draw(self, name: str, image_format: plots.Format) -> bytes:
        """Draw one plot; raise :class:`results.plots.UnknownPlot`."""
        return plots.draw(name, self.job, self.trials, self.curves, self.metrics, image_format)

    def report(self, report_format: report.Format, base_url: str) -> bytes:
        """Return the report; the plots are drawn only for the formats that hold pictures."""
        built = report.build(self.job, self.trials, self.curves, self.metrics, base_url=base_url)
        drawn: dict[str, bytes] = {}
        if report_format in ("html", "pdf"):
            drawn = {plot.name: self.draw(plot.name, "svg") for plot in self.plots}
        return report.render(built, report_format, drawn)

    def best(self, best_format: str, base_url: str) -> str:
        """Return the best configuration as YAML, or as the curl command of its single run."""
        if best_format == "yaml":
            return export.best_yaml(self.job)
        return export.best_curl(self.job, base_url)
