"""Routes for whoever watches the service: is it alive, can it take work, which version is it."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed_version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from results.errors import StoreUnavailable
from results.store import Store
from service.disk import disk_problem
from service.engine.cluster import is_reachable
from service.http.dependencies import SettingsDep, StoreDep
from service.schemas import HealthView, ReadinessView, VersionView
from service.settings import Settings
from service.version import OTHER_SCHEMA, version

router = APIRouter(tags=["health"])


def readiness(store: Store, settings: Settings) -> dict[str, str]:
    """Return, for each part the service needs, "ok" or what is wrong with it."""
    parts = {"database": "ok", "migrations": "ok", "ray": "ok", "disk": "ok"}
    try:
        if not store.schema_is_current():
            parts["migrations"] = OTHER_SCHEMA
    except StoreUnavailable as error:
        parts["database"] = parts["migrations"] = str(error)
    if not is_reachable(settings.ray_address):
        parts["ray"] = f"no Ray head answers at {settings.ray_address or '(no address set)'}"
    parts["disk"] = disk_problem(settings) or "ok"
    return parts


@router.get("/healthz")
async def healthz() -> HealthView:
    """Answer that the process is alive, also while all worker threads are busy."""
    return HealthView(status="ok")


@router.get(
    "/readyz",
    response_model=ReadinessView,
    responses={503: {"description": "not ready; which part, and why"}},
)
def readyz(request: Request, store: StoreDep, settings: SettingsDep) -> Any:
    """Answer whether work can be taken, part by part; 503 if any part is not ready.

    Where tokens are asked for, the parts are told to who sends a valid one, with its name and
    scope. While the database cannot say whether it is valid, `token` is null, and of the parts
    only that one is told.
    """
    if request.state.is_unchecked:
        return _answer({"status": "not ready", "parts": {"database": "unavailable"}, "token": None})
    parts = readiness(store, settings)
    ready = all(state == "ok" for state in parts.values())
    status = "ok" if ready else "not ready"
    token = request.state.token
    content: dict[str, Any] = {"status": status}
    if token is not None or not request.state.is_locked:
        content["parts"] = parts
    if token is not None:
        content["token"] = {"name": token.name, "scope": token.scope}
    return _answer(content)


def _answer(content: dict[str, Any]) -> JSONResponse:
    if content["status"] == "ok":
        return JSONResponse(content)
    return JSONResponse(content, 503, headers={"Retry-After": "5"})


@router.get("/version")
def show_version() -> VersionView:
    """Answer the versions of argbest and of what results depend on."""
    libraries = ("ray", "torch", "numpy", "optuna")
    return VersionView(
        argbest=version(),
        python=platform.python_version(),
        **{name: installed_version(name) for name in libraries},
    )
