"""What FastAPI gives to routes: settings, store, search spaces, jobs and the checked body."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Request
from fastapi.concurrency import run_in_threadpool

from results.store import Store
from search_spaces import Library
from service.http.body import read_json
from service.http.drawings import Drawings
from service.http.validation import job_request
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings

#: Characters; ours are shorter. A longer id is refused rather than repeated in an answer.
MAX_JOB_ID = 64
JobId = Annotated[str, Path(description="the job's id", max_length=MAX_JOB_ID)]
#: The name of a search space, a trainable or a plot.
Name = Annotated[str, Path(max_length=200)]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$")
]


def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    settings: Settings = request.app.state.settings
    return settings


def get_store(request: Request) -> Store:
    """Return the application's store."""
    store: Store = request.app.state.store
    return store


def get_drawings(request: Request) -> Drawings:
    """Return the application's plots and reports."""
    drawings: Drawings = request.app.state.drawings
    return drawings


SettingsDep = Annotated[Settings, Depends(get_settings)]
StoreDep = Annotated[Store, Depends(get_store)]
DrawingsDep = Annotated[Drawings, Depends(get_drawings)]


def get_library(settings: SettingsDep) -> Library:
    """Return the search spaces, read anew: the user's folder may have changed."""
    folder = settings.search_spaces_dir
    return Library([folder] if folder else [])


LibraryDep = Annotated[Library, Depends(get_library)]


def get_jobs(store: StoreDep, library: LibraryDep, settings: SettingsDep) -> Jobs:
    """Return what plans, accepts and deletes jobs."""
    return Jobs(store, library, settings)


JobsDep = Annotated[Jobs, Depends(get_jobs)]


async def read_request(request: Request, settings: SettingsDep) -> JobRequest:
    """Return the body as a request; raise a problem that names each wrong field."""
    value = await read_json(request, max_bytes=settings.max_body_bytes)
    return await run_in_threadpool(job_request, value)


JobRequestDep = Annotated[JobRequest, Depends(read_request)]
