"""The page on very many trials: paints, frames, bytes and memory, and many open event streams.

The store is filled by its own functions, the API is a process without Ray, and the browser is real
Chromium. optuna-dashboard shows a study of the same trials beside it where it is installed (the
extra ``bench``).
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import page_dashboard, page_streams
from benchmarks.page_browser import Tab, new_tab
from benchmarks.page_jobs import fill, make_job, report
from benchmarks.page_servers import Api, running_api
from benchmarks.records import BenchmarkError, Figure
from results.records import Lease, NewTrial
from results.store import Store, open_store
from results.store.batch import Reports, StartTrial
from service.settings import Settings

#: px from the left at which the first axis of the parallel coordinates stands.
FIRST_AXIS = 70
#: A job that reports much: so many reports a minute, of trials that run at the same time.
REPORTS_PER_MINUTE, RUNNING = 100_000, 100


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: trials, epochs, seconds of each count of frames."""

    trials: int
    epochs: int
    seconds: float


FULL, QUICK = Extent(10_000, 100, 5.0), Extent(500, 20, 2.0)


def measure(*, quick: bool = False) -> list[Figure]:
    """Return the figures; ``quick`` has fewer trials."""
    extent = QUICK if quick else FULL
    with TemporaryDirectory(prefix="argbest-page-") as name:
        settings = Settings(data_dir=Path(name), database_url="", ray_address="127.0.0.1:1")
        with closing(open_store(settings.store_url)) as store:
            store.migrate()
            finished = fill(store, extent.trials, extent.epochs)
            live, new, lease = make_job(store, extent.trials, extent.epochs)
            with running_api(settings) as api:
                figures = _finished(api, finished.id, extent)
                figures += _live(store, api, (live.id, new, lease), extent)
                figures += page_streams.measure(
                    store, api.process, api.port, (live.id, new[RUNNING:], lease),
                    events=8, seconds=extent.seconds,
                )  # fmt: skip
        figures += page_dashboard.measure(Path(name), extent.trials, extent.epochs)
    return figures


def _finished(api: Api, job_id: str, extent: Extent) -> list[Figure]:
    what = f"{extent.trials:,} trials x {extent.epochs} epochs"
    rows, drawn = "tbody.rows tr:nth-child(5)", f"{extent.trials} curves"
    with new_tab() as tab:
        tab.open(api.view(job_id))
        table_ms = tab.wait(rows)
        paint_ms, first_bytes = tab.first_paint_ms(), tab.received
        curves_ms = tab.wait("[data-metric=validation_accuracy]", text=drawn)
        whole_ms = tab.wait("[data-metric=validation_accuracy]", text=f"{drawn}:")
        tab.page.wait_for_timeout(2000)
        scroll = tab.frames_scrolling(".virtual-frame", extent.seconds)
        brush = tab.frames_dragging("canvas.front", FIRST_AXIS, extent.seconds)
        heap, all_bytes = tab.heap_bytes(), tab.received
        _no_complaints(tab)
    return [
        Figure(f"{what}: first paint", "ms", (paint_ms,)),
        Figure(f"{what}: table and axes are there", "ms", (table_ms,)),
        Figure(f"{what}: curves of the objective are there", "ms", (curves_ms,)),
        Figure(f"{what}: curves are there with every epoch", "ms", (whole_ms,)),
        Figure(f"{what}: bytes until the table", "MB", (first_bytes / 1e6,)),
        Figure(f"{what}: bytes with all curves", "MB", (all_bytes / 1e6,)),
        Figure(f"{what}: memory of the page's objects", "MB", (heap / 1e6,)),
        *_frames(f"{what}: scrolling the table", scroll),
        *_frames(f"{what}: drawing a range on an axis", brush),
    ]


def _frames(what: str, found: tuple[float, float]) -> list[Figure]:
    per_second, longest = found
    return [
        Figure(f"{what}, frames per second", "", (per_second,)),
        Figure(f"{what}, longest frame", "ms", (longest,)),
    ]


def _no_complaints(tab: Tab) -> None:
    if tab.complaints:
        raise BenchmarkError(f"the page raised {tab.complaints[0]}")


def _live(
    store: Store, api: Api, job: tuple[str, list[NewTrial], Lease], extent: Extent
) -> list[Figure]:
    job_id, trials, lease = job
    running = trials[:RUNNING]
    store.write(lease, [StartTrial(trial.number, "here") for trial in running])
    store.write(lease, [Reports([report(trial, 1) for trial in running])])
    stop, written = threading.Event(), [0]
    with new_tab() as tab:
        tab.open(api.view(job_id))
        tab.wait("[data-metric=validation_accuracy]", text=f"{RUNNING} curves")
        writer = threading.Thread(
            target=_write, args=(store, lease, running, extent.epochs, stop, written)
        )
        started = time.perf_counter()
        writer.start()
        frames = tab.frames(extent.seconds)
        passed = time.perf_counter() - started
        stop.set()
        writer.join()
        _no_complaints(tab)
    what = f"a job of {REPORTS_PER_MINUTE:,} reports a minute"
    return [
        Figure(f"{what}: reports a minute that were written", "", (60 * written[0] / passed,)),
        *_frames(f"{what}: its view", frames),
    ]


def _write(
    store: Store, lease: Lease, trials: list[NewTrial], epochs: int, stop: threading.Event,
    written: list[int],
) -> None:  # fmt: skip
    """Write an epoch of all trials at a time, at the pace that was asked for."""
    pause = 60 * len(trials) / REPORTS_PER_MINUTE
    due = time.perf_counter()
    for epoch in range(2, epochs + 1):
        store.write(lease, [Reports([report(trial, epoch) for trial in trials])])
        written[0] += len(trials)
        due += pause
        if stop.wait(max(0.0, due - time.perf_counter())):
            return
