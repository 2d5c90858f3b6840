"""The page: jobs at a glance and one job live, drawn in the browser from the API alone.

``/docs`` is Swagger UI, from the files of the package ``fastapi-swagger``, and figures are drawn by
the script in the package ``plotly``: neither needs another host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.page import plotly_script

_HERE = Path(__file__).parent
#: The page talks to its own origin only; it fetches plots and draws them as blobs. Plotly and
#: Swagger UI style their elements in place (decision 31).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PolicedFiles(StaticFiles):
    """Files with a content policy; a browser keeps them and asks each time whether they changed."""

    def __init__(self, folder: Path, policy: str, packages: list[str | tuple[str, str]]) -> None:
        super().__init__(directory=folder, packages=packages, html=True)
        self._headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file at ``path``, or 304 where the client has it."""
        response = await super().get_response(path, scope)
        response.headers.update(self._headers)
        return response


def install(app: FastAPI) -> None:
    """Serve the page at ``/`` and Swagger UI at ``/docs``, their files in the folders below."""
    page = PolicedFiles(_HERE / "files", POLICY, [])
    docs = PolicedFiles(_HERE / "docs", POLICY, [("fastapi_swagger", "resources")])
    for path, files in (("/", page), ("/docs", docs)):
        app.add_route(path, _index_of(files), include_in_schema=False)
    plotly_script.install(app)
    app.mount("/page", page)
    app.mount("/docs", docs)


def _index_of(files: PolicedFiles) -> Callable[[Request], Awaitable[Response]]:
    async def index(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    return index
