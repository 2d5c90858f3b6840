"""Routes for monitoring: is the service alive, can it take work, which version is it."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed_version

from fastapi import APIRouter, Request, Response

from results.errors import StoreUnavailable
from results.records import TokenScope
from results.store import Store
from service.disk import disk_problem
from service.engine.cluster import is_reachable
from service.http.dependencies import SettingsDep, StoreDep
from service.schemas import HealthView, ReadinessView, TokenView, VersionView
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
def readyz(request: Request, store: StoreDep, settings: SettingsDep) -> Response:
    """Answer whether work can be taken, part by part; 503 if any part is not ready.

    Where tokens are needed, only a client with a valid one sees the parts, and its token's name
    and scope; a link to one job shows no parts. While the database cannot check a token, `token` is
    null and only that part is shown.
    """
    if request.state.is_unchecked:
        parts = {"database": "unavailable"}
        return _answer(ReadinessView(status="not ready", parts=parts, token=None))
    parts = readiness(store, settings)
    is_ready = all(state == "ok" for state in parts.values())
    view = ReadinessView(status="ok" if is_ready else "not ready")
    token = request.state.token
    may_see = token is not None and token.scope.covers(TokenScope.READ)
    if may_see or not request.state.is_locked:
        view.parts, view.allows_commands = parts, settings.allow_commands
    if token is not None:
        view.token = TokenView(name=token.name, scope=token.scope, job=token.job)
    return _answer(view)


def _answer(view: ReadinessView) -> Response:
    text, media_type = view.model_dump_json(exclude_unset=True), "application/json"
    if view.status == "ok":
        return Response(text, media_type=media_type)
    return Response(text, 503, {"Retry-After": "5"}, media_type)


@router.get("/version")
def show_version() -> VersionView:
    """Answer the versions of argbest and of what results depend on."""
    libraries = ("ray", "torch", "numpy", "optuna")
    return VersionView(
        argbest=version(),
        python=platform.python_version(),
        **{name: installed_version(name) for name in libraries},
    )
