"""Routes that show what there is: search spaces, trainables, data sets and the cluster."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from search_spaces import SearchSpaceError
from service.engine import cluster
from service.http.dependencies import LibraryDep, Name, SettingsDep
from service.http.openapi import PROBLEMS
from service.http.problems import ProblemError, unavailable
from service.http.views import dataset_view, trainable_view
from trainables import datasets, registry
from trainables.contract import UnknownTrainable

router = APIRouter(prefix="/api/v1", tags=["catalog"], responses=PROBLEMS)


@router.get("/search_spaces")
def list_search_spaces(library: LibraryDep) -> Any:
    """List the declared search spaces, and the files that could not be read."""
    items = [space.to_json() for space in library.all()]
    broken = [
        {"file": error.path.name, "problems": [asdict(problem) for problem in error.problems]}
        for error in library.broken()
    ]
    return {"items": items, "next_cursor": None, "broken": broken}


@router.get("/search_spaces/{name}")
def show_search_space(name: Name, library: LibraryDep) -> Any:
    """Show one declared search space."""
    try:
        return library.get(name).to_json()
    except SearchSpaceError as error:
        problem = error.problems[0]
        raise ProblemError(HTTPStatus.NOT_FOUND, problem.detail, problem.hint) from error


@router.get("/trainables")
def list_trainables() -> Any:
    """List the trainables with the JSON Schema of their parameters."""
    items = [trainable_view(trainable) for trainable in registry.trainables().values()]
    return {"items": items, "next_cursor": None}


@router.get("/trainables/{name}")
def show_trainable(name: Name) -> Any:
    """Show one trainable."""
    try:
        return trainable_view(registry.get(name))
    except UnknownTrainable as error:
        hint = "GET /api/v1/trainables lists them"
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error), hint) from error


@router.get("/datasets")
def list_datasets(settings: SettingsDep) -> Any:
    """List the data sets and whether this node has them."""
    found = [
        datasets.status(name, settings.datasets_dir, source=settings.fashion_mnist_dir)
        for name in datasets.names()
    ]
    return {"items": [dataset_view(status) for status in found], "next_cursor": None}


@router.get("/cluster")
def show_cluster(settings: SettingsDep) -> Any:
    """Show the Ray cluster: its address, dashboard and nodes."""
    try:
        nodes = cluster.nodes(settings)
    except cluster.ClusterError as error:
        raise unavailable(str(error)) from error
    return {
        "address": settings.ray_address,
        "dashboard_url": settings.dashboard_url,
        "nodes": nodes,
    }
