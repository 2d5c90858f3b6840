"""Plotly's script for the page, out of the installed package ``plotly``: nothing of it is ours.

The address has the package's version, so that a browser may keep the script for ever;
``/page/plotly.js`` leads to it.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

ADDRESS = f"/page/plotly-{version('plotly')}.js"
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
_TYPE = "text/javascript; charset=utf-8"


def install(app: FastAPI) -> None:
    """Serve the script; call it before the page's folder is mounted."""
    app.add_route("/page/plotly.js", _newest, include_in_schema=False)
    app.add_route(ADDRESS, _script, include_in_schema=False)


def _newest(_: Request) -> Response:
    return RedirectResponse(ADDRESS, headers={"Cache-Control": "no-cache"})


def _script(request: Request) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(), headers={**_KEPT, "Content-Encoding": "gzip"}, media_type=_TYPE)
    return FileResponse(path(), headers=_KEPT, media_type=_TYPE)


def path() -> Path:
    """Return the script's file. The package itself is not imported."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package plotly is not installed: pip install plotly")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


@lru_cache(maxsize=1)
def _packed() -> bytes:
    """Return the script, packed once per process: 1.5 MB for 4.8."""
    return gzip.compress(path().read_bytes(), compresslevel=6, mtime=0)
