"""A JSON value becomes a typed request, or problems that say how to mend each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from search_spaces import PROGRAM_KEYS, Problem, key_hint, pointer_to
from service.errors import MOST_PROBLEMS, InvalidRequest
from service.job_request import JobRequest, Resources

Model = TypeVar("Model", bound=BaseModel)

#: How to mend a value that pydantic refuses, by its error type; the names are in its context.
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
    "source_size": "say less of where the program came from",
    "int_parsing": "give a whole number",
    "bool_parsing": "give true or false",
    "enum": "give {expected}",
    "literal_error": "give {expected}",
    "dict_type": "give an object: {{...}}",
    "model_type": "give an object: {{...}}",
    "too_long": "give at most {max_length} entries",
    "missing": "give the field",
}


#: Keys of a search space that a request does not replace.
_OF_SPACES = (*PROGRAM_KEYS, "trainable", "dataset", "metric", "mode", "title", "description")


def parsed(model: type[Model], value: Any) -> Model:
    """Return the request that a JSON value is; raise :class:`InvalidRequest`."""
    if not isinstance(value, dict):
        raise InvalidRequest([Problem("", "the body must be a JSON object", "type", "send {...}")])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequest(_one_per_field(model, error)) from error


def _one_per_field(model: type[BaseModel], error: ValidationError) -> list[Problem]:
    found: dict[str, Problem] = {}
    for item in error.errors(include_url=False, include_input=False):
        problem = _problem_of_body(model, item)
        if len(found) < MOST_PROBLEMS:
            found.setdefault(problem.pointer, problem)
    return list(found.values())


def _problem_of_body(model: type[BaseModel], item: Mapping[str, Any]) -> Problem:
    # A union reports each of its branches under the field, of which the field alone is named.
    # "[key]" marks a problem with a key itself, which is named as its value is.
    location = item["loc"][:1] if item["loc"][:1] == ("search_space",) else item["loc"]
    named = [part for part in location if part != "[key]"]
    place = pointer_to(*named)
    if item["type"] == "extra_forbidden":
        owner = model if len(named) == 1 else Resources
        hint = key_hint(named[-1], sorted(owner.model_fields))
        if model is JobRequest and named[-1] in _OF_SPACES:
            hint = f'put it into the space: "search_space": {{"{named[-1]}": ..., ...}}'
        return Problem(place, "there is no such field", "unknown_field", hint)
    if model is JobRequest and place == "/search_space":
        missing = item["type"] == "missing"
        detail = "is required" if missing else "must be the name of a search space, or an object"
        hint = 'for example "search_space": "q2_linear_regression"; GET /api/v1/search_spaces lists'
        return Problem(place, detail, item["type"], hint)
    return Problem(place, item["msg"], item["type"], _fix(item))


def problem_of_item(item: Mapping[str, Any]) -> Problem:
    """Return the problem of a path, query or header value, from one of pydantic's errors."""
    return Problem(pointer_to(*item["loc"]), item["msg"], item["type"], _fix(item))


def _fix(item: Mapping[str, Any]) -> str:
    words = {"msg": item["msg"], **item.get("ctx", {})}
    return _FIXES.get(item["type"], "{msg}").format_map(words)
