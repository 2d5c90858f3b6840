"""The HTTP API as one application: routes, page, middleware and the handlers of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI

from results.storage import Storage
from results.store import Store, open_store
from service import logs, page
from service.http import access, access_log, metrics, openapi, problems
from service.http.drain import DrainMiddleware
from service.http.drawings import Drawings
from service.http.live import Live, RecentFleet
from service.http.query import KNOWN_QUERY
from service.http.readings import Readings
from service.http.routes import (
    catalog,
    cluster,
    code,
    columns,
    datasets,
    events,
    figures,
    health,
    jobs,
    results,
    tokens,
    trials,
)
from service.migrate import wait_and_migrate
from service.settings import Settings, settings_or_exit
from service.version import version
from trainables import registry

logger = logging.getLogger(__name__)

#: So many files that were sent are read at the same time: each may take gigabytes and minutes, and
#: one of the threads that answer requests.
FILES_AT_ONCE = 2

DESCRIPTION = (
    "POST a hyperparameter search, Ray Tune runs its trials, and every learning curve, the best "
    "configuration, plots and a report come back."
)


def create_app(settings: Settings, store: Store | None = None) -> FastAPI:
    """Return the application; it opens and closes a store of its own unless it is given one."""
    used = store or open_store(settings.store_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registry.broken()  # logs each package that is left out
        yield
        if store is None:
            used.close()

    app = FastAPI(
        title="argbest", version=version(), description=DESCRIPTION, lifespan=lifespan,
        # FastAPI's pages load their scripts from another host; service.page serves /docs.
        docs_url=None, redoc_url=None, openapi_url=None, dependencies=[KNOWN_QUERY],
    )  # fmt: skip
    app.state.settings, app.state.store = settings, used
    app.state.drawings = Drawings(used)
    app.state.storage = Storage(settings.storage_uri)
    app.state.reading = asyncio.Semaphore(FILES_AT_ONCE)
    app.state.live = Live(used, settings.max_concurrent_jobs)
    app.state.readings = Readings(used, settings.dashboard_url)
    app.state.fleet = RecentFleet(used, settings.max_concurrent_jobs)
    reading = (trials, columns, results, figures, events, catalog, cluster, health)
    for module in (jobs, *reading, code, datasets, tokens):
        app.include_router(module.router)
    page.install(app)
    app.add_middleware(access.AccessMiddleware, settings=settings, store=used)
    app.add_middleware(access_log.RequestLog, observe=metrics.install(app, used))
    app.add_middleware(DrainMiddleware)
    problems.install(app)
    openapi.install(app, access.asks_for_tokens(settings))
    return app


def standalone_app() -> FastAPI:
    """Return the application for a process of its own, with the environment's settings.

    ``uvicorn --factory service.api:standalone_app`` runs the API without a controller and without
    Ray. It waits for the database and brings its schema up to date; several may start at once.
    Raises :class:`results.errors.StoreUnavailable` if the database does not answer in time.
    Unlike `argbest serve` it makes no token, which would end up in a container's log.
    """
    settings = settings_or_exit()
    logs.configure(settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with closing(open_store(settings.store_url)) as store:
        wait_and_migrate(store)
        if access.asks_for_tokens(settings) and not store.tokens():
            logger.warning("there is no token yet: `argbest token create NAME --scope admin`")
    return create_app(settings)
