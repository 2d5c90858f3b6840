"""Reports, plots and exports of a job, made from its records when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from results import export, report
from results.analysis import JobResults
from results.plots import Format as PlotFormat
from results.plots import PlotInfo, available, draw
from results.records import JobRecord
from results.store import Store
from service.http.views import metric_infos


def read_results(store: Store, job: JobRecord) -> JobResults:
    """Read the job's trials, and the curves of those that plots and reports show."""
    trials, metrics = store.trials(job.id), metric_infos(job.spec.space.trainable)
    shown = [trial.number for trial in JobResults.of(job, trials, (), metrics).shown]
    return JobResults.of(job, trials, store.curves(job.id, shown), metrics)


def write_report(
    results: JobResults, report_format: report.Format, base_url: str, *, with_token: bool
) -> bytes:
    """Return the report; the plots are drawn only for the formats that hold pictures."""
    built = report.build(results, base_url=base_url, with_token=with_token)
    drawn: dict[str, bytes] = {}
    if report_format in ("html", "pdf"):
        drawn = {plot.name: draw(plot.name, results, "svg") for plot in available(results)}
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
        self._read: tuple[tuple[object, ...], JobResults] | None = None
        self._lock = Lock()

    def plots(self, job_id: str) -> tuple[PlotInfo, ...]:
        """Return what can be drawn now; raise :class:`results.errors.JobNotFound`."""
        return available(self._results(self._store.job(job_id)))

    def plot(self, job_id: str, name: str, image_format: PlotFormat) -> bytes:
        """Return one plot.

        Raises :class:`results.errors.JobNotFound` and :class:`results.errors.UnknownPlot`.
        """
        return self._made(
            job_id,
            ("plot", name, image_format),
            lambda results: draw(name, results, image_format),
        )

    def report(
        self, job_id: str, report_format: report.Format, base_url: str, *, with_token: bool
    ) -> bytes:
        """Return the report; raise :class:`results.errors.JobNotFound`."""
        return self._made(
            job_id,
            ("report", report_format, base_url, with_token),
            lambda results: write_report(results, report_format, base_url, with_token=with_token),
        )

    def _results(self, job: JobRecord) -> JobResults:
        """Read the job's results; those of the last finished job are kept for its other plots."""
        last = self._read
        if last is not None and last[0] == _run(job):
            return last[1]
        results = read_results(self._store, job)
        if job.state.is_finished:
            self._read = _run(job), results
        return results

    def _made(
        self, job_id: str, what: tuple[object, ...], make: Callable[[JobResults], bytes]
    ) -> bytes:
        job = self._store.job(job_id)
        if not job.state.is_finished:
            return make(self._results(job))
        key = (*_run(job), *what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make(self._results(job))
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made


def _run(job: JobRecord) -> tuple[object, ...]:
    """Return what no two runs of jobs have in common."""
    return job.id, job.lease_token, job.finished_at


def best_text(job: JobRecord, text_format: str, base_url: str, *, with_token: bool) -> str:
    """Return the best configuration as YAML, or as the curl command of its single run."""
    if text_format == "yaml":
        return export.best_yaml(job)
    return export.best_curl(job, base_url, with_token=with_token)
