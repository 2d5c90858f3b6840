"""The HTTP API: one application made of the routes, with every error answered as a problem."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from results import errors as results_errors
from results.store import Store, open_store
from service import logs, page
from service.http import access, access_log, metrics, openapi
from service.http.dependencies import fix
from service.http.drawings import Drawings
from service.http.problems import FieldError, ProblemError, invalid, pointer, unavailable
from service.http.routes import catalog, health, jobs, results
from service.settings import Settings
from service.version import version

logger = logging.getLogger(__name__)

DESCRIPTION = (
    "POST a hyperparameter search, Ray Tune runs its trials, and every learning curve, the best "
    "configuration, plots and a report come back."
)

#: How long :func:`standalone_app` waits for a database that does not answer yet.
DATABASE_PATIENCE_SECONDS = 60.0

#: What each error of the store means to a client.
_STATUS: dict[type[results_errors.ResultsError], HTTPStatus] = {
    results_errors.JobNotFound: HTTPStatus.NOT_FOUND,
    results_errors.TrialNotFound: HTTPStatus.NOT_FOUND,
    results_errors.UnknownPlot: HTTPStatus.NOT_FOUND,
    results_errors.IllegalMove: HTTPStatus.CONFLICT,
    results_errors.IdempotencyClash: HTTPStatus.CONFLICT,
}

#: How to mend a request, where the store does not say.
_HINTS: dict[type[results_errors.ResultsError], str] = {
    results_errors.JobNotFound: "GET /api/v1/jobs lists them",
    results_errors.TrialNotFound: "GET /api/v1/jobs/{job_id}/trials lists them, from 0",
    results_errors.UnknownPlot: "GET /api/v1/jobs/{job_id}/plots lists them",
    results_errors.IdempotencyClash: "send another Idempotency-Key with another request",
}

#: What is logged for a request whose client was gone before its end; no client ever sees it.
CLIENT_CLOSED_REQUEST = 499


def create_app(settings: Settings, store: Store | None = None) -> FastAPI:
    """Return the application; it opens and closes a store of its own unless it is given one."""
    used = store or open_store(settings.store_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if store is None:
            used.close()

    app = FastAPI(
        title="argbest", version=version(), description=DESCRIPTION, lifespan=lifespan,
        # Those of FastAPI load their scripts from another host; service.page serves /docs.
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.settings, app.state.store = settings, used
    app.state.drawings = Drawings(used)
    for module in (jobs, results, catalog, health, page):
        app.include_router(module.router)
    app.add_middleware(access.Door, settings=settings, store=used)
    metrics.install(app, used)
    app.add_middleware(access_log.RequestLog)
    _handle_errors(app)
    app.openapi = _described(app)  # type: ignore[method-assign]
    return app


def standalone_app() -> FastAPI:
    """Return the application for a process of its own, with the environment's settings.

    ``uvicorn --factory service.api:standalone_app`` runs the API without a controller and without
    Ray. The database is waited for and its schema brought up to date; several may start at once.
    Raises :class:`results.errors.StoreUnavailable` if the database does not answer in time.
    It makes no token, as `argbest serve` does: what shows one here would keep it in a log.
    """
    settings = Settings()
    logs.configure(settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with closing(open_store(settings.store_url)) as store:
        _migrate(store)
        if access.asks_for_tokens(settings) and not store.tokens():
            logger.warning("there is no token yet: `argbest token create NAME --scope admin`")
    return create_app(settings)


def _migrate(store: Store) -> None:
    give_up = time.monotonic() + DATABASE_PATIENCE_SECONDS
    while True:
        try:
            store.migrate()
        except results_errors.StoreUnavailable as error:
            if time.monotonic() > give_up:
                raise
            logger.warning("waiting for the database: %s", error)
            time.sleep(1.0)
        else:
            return


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
            )
            made = openapi.add_schemas(made)
            if access.asks_for_tokens(app.state.settings):
                made = openapi.add_security(made, access.OPEN_PATHS, access.needed_scope)
            app.openapi_schema = made
        return app.openapi_schema

    return describe


def _handle_errors(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameter)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(results_errors.StoreUnavailable, _answer_unavailable)
    app.add_exception_handler(results_errors.BadCursor, _answer_bad_cursor)
    app.add_exception_handler(results_errors.ResultsError, _answer_results_error)
    app.add_exception_handler(Exception, _answer_bug)


async def _answer_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - tells mypy what the table says
    return error.response()


async def _answer_bad_parameter(_: Request, error: Exception) -> Response:
    """Answer a bad path, query or header value; the body is checked elsewhere."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = [
        FieldError(pointer(*item["loc"]), item["msg"], item["type"], fix(item))
        for item in error.errors()
    ]
    return invalid(found).response()


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer an unknown path (404) or a method that a path does not have (405)."""
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    hint = "GET /docs lists all paths and methods"
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return ProblemError(status, str(error.detail), hint, headers=headers).response()


def _methods(request: Request) -> list[str]:
    """Return the methods of the request's path: routing stops at the first route of the path."""
    app: FastAPI = request.app
    scope = {"type": "http", "path": request.url.path}
    asked = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    return sorted(
        method
        for method in asked
        if any(r.matches({**scope, "method": method})[0] is Match.FULL for r in app.routes)
    )


async def _answer_nobody(request: Request, _: Exception) -> Response:
    logger.info("%s: the client left", _told(request))
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _told(request: Request) -> str:
    return f"{access_log.shortened(request.method)} {access_log.shortened(request.url.path)!a}"


async def _answer_bad_cursor(_: Request, error: Exception) -> Response:
    hint = "use next_cursor as it was returned, or leave cursor out for the first page"
    return invalid([FieldError("/query/cursor", str(error), "bad_cursor", hint)]).response()


async def _answer_unavailable(_: Request, error: Exception) -> Response:
    logger.error("the store is unavailable: %s", error)
    return unavailable(f"the database cannot answer: {error}").response()


async def _answer_results_error(_: Request, error: Exception) -> Response:
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), None)
    if status is None:
        return await _answer_bug(_, error)
    assert isinstance(error, results_errors.ResultsError)  # noqa: S101
    hint = error.hint or next((h for kind, h in _HINTS.items() if isinstance(error, kind)), "")
    return ProblemError(status, str(error), hint=hint).response()


async def _answer_bug(request: Request, error: Exception) -> Response:
    """The HTTP edge: a defect of ours is logged whole and answered without its details."""
    logger.error("%s", _told(request), exc_info=error)
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "the service has a defect; its log says more",
        hint="please report it with the log's traceback",
    ).response()
