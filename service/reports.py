"""Reports, plots and exports of a job, made from its records when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

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
    def read(cls, store: Store, job: JobRecord) -> StoredJob:
        """Read the job's trials and curves."""
        metrics = metric_infos(job.spec["trainable"])
        return cls(job, store.trials(job.id), tuple(store.curves(job.id)), metrics)

    def available_plots(self) -> tuple[PlotInfo, ...]:
        """Return what can be drawn of the job now."""
        return available(self.job, self.trials, self.curves, self.metrics)

    def draw_plot(self, name: str, image_format: PlotFormat) -> bytes:
        """Draw one plot; raise :class:`results.errors.UnknownPlot`."""
        return draw(name, self.job, self.trials, self.curves, self.metrics, image_format)

    def write_report(
        self, report_format: report.Format, base_url: str, *, with_token: bool
    ) -> bytes:
        """Return the report; the plots are drawn only for the formats that hold pictures."""
        built = report.build(
            self.job, self.trials, self.curves, self.metrics,
            base_url=base_url, with_token=with_token,
        )  # fmt: skip
        drawn: dict[str, bytes] = {}
        if report_format in ("html", "pdf"):
            drawn = {plot.name: self.draw_plot(plot.name, "svg") for plot in self.available_plots()}
        return report.render(built, report_format, drawn)


#: How many plots and reports are kept, drawn, per process: a report with its plots is some 1 MB.
MOST_KEPT = 64


class Drawings:
    """Plots and reports, kept once drawn where the job has finished; the least used go first.

    A finished job's records change only by running it again, which takes a new lease: with the
    lease's token in its key, nothing old is ever answered. Safe to call from several threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def plot(self, job_id: str, name: str, image_format: PlotFormat) -> bytes:
        """Return one plot.

        Raises :class:`results.errors.JobNotFound` and :class:`results.errors.UnknownPlot`.
        """
        return self._made(
            job_id,
            ("plot", name, image_format),
            lambda stored: stored.draw_plot(name, image_format),
        )

    def report(
        self, job_id: str, report_format: report.Format, base_url: str, *, with_token: bool
    ) -> bytes:
        """Return the report; raise :class:`results.errors.JobNotFound`."""
        return self._made(
            job_id,
            ("report", report_format, base_url, with_token),
            lambda stored: stored.write_report(report_format, base_url, with_token=with_token),
        )

    def _made(
        self, job_id: str, what: tuple[object, ...], make: Callable[[StoredJob], bytes]
    ) -> bytes:
        job = self._store.job(job_id)
        if not job.state.is_finished:
            return make(StoredJob.read(self._store, job))
        key = (job.id, job.lease_token, job.finished_at, *what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make(StoredJob.read(self._store, job))
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made


def best_text(job: JobRecord, text_format: str, base_url: str, *, with_token: bool) -> str:
    """Return the best configuration as YAML, or as the curl command of its single run."""
    if text_format == "yaml":
        return export.best_yaml(job)
    return export.best_curl(job, base_url, with_token=with_token)
