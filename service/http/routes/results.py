"""Routes that show what came out of a job: its best configuration, curves, plots and report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from results import export
from results.errors import JobNotFound
from service.http.dependencies import DrawingsDep, JobId, JobsDep, Name, SettingsDep
from service.http.drawings import best_text
from service.http.job_feed import Told
from service.http.openapi import PROBLEMS, media
from service.http.views import curve_view, json_list
from service.schemas import BestView, CurveList, PlotList

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"], responses=PROBLEMS)

REPORT_TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
PLOT_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
#: Of what is streamed, about so much is sent at a time.
BLOCK_CHARACTERS = 2**18
POLL_SECONDS = 0.5
#: A stream rests so many times as long as a look at the job took: those of large jobs look rarer.
LEISURE = 4


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get(
    "/best",
    response_model=BestView,
    responses=media("the configuration, or a command that runs it", "text/plain"),
)
def best(
    job_id: JobId,
    jobs: JobsDep,
    request: Request,
    best_format: Annotated[Literal["json", "yaml", "curl"], Query(alias="format")] = "json",
) -> Any:
    """Return the best configuration so far, or a paste-ready command that runs it alone."""
    job = jobs.best(job_id)
    if best_format == "json":
        return job.best
    with_token = request.state.is_locked
    text = best_text(job, best_format, _base_url(request), with_token=with_token)
    return PlainTextResponse(text)


@router.get("/curves", response_model=CurveList, responses=media("the curves", "text/csv"))
def curves(
    job_id: JobId,
    jobs: JobsDep,
    table_format: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Any:
    """Return the learning curves of all trials."""
    found = jobs.curves(job_id)
    if table_format == "csv":
        metrics = export.metric_names(jobs.trials(job_id))
        parts, media_type = export.curves_csv(found, metrics), "text/csv"
    else:
        parts, media_type = json_list(map(curve_view, found)), "application/json"
    return StreamingResponse(_blocks(parts), media_type=media_type)


def _blocks(parts: Iterable[str]) -> Iterator[str]:
    """Join small parts: each that is sent costs a switch of threads."""
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
    job_id: JobId, jobs: JobsDep, tail: Annotated[int, Query(ge=1, le=10_000)] = 500
) -> PlainTextResponse:
    """Return the last lines that the job's driver and trials printed."""
    return PlainTextResponse(jobs.log_tail(job_id, tail))


def _existing(job_id: JobId, jobs: JobsDep) -> None:
    """Answer 404 before the stream begins."""
    jobs.job(job_id)


@router.get("/events", response_class=EventSourceResponse, dependencies=[Depends(_existing)])
async def events(
    job_id: JobId, jobs: JobsDep, settings: SettingsDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream `job` and `trial` events, each whole, as they change; ends when the job has.

    A client that reconnects is first told how everything stands, so it misses nothing. The stream
    of a job that is deleted meanwhile ends too.
    """
    told = Told(jobs, job_id, settings.dashboard_url)
    while True:
        begun = time.monotonic()
        try:
            news = await run_in_threadpool(told.news)
        except JobNotFound:
            return
        rest = max(POLL_SECONDS, LEISURE * (time.monotonic() - begun))
        for kind, text in news:
            yield ServerSentEvent(event=kind, raw_data=text)
        if told.everything:
            return
        await asyncio.sleep(rest)
