"""What FastAPI gives to routes: settings, store, search spaces, jobs and the checked body."""

from __future__ import annotations

from typing import Annotated, Any

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


def _state(name: str) -> Any:
    """Return what gives a route this attribute of the application's state."""

    def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(get)


SettingsDep = Annotated[Settings, _state("settings")]
StoreDep = Annotated[Store, _state("store")]
DrawingsDep = Annotated[Drawings, _state("drawings")]


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
