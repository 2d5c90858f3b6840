"""Routes that show the catalogs: search spaces and trainables."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from search_spaces import Problem, SearchSpaceError
from search_spaces.text import printable
from service.http.body import read_bytes, read_yaml
from service.http.dependencies import LibraryDep, Name, SettingsDep
from service.http.openapi import PROBLEMS, SPACE_BODY
from service.http.problems import HttpProblem
from service.http.views import trainable_view
from service.schemas import (
    BrokenSpaceView,
    BrokenTrainableView,
    ReadSpaceView,
    SearchSpaceList,
    SearchSpaceView,
    TrainableList,
    TrainableView,
)
from trainables import registry

router = APIRouter(prefix="/api/v1", tags=["catalog"], responses=PROBLEMS)


@router.get("/search_spaces")
def list_search_spaces(library: LibraryDep) -> SearchSpaceList:
    """List the declared search spaces, and the files that could not be read."""
    broken = [
        BrokenSpaceView(file=printable(error.path.name), problems=list(error.problems))
        for error in library.broken()
    ]
    items = [SearchSpaceView.model_validate(space.to_json()) for space in library.all()]
    return SearchSpaceList(items=items, broken=broken)


@router.post("/yaml", openapi_extra=SPACE_BODY)
async def read_search_space(request: Request, settings: SettingsDep) -> ReadSpaceView:
    """Read a search space from YAML or JSON, the request's body; it is not checked or kept."""
    raw = await read_bytes(request, settings.max_body_bytes)
    if not raw:
        hint = "send the text of a search space"
        raise HttpProblem(HTTPStatus.BAD_REQUEST, "the body is empty", hint)
    document = await run_in_threadpool(read_yaml, raw)
    return ReadSpaceView(search_space=document.value, lines=dict(document.lines))


@router.get("/search_spaces/{name}")
def show_search_space(name: Name, library: LibraryDep) -> SearchSpaceView:
    """Show one declared search space."""
    try:
        return SearchSpaceView.model_validate(library.get(name).to_json())
    except SearchSpaceError as error:
        problem = error.problems[0]
        raise HttpProblem(HTTPStatus.NOT_FOUND, problem.detail, problem.hint) from error


@router.get("/trainables")
def list_trainables() -> TrainableList:
    """List the trainables, and the installed ones that cannot be used."""
    broken = [
        BrokenTrainableView(
            package=one.package,
            entry_point=one.entry_point,
            problems=[Problem("", one.reason, "broken_trainable", one.hint)],
        )
        for one in registry.broken()
    ]
    items = [trainable_view(trainable) for trainable in registry.trainables().values()]
    return TrainableList(items=items, broken=broken)


@router.get("/trainables/{name}")
def show_trainable(name: Name) -> TrainableView:
    """Show one trainable."""
    return trainable_view(registry.get(name))
