"""Routes that show the results of a job: best configuration, curves, plots, report, log, events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from results import export
from results.errors import JobNotFound, NoBestTrial, StoreUnavailable
from service import logs
from service.errors import Unavailable
from service.http.dependencies import DrawingsDep, JobId, Name, SettingsDep, StoreDep
from service.http.job_feed import JobFeed
from service.http.openapi import PROBLEMS, media
from service.http.views import curve_view, json_list
from service.schemas import BestView, CurveList, PlotList

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"], responses=PROBLEMS)

REPORT_TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
PLOT_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
#: Characters that a streamed answer sends at a time, about.
BLOCK_CHARACTERS = 2**18
POLL_SECONDS = 0.5
#: A pause between polls is at least so many times as long as the last poll took, so that streams
#: of large jobs poll less often.
PAUSE_PER_POLL = 4


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get(
    "/best",
    response_model=BestView,
    responses=media("the configuration, or a command that runs it", "text/plain"),
)
def best(
    job_id: JobId,
    store: StoreDep,
    request: Request,
    best_format: Annotated[Literal["json", "yaml", "curl"], Query(alias="format")] = "json",
) -> Any:
    """Return the best configuration so far, or a paste-ready command that runs it alone."""
    job = store.job(job_id)
    if job.best is None:
        raise NoBestTrial(
            f"job {job.id} ({job.state}) has no best configuration: no trial has succeeded"
        )
    if best_format == "yaml":
        return PlainTextResponse(export.best_yaml(job))
    if best_format == "curl":
        with_token = request.state.is_locked
        return PlainTextResponse(export.best_curl(job, _base_url(request), with_token=with_token))
    return job.best


@router.get("/curves", response_model=CurveList, responses=media("the curves", "text/csv"))
def curves(
    job_id: JobId,
    store: StoreDep,
    table_format: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> StreamingResponse:
    """Return the learning curves of all trials."""
    found = store.curves(job_id)
    if table_format == "csv":
        metrics = export.metric_names(store.trials(job_id))
        parts, media_type = export.curves_csv(found, metrics), "text/csv"
    else:
        parts, media_type = json_list(map(curve_view, found)), "application/json"
    return StreamingResponse(_blocks(parts), media_type=media_type)


def _blocks(parts: Iterable[str]) -> Iterator[str]:
    """Join small parts: sending each costs a switch of threads."""
    block: list[str] = []
    size = 0
    for part in parts:
        block.append(part)
        size += len(part)
        if size >= BLOCK_CHARACTERS:
            yield "".join(block)
            block, size = [], 0
    yield "".join(block)


@router.get(
    "/report",
    response_class=Response,
    responses=media("the report", *(kind.partition(";")[0] for kind in REPORT_TYPES.values())),
)
def report(
    job_id: JobId,
    drawings: DrawingsDep,
    request: Request,
    report_format: Annotated[Literal["html", "md", "json", "pdf"], Query(alias="format")] = "html",
) -> Response:
    """Return the report of the job as it stands."""
    with_token = request.state.is_locked
    body = drawings.report(job_id, report_format, _base_url(request), with_token=with_token)
    return Response(body, media_type=REPORT_TYPES[report_format])


@router.get("/plots")
def list_plots(job_id: JobId, drawings: DrawingsDep) -> PlotList:
    """List the plots that the job has now."""
    return PlotList.model_validate({"items": drawings.plots(job_id)})


@router.get(
    "/plots/{name}.{image_format}",
    response_class=Response,
    responses=media("the plot", *PLOT_TYPES.values()),
)
def plot(
    job_id: JobId,
    name: Name,
    image_format: Literal["png", "svg"],
    drawings: DrawingsDep,
) -> Response:
    """Draw one plot as PNG or SVG."""
    drawn = drawings.plot(job_id, name, image_format)
    return Response(drawn, media_type=PLOT_TYPES[image_format])


@router.get("/log", response_class=PlainTextResponse)
def log(
    job_id: JobId,
    store: StoreDep,
    settings: SettingsDep,
    tail: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> PlainTextResponse:
    """Return the last lines that the job's driver and trials printed."""
    path = settings.log_file(store.job(job_id).id)
    try:
        return PlainTextResponse(logs.tail(path, tail))
    except OSError as error:
        raise Unavailable(f"the log {path} cannot be read: {error.strerror}") from error


def _existing(job_id: JobId, store: StoreDep) -> None:
    """Answer 404 before the stream begins."""
    store.job(job_id)


@router.get("/events", response_class=EventSourceResponse, dependencies=[Depends(_existing)])
async def events(
    job_id: JobId, store: StoreDep, settings: SettingsDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream `job` and `trial` events, each the whole job or trial, until the job has ended.

    Events have no ids and `Last-Event-ID` is not read: every stream begins with the job and all its
    trials as they are, so a client that reconnects misses nothing. The stream also ends when the
    job is deleted or the database does not answer.
    """
    feed = JobFeed(store, job_id, settings.dashboard_url)
    while not feed.has_ended:
        begun = time.monotonic()
        try:
            changes = await run_in_threadpool(feed.changes)
        except (JobNotFound, StoreUnavailable) as error:
            logger.info("a stream of job %s ends: %s", job_id, error)
            return
        pause = max(POLL_SECONDS, PAUSE_PER_POLL * (time.monotonic() - begun))
        for kind, text in changes:
            yield ServerSentEvent(event=kind, raw_data=text)
        if not feed.has_ended:
            await asyncio.sleep(pause)
