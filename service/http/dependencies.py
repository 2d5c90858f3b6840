"""What routes are given: the job service, the store and the request's checked body."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from results.store import Store
from search_spaces import Library
from service.http.body import read_json
from service.http.drawings import Drawings
from service.http.problems import MOST_ERRORS, FieldError, invalid, pointer
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings

#: Characters; those of ours are shorter. What is longer is refused rather than repeated.
MAX_JOB_ID = 64
JobId = Annotated[str, Path(description="the job's id", max_length=MAX_JOB_ID)]
#: Of a search space, a trainable or a plot.
Name = Annotated[str, Path(max_length=200)]
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


def get_drawings(request: Request) -> Drawings:
    """Return the application's plots and reports."""
    drawings: Drawings = request.app.state.drawings
    return drawings


SettingsDep = Annotated[Settings, Depends(get_settings)]
StoreDep = Annotated[Store, Depends(get_store)]
LibraryDep = Annotated[Library, Depends(get_library)]
DrawingsDep = Annotated[Drawings, Depends(get_drawings)]


def get_jobs(store: StoreDep, library: LibraryDep, settings: SettingsDep) -> Jobs:
    """Return the job service."""
    return Jobs(store, library, settings)


JobsDep = Annotated[Jobs, Depends(get_jobs)]


async def job_request(request: Request, settings: SettingsDep) -> JobRequest:
    """Return the body as a :class:`JobRequest`, or raise a problem that names each bad field."""
    value = await read_json(request, max_bytes=settings.max_body_bytes)
    return await run_in_threadpool(_validated, value)


def _validated(value: Any) -> JobRequest:
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
    "string_pattern_mismatch": "give a text that matches {pattern}",
    "control_character": "leave out line breaks, tabs and other control characters",
    "gpu_share": "give 0, a share from 0.0001 to 1, or a whole number of GPUs",
    "int_parsing": "give a whole number",
    "bool_parsing": "give true or false",
    "enum": "give {expected}",
    "literal_error": "give {expected}",
    "dict_type": "give an object: {{...}}",
    "model_type": "give an object: {{...}}",
    "too_long": "give at most {max_length} entries",
}


def field_errors(error: ValidationError) -> list[FieldError]:
    """Return one error per field, in the words of this API."""
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        # A union reports each of its branches under the field; the field alone is meant. A key
        # itself is marked as such; the field is what it names.
        location = item["loc"][:1] if item["loc"][:1] == ("search_space",) else item["loc"]
        named = [part for part in location if part != "[key]"]
        place = pointer(*named)
        if len(found) < MOST_ERRORS:
            found.setdefault(place, _field_error(place, str(named[-1]), item))
    return list(found.values())


def fix(item: Mapping[str, Any]) -> str:
    """Return how to mend what pydantic refused, from one of its errors."""
    words = {"msg": item["msg"], **item.get("ctx", {})}
    return _FIXES.get(item["type"], "{msg}").format_map(words)


def _field_error(place: str, name: str, item: Mapping[str, Any]) -> FieldError:
    if item["type"] == "extra_forbidden":
        fields = sorted(JobRequest.model_fields)
        close = difflib.get_close_matches(name, fields, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        hint = f"{guess}the fields are {', '.join(fields)}"
        return FieldError(place, "there is no such field", "unknown_field", hint)
    if place == "/search_space":
        missing = item["type"] == "missing"
        detail = "is required" if missing else "must be the name of a search space, or an object"
        hint = 'for example "search_space": "q2_linear_regression"; GET /api/v1/search_spaces lists'
        return FieldError(place, detail, item["type"], hint)
    return FieldError(place, item["msg"], item["type"], fix(item))
