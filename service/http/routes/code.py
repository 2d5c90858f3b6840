"""Routes that take the code of searches and say whether it is there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from search_spaces import Problem
from service.code.archive import BadArchive, Limits
from service.code.keep import keep
from service.errors import InvalidRequest
from service.http.dependencies import (
    MAY_SEND_PROGRAMS,
    ReadingDep,
    SettingsDep,
    StorageDep,
    StoreDep,
)
from service.http.openapi import PROBLEMS
from service.http.problems import HttpProblem
from service.http.uploads import check_media_type, receive, upload_folder
from service.schemas import CodeView

router = APIRouter(prefix="/api/v1/code", tags=["code"], responses=PROBLEMS)

MEDIA_TYPES = (
    "application/gzip", "application/x-gzip", "application/x-tar+gzip", "application/octet-stream",
)  # fmt: skip
_HINT = "send a .tar.gz with the header Content-Type: application/gzip"
_BINARY = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the folder as a .tar.gz of plain files and folders",
        "content": {kind: {"schema": _BINARY} for kind in MEDIA_TYPES},
    }
}


@router.post(
    "",
    dependencies=[MAY_SEND_PROGRAMS],
    openapi_extra=_BODY,
    responses={201: {"model": CodeView, "description": "the code is new here"}},
)
async def send_code(
    request: Request,
    store: StoreDep,
    storage: StorageDep,
    settings: SettingsDep,
    reading: ReadingDep,
    answer: Response,
) -> CodeView:
    """Take a folder of code as an archive; the answer's digest is what a search names as `code`."""
    check_media_type(request, MEDIA_TYPES, _HINT)
    limits, setting = Limits.of(settings.max_code_bytes), "ARGBEST_MAX_CODE_BYTES"
    with upload_folder(settings) as folder:
        path = folder / "code.tar.gz"
        sha256 = await receive(request, path, max_bytes=limits.packed, setting=setting)
        try:
            async with reading:
                code, is_new = await run_in_threadpool(keep, store, storage, path, sha256, limits)
        except BadArchive as error:
            raise InvalidRequest([Problem("", error.detail, error.fault, error.hint)]) from error
    answer.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return CodeView.model_validate(code).model_copy(update={"is_new": is_new})


@router.get("/{digest}")
def show_code(digest: Annotated[str, Path(max_length=100)], store: StoreDep) -> CodeView:
    """Show code that has been sent: whether it is there, and how much it is."""
    code = store.code(digest)
    if code is None:
        hint = "send it again: POST /api/v1/code, or `argbest submit` of a file with `code: .`"
        detail = f"there is no code with the digest {digest!a}"
        raise HttpProblem(HTTPStatus.NOT_FOUND, detail, hint)
    return CodeView.model_validate(code)
