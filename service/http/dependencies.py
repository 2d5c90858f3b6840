"""What FastAPI gives to routes: settings, store, search spaces, jobs and the checked body."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from fastapi.concurrency import run_in_threadpool

from results.records import JobRecord
from results.storage import Storage
from results.store import Store
from search_spaces import Library
from service.http.body import is_yaml, read_json
from service.http.drawings import Drawings
from service.http.live import Live, RecentFleet
from service.http.readings import Readings
from service.http.validation import Model, parsed
from service.http.views import job_view
from service.job_request import (
    ConfirmRequest,
    EditRequest,
    ExtendRequest,
    JobRequest,
    PriorityRequest,
)
from service.jobs import Jobs
from service.permit import Permit
from service.schemas import JobView
from service.settings import Settings
from service.token_request import NewTokenRequest, ShareRequest

#: Characters; ours are shorter. A longer id is refused rather than repeated in an answer.
MAX_JOB_ID = 64
JobId = Annotated[str, Path(description="the job's id", max_length=MAX_JOB_ID)]
TrialNumber = Annotated[int, Path(ge=0, le=2**31 - 1)]
#: The name of a search space, a trainable or a plot.
Name = Annotated[str, Path(max_length=200)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$",
        description="a repeated request with the same key gives the same job",
    ),
]  # fmt: skip


def _state(name: str) -> Any:
    """Return what gives a route this attribute of the application's state."""

    def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(get)


SettingsDep = Annotated[Settings, _state("settings")]
StoreDep = Annotated[Store, _state("store")]
DrawingsDep = Annotated[Drawings, _state("drawings")]
StorageDep = Annotated[Storage, _state("storage")]
#: Hold it while a file that was sent is read.
ReadingDep = Annotated[Semaphore, _state("reading")]
LiveDep = Annotated[Live, _state("live")]
ReadingsDep = Annotated[Readings, _state("readings")]


def get_library(settings: SettingsDep) -> Library:
    """Return the search spaces, read anew: the user's folder may have changed."""
    folder = settings.search_spaces_dir
    return Library([folder] if folder else [])


LibraryDep = Annotated[Library, Depends(get_library)]


def get_permit(request: Request, settings: SettingsDep) -> Permit:
    """Return what the client may do."""
    return Permit(settings.allow_commands, request.state.token)


PermitDep = Annotated[Permit, Depends(get_permit)]


def check_program(permit: PermitDep) -> None:
    """Refuse a client that may not let programs run; for routes that take nothing else."""
    permit.check_program()


MAY_SEND_PROGRAMS = Depends(check_program)


def get_jobs(
    store: StoreDep, library: LibraryDep, settings: SettingsDep, permit: PermitDep
) -> Jobs:
    """Return what plans, accepts and deletes jobs."""
    return Jobs(store, library, settings, permit)


JobsDep = Annotated[Jobs, Depends(get_jobs)]


class Views:
    """Shows jobs among those that share the cluster."""

    def __init__(self, fleet: RecentFleet, settings: Settings, store: Store) -> None:
        self._fleet, self._settings, self._store = fleet, settings, store

    def of(self, job: JobRecord) -> JobView:
        """Return a job as the API shows it, with how long it rested where it has finished."""
        view = self.of_all([job])[0]
        # A job that was claimed once never went on after a pause or an end.
        if job.finished_at and job.lease_token > 1:
            rests = self._store.rests(job.id)
            view.rested = sum(rest.seconds() for rest in rests) or None
        return view

    def of_all(self, jobs: Sequence[JobRecord], *, with_history: bool = False) -> list[JobView]:
        """Return jobs as the API shows them."""
        fleet, url = self._fleet.read(), self._settings.dashboard_url
        return [job_view(job, url, fleet, with_history=with_history) for job in jobs]


def get_views(
    fleet: Annotated[RecentFleet, _state("fleet")], settings: SettingsDep, store: StoreDep
) -> Views:
    """Return what shows jobs."""
    return Views(fleet, settings, store)


ViewsDep = Annotated[Views, Depends(get_views)]


def _body(model: type[Model]) -> Any:
    """Return what gives a route the body as a ``model``, or a problem that names wrong fields."""

    async def read(request: Request, settings: SettingsDep) -> Model:
        value = await read_json(request, max_bytes=settings.max_body_bytes)
        return await run_in_threadpool(parsed, model, value)

    return Depends(read)


async def read_search(request: Request, settings: SettingsDep) -> JobRequest:
    """Return the body as a request for a job; YAML may be a search space alone, as its file is."""
    value = await read_json(request, max_bytes=settings.max_body_bytes)
    if is_yaml(request) and isinstance(value, dict) and "search_space" not in value:
        value = {"search_space": value}
    return await run_in_threadpool(parsed, JobRequest, value)


JobRequestDep = Annotated[JobRequest, Depends(read_search)]
EditDep = Annotated[EditRequest, _body(EditRequest)]
PriorityDep = Annotated[PriorityRequest, _body(PriorityRequest)]
ExtendDep = Annotated[ExtendRequest, _body(ExtendRequest)]
ConfirmDep = Annotated[ConfirmRequest, _body(ConfirmRequest)]
NewTokenDep = Annotated[NewTokenRequest, _body(NewTokenRequest)]
ShareDep = Annotated[ShareRequest, _body(ShareRequest)]
