"""The page: jobs at a glance and one job live, drawn in the browser from the API alone."""

from __future__ import annotations

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
    "X-Content-Type-Options": "nosniff",
}


def _file(name: str, media_type: str) -> Response:
    content = files("service.page").joinpath(name).read_bytes()
    return Response(content, media_type=media_type, headers=HEADERS)


@router.get("/")
def page() -> Response:
    """Answer the page."""
    return _file("index.html", "text/html; charset=utf-8")


@router.get("/page.js")
def script() -> Response:
    """Answer the page's script."""
    return _file("page.js", "text/javascript; charset=utf-8")


@router.get("/api.js")
def requests() -> Response:
    """Answer the script's part that talks to the API."""
    return _file("api.js", "text/javascript; charset=utf-8")


@router.get("/page.css")
def style() -> Response:
    """Answer the page's style."""
    return _file("page.css", "text/css; charset=utf-8")
