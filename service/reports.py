"""Reports, plots and exports of a job, made from its records when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results import export, report
from results.plots import Format as PlotFormat
from results.plots import PlotInfo, available, draw
from results.records import Curve, JobRecord, MetricInfo, TrialRecord
from results.store.base import Store
from service.views import metric_infos


@dataclass(frozen=True, slots=True)
class StoredJob:
    """All records of one job, read once, and what is made of them."""

    job: JobRecord
    trials: tuple[TrialRecord, ...]
    curves: tuple[Curve, ...]
    metrics: Mapping[str, MetricInfo]

    @classmethod
    def read(cls, store: Store, job_id: str) -> StoredJob:
        """Read the job; raise :class:`results.errors.JobNotFound`."""
        job = store.job(job_id)
        metrics = metric_infos(job.spec["trainable"])
        return cls(job, store.trials(job_id), store.curves(job_id), metrics)

    def available_plots(self) -> tuple[PlotInfo, ...]:
        """Return what can be drawn of the job now."""
        return available(self.job, self.trials, self.curves, self.metrics)

    def draw_plot(self, name: str, image_format: PlotFormat) -> bytes:
        """Draw one plot; raise :class:`results.errors.UnknownPlot`."""
        return draw(name, self.job, self.trials, self.curves, self.metrics, image_format)

    def write_report(self, report_format: report.Format, base_url: str) -> bytes:
        """Return the report; the plots are drawn only for the formats that hold pictures."""
        built = report.build(self.job, self.trials, self.curves, self.metrics, base_url=base_url)
        drawn: dict[str, bytes] = {}
        if report_format in ("html", "pdf"):
            drawn = {plot.name: self.draw_plot(plot.name, "svg") for plot in self.available_plots()}
        return report.render(built, report_format, drawn)


def best_text(job: JobRecord, text_format: str, base_url: str) -> str:
    """Return the best configuration as YAML, or as the curl command of its single run."""
    return export.best_yaml(job) if text_format == "yaml" else export.best_curl(job, base_url)
