"""The page: jobs at a glance and one job live, drawn in the browser from the API alone.

``/docs`` is Swagger UI, served from the files that the package ``fastapi-swagger`` ships, so that
it needs no other host.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

#: The page may talk to its own origin only; it fetches plots and draws them as blobs.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

#: Swagger UI styles its elements in place and draws its icons from data URLs.
DOCS_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

HTML: Final = "text/html; charset=utf-8"
JAVASCRIPT: Final = "text/javascript; charset=utf-8"
CSS: Final = "text/css; charset=utf-8"


def _file(
    name: str,
    media_type: str,
    *,
    package: str = "service.page",
    headers: Mapping[str, str] = HEADERS,
) -> Response:
    content = files(package).joinpath(name).read_bytes()
    return Response(content, media_type=media_type, headers=dict(headers))


@router.get("/")
def page() -> Response:
    """Answer the page."""
    return _file("index.html", HTML)


@router.get("/page.js")
def script() -> Response:
    """Answer the page's script."""
    return _file("page.js", JAVASCRIPT)


@router.get("/api.js")
def requests() -> Response:
    """Answer the script's part that talks to the API."""
    return _file("api.js", JAVASCRIPT)


@router.get("/page.css")
def style() -> Response:
    """Answer the page's style."""
    return _file("page.css", CSS)


@router.get("/docs")
def docs() -> Response:
    """Answer the page that describes the API."""
    return _file("docs.html", HTML, headers=DOCS_HEADERS)


@router.get("/docs/docs.js")
def docs_script() -> Response:
    """Answer the script that starts Swagger UI."""
    return _file("docs.js", JAVASCRIPT)


@router.get("/docs/swagger-ui-bundle.js")
def swagger_script() -> Response:
    """Answer Swagger UI's script."""
    return _file("swagger-ui-bundle.js", JAVASCRIPT, package="fastapi_swagger.resources")


@router.get("/docs/swagger-ui.css")
def swagger_style() -> Response:
    """Answer Swagger UI's style."""
    return _file("swagger-ui.css", CSS, package="fastapi_swagger.resources")
