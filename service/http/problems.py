"""Errors as the API answers them: RFC 9457 problem details, ``application/problem+json``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount

from results import errors
from results.storage import NotInStorage, StorageError
from search_spaces import Problem
from service.engine.cluster import ClusterError
from service.errors import MOST_PROBLEMS, InvalidRequest, NotAllowed, Unavailable
from service.http.access_log import shortened
from service.http.validation import problem_of_item
from service.log_lines import REQUEST_ID, REQUEST_ID_HEADER
from service.schemas import ProblemView
from trainables.contract import UnknownTrainable

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: What answers that ask for a token, or for another one, have as WWW-Authenticate (RFC 6750).
CHALLENGE = 'Bearer realm="argbest"'
#: Logged for a client that left before its answer; no client ever sees it.
CLIENT_CLOSED_REQUEST = 499

#: The status of each error that a request can cause, and how to mend the request.
_ANSWERS: Mapping[type[Exception], tuple[HTTPStatus, str]] = {
    errors.JobNotFound: (HTTPStatus.NOT_FOUND, "GET /api/v1/jobs lists them"),
    errors.TrialNotFound: (
        HTTPStatus.NOT_FOUND, "GET /api/v1/jobs/{job_id}/trials lists them, from 0"),
    errors.UnknownPlot: (HTTPStatus.NOT_FOUND, "GET /api/v1/jobs/{job_id}/plots lists them"),
    errors.UnknownFigure: (HTTPStatus.NOT_FOUND, "GET /api/v1/jobs/{job_id}/figures lists them"),
    errors.NoFigure: (HTTPStatus.CONFLICT, "GET /api/v1/jobs/{job_id}/figures lists what there is"),
    UnknownTrainable: (HTTPStatus.NOT_FOUND, "GET /api/v1/trainables lists them"),
    errors.NoBestTrial: (
        HTTPStatus.CONFLICT,
        "wait for a trial to succeed, or look at GET .../trials for their errors"),
    errors.DatasetNotFound: (HTTPStatus.NOT_FOUND, "GET /api/v1/datasets lists them"),
    errors.DatasetExists: (HTTPStatus.CONFLICT, ""),
    errors.NoModel: (HTTPStatus.NOT_FOUND, ""),
    errors.TokenNotFound: (HTTPStatus.NOT_FOUND, "GET /api/v1/tokens lists them"),
    errors.TokenExists: (HTTPStatus.CONFLICT, "revoke it, or choose another name"),
    errors.NotReplayable: (
        HTTPStatus.CONFLICT, "replay a finished job whose trials all trained all their epochs"),
    NotInStorage: (
        HTTPStatus.NOT_FOUND,
        "set ARGBEST_STORAGE to a storage that API and workers share; without one the file is on "
        "the disk of the worker that trained the trial"),
    errors.IllegalMove: (HTTPStatus.CONFLICT, ""),
    errors.UnknownCode: (HTTPStatus.CONFLICT, "send the code again: POST /api/v1/code"),
    errors.UnreadableJob: (HTTPStatus.CONFLICT, "use the version that accepted the job"),
    errors.IdempotencyClash: (
        HTTPStatus.CONFLICT, "send another Idempotency-Key with another request"),
}  # fmt: skip


class HttpProblem(Exception):
    """An error as it is answered; ``title`` is the status's phrase, ``hint`` says how to mend it.

    ``problems`` names the wrong fields by JSON pointers into the body; for a path, query or header
    value the pointer is ``/path/<name>`` and so on.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        hint: str = "",
        *,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.problems = status, detail, problems[:MOST_PROBLEMS]
        self.hint = hint or next((p.hint for p in problems if p.hint), "")
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the answer."""
        view = ProblemView(
            type="about:blank",
            title=self.status.phrase,
            status=self.status,
            detail=self.detail,
            errors=list(self.problems),
            hint=self.hint,
            request_id=REQUEST_ID.get(),
        )
        # Also here: the answer to an unexpected error passes by the middleware that adds these.
        headers = {
            REQUEST_ID_HEADER: view.request_id,
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        return Response(view.model_dump_json(), self.status, headers, MEDIA_TYPE)


def problem_of(error: Exception) -> HttpProblem | None:
    """Return how ``error`` is answered, or None for a defect of ours."""
    match error:
        case HttpProblem():
            return error
        case InvalidRequest():
            return _invalid(error.problems)
        case RequestValidationError():
            return _invalid([problem_of_item(item) for item in error.errors()])
        case errors.BadCursor():
            hint = "use next_cursor as it was returned, or leave cursor out for the first page"
            return _invalid([Problem("/query/cursor", str(error), "bad_cursor", hint)])
        case errors.BadParameters():
            return _invalid([Problem("/query/parameter", str(error), "bad_parameter", error.hint)])
        case NotAllowed():
            return _not_allowed(error)
        case Unavailable():
            return unavailable(str(error), error.retry_after_s)
        case ClusterError():
            return unavailable(str(error))
        case errors.StoreUnavailable():
            return unavailable(f"the database cannot answer: {error}")
        case StorageError() if not isinstance(error, NotInStorage):
            return unavailable(str(error))
    for kind, (status, hint) in _ANSWERS.items():
        if isinstance(error, kind):
            return HttpProblem(status, str(error), getattr(error, "hint", "") or hint)
    return None


def _invalid(problems: Sequence[Problem]) -> HttpProblem:
    summary = "; ".join(f"{p.pointer or '/'}: {p.detail}" for p in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, summary + more, problems=problems)


def _not_allowed(error: NotAllowed) -> HttpProblem:
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{error.scope}"'
    headers = {"WWW-Authenticate": challenge} if error.scope else {}
    return HttpProblem(HTTPStatus.FORBIDDEN, str(error), error.hint, headers=headers)


def unavailable(detail: str, retry_after_s: int = 5) -> HttpProblem:
    """Return a 503 with ``Retry-After``."""
    return HttpProblem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        f"try again in {retry_after_s} s",
        headers={"Retry-After": str(retry_after_s)},
    )


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    kinds = (HttpProblem, InvalidRequest, NotAllowed, RequestValidationError, Unavailable,
             ClusterError, StorageError, errors.ResultsError, UnknownTrainable,
             Exception)  # fmt: skip
    for kind in kinds:
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:  # a defect of ours: the log has the details, the answer has none
        logger.error("%s", _called(request), exc_info=error)
        problem = HttpProblem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "the service has a defect; its log says more",
            "please report it with the log's traceback",
        )
    elif isinstance(error, errors.StoreUnavailable):
        logger.error("the store is unavailable: %s", error)
    return problem.response()


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer an unknown path (404) or a method that a path does not have (405)."""
    assert isinstance(error, HTTPException)  # noqa: S101 - tells mypy what the table says
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    hint = "GET /docs lists all paths and methods"
    return HttpProblem(status, str(error.detail), hint, headers=headers).response()


def _methods(request: Request) -> list[str]:
    """Return the methods of the request's path; routing stops at the first route of the path."""
    scope = {"type": "http", "path": request.url.path}
    found = {
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        for route in request.app.routes
        if not isinstance(route, Mount)  # which takes any method, for its files to refuse
        and route.matches({**scope, "method": method})[0] is Match.FULL
    }
    return sorted(found) or ["GET", "HEAD"]


async def _answer_nobody(request: Request, _: Exception) -> Response:
    logger.info("%s: the client left", _called(request))
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _called(request: Request) -> str:
    return f"{shortened(request.method)} {shortened(request.url.path)!a}"
