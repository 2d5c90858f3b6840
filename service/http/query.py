"""Refuses unknown query parameters of requests that change something.

A mistyped ``dry_run`` would otherwise run the search. Reading is lenient: nothing happens by it,
and addresses are passed on with parameters of others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import Depends, Request

from search_spaces import Problem, pointer_to
from search_spaces.errors import did_you_mean
from service.errors import InvalidRequest

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


async def refuse_unknown(request: Request) -> None:
    """Raise :class:`InvalidRequest`, which names each parameter that the route does not declare."""
    if request.method not in _CHANGING or not request.query_params:
        return
    # The route's own description of itself, with what its dependencies take.
    known = sorted(set(_declared(request.scope["route"].dependant)))
    problems = [_problem(name, known) for name in request.query_params if name not in known]
    if problems:
        raise InvalidRequest(problems)


#: For all routes of an application.
KNOWN_QUERY = Depends(refuse_unknown)


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _problem(name: str, known: list[str]) -> Problem:
    hint = did_you_mean(name, known) if known else "leave it out: this path takes none"
    return Problem(pointer_to("query", name), "there is no such parameter", "unknown_field", hint)
