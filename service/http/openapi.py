"""The OpenAPI description: what it says beyond the routes' types, and its own route."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from service.http.access import is_open, needed_scope
from service.job_request import (
    ConfirmRequest,
    EditRequest,
    ExtendRequest,
    JobRequest,
    PriorityRequest,
)
from service.schemas import ProblemView
from service.token_request import NewTokenRequest, ShareRequest

_EXAMPLES = Path(__file__).with_name("examples.yaml")


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemView"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def media(description: str, *types: str) -> dict[int | str, dict[str, Any]]:
    """Return the other media types of a route's 200: text or bytes beside, or instead of, JSON."""
    texts = ("text/", "image/svg+xml")
    content = {
        name: {"schema": {"type": "string"} if name.startswith(texts) else {}} for name in types
    }
    return {200: {"description": description, "content": content}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("malformed"),
    401: _problem("no valid token, where tokens are asked for"),
    403: _problem("the token's scope does not cover it, or a page of another site sent it"),
    404: _problem("unknown"),
    409: _problem("the state does not allow it"),
    413: _problem("too large"),
    415: _problem("neither JSON nor YAML"),
    421: _problem("the Host header names another service"),
    422: _problem("understood but invalid"),
    503: _problem(
        "the database or the disk cannot take work now, or a log or the storage cannot be read; of "
        "/cluster: Ray does not answer"
    ),
}


def _body(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


#: A file, in a body of any type.
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
JOB_BODY = _body(JobRequest, yaml.safe_load(_EXAMPLES.read_text(encoding="utf-8")))
#: A search space as its file has it, or a request, in YAML.
SPACE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {}}},
    }
}
JOB_BODY["requestBody"]["content"]["application/yaml"] = {"schema": {"type": "string"}}
EXTEND_BODY = _body(ExtendRequest, {"epochs": {"value": {"epochs": 40}}})
CONFIRM_BODY = _body(ConfirmRequest, {"top": {"value": {"top": 3, "seeds": 5}}})
EDIT_BODY = _body(EditRequest, {"notes": {"value": {"notes": "a first try", "tags": {"a": "b"}}}})
PRIORITY_BODY = _body(PriorityRequest, {"double": {"value": {"priority": 2}}})
NEW_TOKEN_BODY = _body(
    NewTokenRequest, {"laptop": {"value": {"name": "laptop", "scope": "submit", "days": 90}}}
)
SHARE_BODY = _body(ShareRequest, {"week": {"value": {"days": 7}}})


_MODELS = (
    JobRequest, EditRequest, ExtendRequest, ConfirmRequest, PriorityRequest, NewTokenRequest,
    ShareRequest, ProblemView,
)  # fmt: skip


def install(app: FastAPI, asks_for_tokens: bool) -> None:  # noqa: FBT001
    """Describe ``app`` at ``/openapi.json``, which a client that has it does not get again."""

    @cache
    def describe() -> dict[str, Any]:
        made = _with_schemas(
            get_openapi(
                title=app.title, version=app.version, description=app.description,
                routes=app.routes,
            )
        )  # fmt: skip
        return _with_security(made) if asks_for_tokens else made

    @cache
    def written() -> tuple[bytes, str]:
        content = json.dumps(describe()).encode()
        return content, f'"{hashlib.sha256(content).hexdigest()}"'

    def openapi(request: Request) -> Response:
        content, tag = written()
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    app.openapi = describe  # type: ignore[method-assign]
    app.add_route("/openapi.json", openapi, include_in_schema=False)


def _with_security(description: dict[str, Any]) -> dict[str, Any]:
    """Say which operations need a token, and of which scope.

    OpenAPI 3.1 lets a requirement of any kind name roles; ours are the scopes.
    """
    schemes = description["components"].setdefault("securitySchemes", {})
    schemes["token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "made by `argbest token create`, with the scope read, submit, code or "
        "admin, or by `argbest share`, to read one job",
    }
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if not is_open(path):
                operation["security"] = [{"token": [needed_scope(method.upper(), path)]}]
    return description


def _with_schemas(description: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas that routes name by reference alone."""
    template = "#/components/schemas/{model}"
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for model in _MODELS:
        schema = model.model_json_schema(ref_template=template)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    # Programs that were made from the description of version 0.1 may use this name.
    schemas["FieldErrorView"] = {"$ref": template.format(model="Problem")}
    return description
