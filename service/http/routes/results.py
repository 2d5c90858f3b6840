"""Routes that show the results of a job: best one and its model, curves, plots, report, log."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.background import BackgroundTask

from results import export
from results.errors import NoBestTrial, NoModel
from results.exports import MEDIA_TYPES, Format, Source, write_export
from results.ranking import rank as rank_trials
from results.ranking import why_no_best
from results.records import BestTrial, JobRecord
from results.states import TrialState
from results.storage import Storage
from results.store import Store
from search_spaces import MOST_EPOCHS, Code, Problem, Scheduler, SearchSpaceError
from service import logs
from service.errors import InvalidRequest, Unavailable
from service.http.blocks import in_blocks
from service.http.dependencies import (
    DrawingsDep,
    JobId,
    Name,
    SettingsDep,
    StorageDep,
    StoreDep,
    TrialNumber,
)
from service.http.openapi import PROBLEMS, media
from service.http.views import best_view, curve_view, json_list
from service.schemas import BestDetailView, CurveList, LogPartView, PlotList, ReplayView
from service.trial_logs import TrialLog

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"], responses=PROBLEMS)

REPORT_TYPES = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
PLOT_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
MODEL_TYPE = "application/octet-stream"
MODEL = media("the model", MODEL_TYPE)
BLOCK_BYTES = 2**20
_RELAX = "submit the search again with wider constraints"


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get(
    "/best",
    response_model=BestDetailView,
    responses=media("the configuration, or a command that runs it", "text/plain"),
)
def best(
    job_id: JobId,
    store: StoreDep,
    drawings: DrawingsDep,
    request: Request,
    best_format: Annotated[Literal["json", "yaml", "curl"], Query(alias="format")] = "json",
) -> Any:
    """Return the best configuration so far, or a paste-ready command that runs it alone."""
    job = store.job(job_id)
    found = _best(job, store)
    if best_format == "yaml":
        return PlainTextResponse(export.best_yaml(job))
    if best_format == "curl":
        with_token = request.state.is_locked
        return PlainTextResponse(export.best_curl(job, _base_url(request), with_token=with_token))
    trials = store.trials(job.id) if job.spec.space.secondary else ()
    return best_view(job, found, trials, drawings.conclusion(job.id))


def _best(job: JobRecord, store: Store) -> BestTrial:
    if job.best is None:
        trials, space = store.trials(job.id), job.spec.space
        why = f"job {job.id} ({job.state}) has no best configuration: {why_no_best(trials, space)}"
        is_limited = rank_trials(trials, space).nearest is not None
        raise NoBestTrial(why, hint=_way_to_a_best(job, is_limited=is_limited))
    return job.best


def _way_to_a_best(job: JobRecord, *, is_limited: bool) -> str:
    """Return what to do about a job without a best configuration, "" for what any job may do."""
    space = job.spec.space
    if not job.state.is_finished:
        return f"wait for more trials, or {_RELAX}" if is_limited else ""
    if not is_limited:
        return "look at GET .../trials for the errors of its trials"
    can_draw = space.is_sampled and not space.scheduler.is_population
    more = f", or run more trials: POST .../extend (`argbest extend {job.id} --trials N`)"
    return f"{_RELAX}{more if can_draw else ''}"


@router.get("/best/model", response_class=Response, responses=MODEL)
def best_model(job_id: JobId, store: StoreDep, storage: StorageDep) -> Response:
    """Return the model of the best trial so far: its last checkpoint, a `.npz` file."""
    job = store.job(job_id)
    return _model(job, _best(job, store).trial, store, storage)


@router.get("/trials/{number}/model", response_class=Response, responses=MODEL)
def trial_model(
    job_id: JobId, number: TrialNumber, store: StoreDep, storage: StorageDep
) -> Response:
    """Return the model of a trial, if it is one of the best `keep` trials of its job."""
    store.trial(job_id, number)
    return _model(store.job(job_id), number, store, storage)


def _model(job: JobRecord, number: int, store: Store, storage: Storage) -> Response:
    kept = [one for one in store.checkpoints(job.id) if one.trial == number]
    if not kept:
        raise _no_model(job, number, store)
    newest = max(kept, key=lambda one: one.epoch)
    file = storage.open(newest.name)  # before the answer begins
    headers = {
        "Content-Disposition": f'attachment; filename="{job.id}-{number}.npz"',
        "Content-Length": str(newest.size),
        "ETag": f'"{newest.sha256}"',
    }
    return StreamingResponse(_bytes_of(file), headers=headers, media_type=MODEL_TYPE)


def _no_model(job: JobRecord, number: int, store: Store) -> NoModel:
    """Return the error that says why there is no model of the trial, and what to do."""
    keep, trial = job.spec.keep, store.trial(job.id, number)
    ranking = rank_trials(store.trials(job.id), job.spec.space)
    rank, first = ranking.ranks.get(number), trial.configuration
    if keep == 0:
        why, hint = "the job's `keep` is 0", "submit it again with `keep` 1 or more"
    elif number in ranking.violations:
        why = f"it is not ranked: {ranking.violations[number][0]}"
        hint = "ask for the model of the best trial"
    elif rank is None:
        why, hint = "it is not ranked", "ask for the model of the best trial"
        if trial.state is not TrialState.SUCCEEDED:
            why, hint = "it has not succeeded", f"wait for it, or {hint}"
    elif number != first:
        why = f"trial {first} has the same configuration, and only its model is kept"
        hint = f"ask for the model of trial {first}"
    elif rank > keep:
        why = f"it is the job's number {rank}, and `keep` is {keep}"
        hint = "ask for the model of the best trial, or submit the job again with a larger `keep`"
    else:
        why = f"{job.spec.space.trainable} handed over no state, or it could not be stored"
        hint = f"the job's log says what could not be stored (GET /api/v1/jobs/{job.id}/log)"
    return NoModel(f"there is no model of trial {number} of job {job.id}: {why}", hint=hint)


def _bytes_of(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK_BYTES):
            yield block


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
    return StreamingResponse(in_blocks(parts), media_type=media_type)


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


@router.get(
    "/export",
    response_class=Response,
    responses=media("the trials and curves", *dict.fromkeys(MEDIA_TYPES.values())),
)
def export_job(
    job_id: JobId, store: StoreDep, kind: Annotated[Format, Query(alias="format")]
) -> FileResponse:
    """Return the job's trials and curves as they stand, as a file for another program."""
    job, trials = store.job(job_id), store.trials(job_id)
    ranking = rank_trials(trials, job.spec.space)
    source = Source(job, trials, ranking, lambda every: store.curves(job.id, every=every))
    folder = Path(tempfile.mkdtemp(prefix="argbest-export-"))
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        path = write_export(kind, source, folder)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        remove()
        raise Unavailable(f"the export cannot be written: {error.strerror}") from error
    except BaseException:
        remove()
        raise
    return FileResponse(
        path,
        filename=path.name,
        media_type=MEDIA_TYPES[kind],
        headers={"ETag": f'"{digest}"'},
        background=BackgroundTask(remove),
    )


@router.get("/replay")
def replay(
    job_id: JobId,
    store: StoreDep,
    drawings: DrawingsDep,
    scheduler: Annotated[Literal["asha", "hyperband", "median"], Query()] = "asha",
    reduction_factor: Annotated[int, Query(ge=2, le=100)] = 3,
    min_epochs: Annotated[int, Query(ge=1, le=MOST_EPOCHS)] = 1,
    min_trials: Annotated[int, Query(ge=1, le=1000)] = 5,
    stops: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> ReplayView:
    """Return what early stopping would have cost: the job's curves through a scheduler."""
    declared = Scheduler(
        scheduler,
        reduction_factor=reduction_factor,
        min_epochs=min_epochs,
        min_trials=min_trials,
        stops=stops,
    )
    try:
        found = drawings.replay(job_id, declared)
    except SearchSpaceError as error:
        epochs = store.job(job_id).spec.space.epochs
        if epochs <= min_epochs:
            raise InvalidRequest([_too_late(epochs)]) from error
        raise InvalidRequest(problem.under("/query") for problem in error.problems) from error
    return ReplayView.model_validate(found.to_json())


def _too_late(epochs: int) -> Problem:
    """Return the problem of a first comparison that no trial reaches before its last epoch."""
    detail = f"trials are compared before their last epoch, and there are {epochs}"
    hint = f"give a min_epochs of at most {epochs - 1}"
    if epochs == 1:
        hint = "replay a job of more epochs: one epoch cannot be stopped early"
    return Problem("/query/min_epochs", detail, Code.NOT_APPLICABLE, hint)


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


@router.get(
    "/trials/{number}/log",
    response_class=PlainTextResponse,
    responses={200: {"model": LogPartView, "description": "lines of the log"}},
)
def trial_log(
    job_id: JobId,
    number: TrialNumber,
    store: StoreDep,
    settings: SettingsDep,
    offset: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    tail: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    log_format: Annotated[Literal["text", "json"], Query(alias="format")] = "text",
) -> Response:
    """Return what a trial has printed: its last lines, or what begins at a byte of the whole.

    As JSON with the offsets of the text, so that one can go on at `next_offset`.
    """
    if offset is not None and tail is not None:
        hint = "leave one of them out"
        raise InvalidRequest([Problem("/query/tail", "offset is given too", "conflict", hint)])
    store.trial(job_id, number)
    log_of_trial = TrialLog(settings.trial_logs_dir(store.job(job_id).id) / str(number))
    try:
        if offset is None:
            part = log_of_trial.tail(500 if tail is None else tail)
        else:
            part = log_of_trial.read(offset)
    except OSError as error:
        raise Unavailable(f"the log {error.filename} cannot be read: {error.strerror}") from error
    if log_format == "text":
        return PlainTextResponse(part.text)
    view = LogPartView(text=part.text, offset=part.offset, next_offset=part.next_offset)
    return Response(view.model_dump_json(), media_type="application/json")
