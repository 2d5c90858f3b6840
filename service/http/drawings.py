"""Plots, figures, reports and replays of jobs, made when asked for and kept for finished jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from results import figures
from results import report as reports
from results.analysis import JobResults
from results.conclusion import conclusion
from results.diagnosis import compared_epochs
from results.errors import NotReplayable
from results.export import plain_json
from results.figures import FigureInfo
from results.job_comparison import ComparedJob, compared
from results.plots import Format as PlotFormat
from results.plots import PlotInfo, available, draw
from results.records import JobRecord
from results.replay import Replay
from results.store import Store
from search_spaces import Scheduler
from service.http.views import metrics_of, resumes
from service.search.replay import has_replay, replay

#: Plots, figures and reports that are kept per process, of each so many: a report is some 1 MB.
MOST_KEPT = 32


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a job; equal only to itself, since a job that runs again gets a new lease."""

    job_id: str
    lease_token: int
    finished_at: datetime | None
    job: JobRecord = field(compare=False)


class Drawings:
    """Draws plots and writes reports; those of finished jobs are kept, the latest used ones.

    Safe to call from several threads. Every method raises :class:`results.errors.JobNotFound`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept_results = lru_cache(maxsize=1)(self._read)
        self._kept_plot = lru_cache(MOST_KEPT)(self._draw)
        self._kept_figure = lru_cache(MOST_KEPT)(self._draw_figure)
        self._kept_comparison = lru_cache(MOST_KEPT)(self._compare)
        self._kept_conclusion = lru_cache(MOST_KEPT)(self._conclude)
        self._kept_report = lru_cache(MOST_KEPT)(self._write)
        self._kept_replay = lru_cache(MOST_KEPT)(self._replay)

    def plots(self, job_id: str) -> tuple[PlotInfo, ...]:
        """Return the plots that the job has now."""
        return available(self._results(self._run(job_id)))

    def plot(self, job_id: str, name: str, image_format: PlotFormat) -> bytes:
        """Return one plot; raise :class:`results.errors.UnknownPlot`."""
        run = self._run(job_id)
        drawn = self._kept_plot if run.job.state.is_finished else self._draw
        return drawn(run, name, image_format)

    def figures(self, job_id: str) -> tuple[FigureInfo, ...]:
        """Return the figures that the job has now, and why it has no others."""
        return figures.available(self._results(self._run(job_id)))

    def figure(self, job_id: str, name: str, parameters: Sequence[str]) -> bytes:
        """Return one figure as plotly's JSON.

        Raises :class:`results.errors.UnknownFigure`, :class:`results.errors.NoFigure` and
        :class:`results.errors.BadParameters`.
        """
        run = self._run(job_id)
        drawn = self._kept_figure if run.job.state.is_finished else self._draw_figure
        return drawn(run, name, tuple(parameters))

    def compared(self, job_ids: Sequence[str]) -> list[ComparedJob]:
        """Return jobs as a comparison shows them."""
        found = []
        for run in map(self._run, job_ids):
            of = self._kept_comparison if run.job.state.is_finished else self._compare
            found.append(of(run))
        return found

    def conclusion(self, job_id: str) -> Mapping[str, Any]:
        """Return the job's confirmation, its diagnosis and what it spent, as JSON."""
        run = self._run(job_id)
        concluded = self._kept_conclusion if run.job.state.is_finished else self._conclude
        return concluded(run)

    def report(
        self, job_id: str, report_format: reports.Format, base_url: str, *, with_token: bool
    ) -> bytes:
        """Return the report; ``with_token``: its commands send a token."""
        run = self._run(job_id)
        written = self._kept_report if run.job.state.is_finished else self._write
        return written(run, report_format, base_url, with_token)

    def replay(self, job_id: str, scheduler: Scheduler) -> Replay:
        """Return what a scheduler would have saved and found.

        Raises :class:`results.errors.NotReplayable`, and :class:`search_spaces.SearchSpaceError` if
        the job could not have declared the scheduler.
        """
        return self._kept_replay(self._run(job_id), scheduler)

    def _replay(self, run: _Run, scheduler: Scheduler) -> Replay:
        trials, curves = self._store.trials(run.job_id), self._store.curves(run.job_id)
        return replay(run.job, trials, curves, scheduler, resumes=resumes(run.job.spec))

    def _run(self, job_id: str) -> _Run:
        job = self._store.job(job_id)
        return _Run(job.id, job.lease_token, job.finished_at, job)

    def _results(self, run: _Run) -> JobResults:
        return self._kept_results(run) if run.job.state.is_finished else self._read(run)

    def _read(self, run: _Run) -> JobResults:
        """Read the job's trials, and the curves of those that plots and reports show.

        Of a finished job with further trials, also what the diagnosis needs of all of them: among
        the best alone, an early epoch orders the trials worse than among all.
        """
        results = self._read_trials(run)
        shown = [trial.number for trial in results.shown]
        has_more = run.job.state.is_finished and len(shown) < len(results.trials)
        epochs = compared_epochs(results) if has_more else ()
        early = self._metric_at(run, epochs) if epochs else {}
        return results.with_curves(self._store.curves(run.job_id, shown), early)

    def _metric_at(self, run: _Run, epochs: Sequence[int]) -> dict[int, dict[int, float]]:
        """Return the declared metric of the trials at these epochs, by trial and epoch."""
        metric = run.job.spec.space.metric
        return {
            trial: {epoch: values[metric] for epoch, values in rungs.items() if metric in values}
            for trial, rungs in self._store.rung_values(run.job_id, epochs).items()
        }

    def _read_trials(self, run: _Run) -> JobResults:
        trials, repeated = self._store.trials(run.job_id), self._store.repeated(run.job_id)
        # Only what has ended is said to have taken a time.
        rests = self._store.rests(run.job_id) if run.job.finished_at else ()
        return JobResults.of(run.job, trials, (), metrics_of(run.job.spec), repeated, rests)

    def _conclude(self, run: _Run) -> Mapping[str, Any]:
        # Curves matter to the diagnosis alone, which waits for the end.
        results = self._results(run) if run.job.state.is_finished else self._read_trials(run)
        plain: Mapping[str, Any] = plain_json(conclusion(results))
        return plain

    def _draw(self, run: _Run, name: str, image_format: PlotFormat) -> bytes:
        return draw(name, self._results(run), image_format)

    def _draw_figure(self, run: _Run, name: str, parameters: tuple[str, ...]) -> bytes:
        drawn = figures.draw(name, self._results(run), parameters)
        return json.dumps(drawn, separators=(",", ":"), allow_nan=False).encode()

    def _compare(self, run: _Run) -> ComparedJob:
        trials, metrics = self._store.trials(run.job_id), metrics_of(run.job.spec)
        rests = self._store.rests(run.job_id)
        return compared(JobResults.of(run.job, trials, (), metrics, rests=rests))

    def _write(
        self,
        run: _Run,
        report_format: reports.Format,
        base_url: str,
        with_token: bool,  # noqa: FBT001 - a part of the key under which it is kept
    ) -> bytes:
        """Write the report; plots are drawn only for the formats that hold pictures."""
        results = self._results(run)
        replayed = None
        if has_replay(run.job, results.trials):
            # A metric may be missing in some epochs, which only the curves say.
            with suppress(NotReplayable):
                replayed = self._kept_replay(run, Scheduler("asha"))
        built = reports.build(results, replay=replayed, base_url=base_url, with_token=with_token)
        drawn: dict[str, bytes] = {}
        if report_format in ("html", "pdf"):
            drawn = {plot.name: draw(plot.name, results, "svg") for plot in available(results)}
        return reports.render(built, report_format, drawn)
