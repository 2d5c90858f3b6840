"""Errors as the API answers them: RFC 9457 problem details, ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from service.log_lines import REQUEST_ID, REQUEST_ID_HEADER

MEDIA_TYPE = "application/problem+json"


#: How many fields one answer names: a body of garbage is not answered with a longer one.
MOST_ERRORS = 100
_LONGEST_POINTER_PART = 100


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer (RFC 6901) to ``parts``; long names of a client are cut."""
    return "".join(f"/{_escaped(str(part))}" for part in parts)


def _escaped(part: str) -> str:
    printable = part.encode("utf-8", "replace").decode("utf-8")
    return printable[:_LONGEST_POINTER_PART].replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field: a JSON pointer into the body, what, and a stable code.

    For a path, query or header value the pointer is ``/path/<name>`` and so on.
    """

    pointer: str
    detail: str
    code: str
    hint: str = ""


@dataclass(slots=True)
class ProblemError(Exception):
    """Raised anywhere below a route to answer with a problem.

    ``title`` is the status's phrase; ``hint`` says how to mend the request.
    """

    status: HTTPStatus
    detail: str
    hint: str = ""
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Return the answer."""
        errors = [
            {"pointer": e.pointer, "detail": e.detail, "code": e.code}
            | ({"hint": e.hint} if e.hint else {})
            for e in self.errors
        ]
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "errors": errors,
            "hint": self.hint or next((e.hint for e in self.errors if e.hint), ""),
            "request_id": REQUEST_ID.get(),
        }
        # Also here: the answer to an unexpected error goes past the middleware that adds these.
        headers = {
            REQUEST_ID_HEADER: content["request_id"],
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        return JSONResponse(content, self.status.value, headers=headers, media_type=MEDIA_TYPE)


def invalid(errors: Sequence[FieldError]) -> ProblemError:
    """Return a 422: the body was understood, and these fields of it are wrong.

    The first :data:`MOST_ERRORS` are named.
    """
    summary = "; ".join(f"{e.pointer or '/'}: {e.detail}" for e in errors[:3])
    more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, summary + more, errors=errors[:MOST_ERRORS]
    )


def unavailable(detail: str, *, retry_after_s: int = 5) -> ProblemError:
    """Return a 503 with Retry-After."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        hint=f"try again in {retry_after_s} s",
        headers={"Retry-After": str(retry_after_s)},
    )
