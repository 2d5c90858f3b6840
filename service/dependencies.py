"""What routes are given: the job service, the store and the request's checked body."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from pydantic import ValidationError

from results.store.base import Store
from search_spaces import Library
from service.body import read_json
from service.jobs import Jobs
from service.problems import FieldError, invalid
from service.schemas import JobRequest
from service.settings import Settings

JobId = Annotated[str, Path(description="the job's id", max_length=64)]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$")
]


def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    settings: Settings = request.app.state.settings
    return settings


def get_store(request: Request) -> Store:
    """Return the application's store."""
    store: Store = request.app.state.store
    return store


def get_library(request: Request) -> Library:
    """Return the search spaces, read anew: the user's folder may have changed."""
    folder = get_settings(request).search_spaces_dir
    return Library([folder] if folder else [])


SettingsDep = Annotated[Settings, Depends(get_settings)]
StoreDep = Annotated[Store, Depends(get_store)]
LibraryDep = Annotated[Library, Depends(get_library)]


def get_jobs(store: StoreDep, library: LibraryDep, settings: SettingsDep) -> Jobs:
    """Return the job service."""
    return Jobs(store, library, settings)


JobsDep = Annotated[Jobs, Depends(get_jobs)]


async def job_request(request: Request, settings: SettingsDep) -> JobRequest:
    """Return the body as a :class:`JobRequest`, or raise a problem that names each bad field."""
    value = await read_json(request, max_bytes=settings.max_body_bytes)
    if not isinstance(value, dict):
        raise invalid([FieldError("", "the body must be a JSON object", "type", "send {...}")])
    try:
        return JobRequest.model_validate(value)
    except ValidationError as error:
        raise invalid(field_errors(error)) from error


JobRequestDep = Annotated[JobRequest, Depends(job_request)]


#: How to mend what pydantic refuses, by its error type; the names are those of its context.
_FIXES = {
    "greater_than_equal": "give a number of at least {ge}",
    "greater_than": "give a number above {gt}",
    "less_than_equal": "give a number of at most {le}",
    "less_than": "give a number below {lt}",
    "int_type": "give a whole number, not in quotes",
    "float_type": "give a number, not in quotes",
    "string_type": "give a text in quotes",
    "string_too_short": "give at least {min_length} character",
    "string_too_long": "give at most {max_length} characters",
    "dict_type": "give an object: {{...}}",
    "model_type": "give an object: {{...}}",
    "too_long": "give at most {max_length} entries",
}


def field_errors(error: ValidationError) -> list[FieldError]:
    """Return one error per field, in the words of this API."""
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        # A union reports each of its branches under the field; the field alone is meant.
        location = item["loc"][:1] if item["loc"][:1] == ("search_space",) else item["loc"]
        pointer = "".join(f"/{part}" for part in location)
        found.setdefault(pointer, _field_error(pointer, str(location[-1]), item))
    return list(found.values())


def _field_error(pointer: str, name: str, item: Any) -> FieldError:
    if item["type"] == "extra_forbidden":
        fields = sorted(JobRequest.model_fields)
        close = difflib.get_close_matches(name, fields, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        hint = f"{guess}the fields are {', '.join(fields)}"
        return FieldError(pointer, "there is no such field", "unknown_field", hint)
    if pointer == "/search_space":
        missing = item["type"] == "missing"
        detail = "is required" if missing else "must be the name of a search space, or an object"
        hint = 'for example "search_space": "q2_linear_regression"; GET /api/v1/search_spaces lists'
        return FieldError(pointer, detail, item["type"], hint)
    hint = _FIXES.get(item["type"], "{msg}").format(msg=item["msg"], **item.get("ctx", {}))
    return FieldError(pointer, item["msg"], item["type"], hint)
