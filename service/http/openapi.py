"""What the OpenAPI description says beyond the routes' types: the body, examples and problems."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from service.job_request import JobRequest
from service.schemas import ProblemView

EXAMPLES: dict[str, Any] = {
    "declared": {
        "summary": "A declared search space",
        "value": {"search_space": "q2_linear_regression"},
    },
    "overrides": {
        "summary": "With one parameter fixed and fewer epochs",
        "value": {
            "search_space": "q4_logistic_regression",
            "parameters": {"learning_rate": 0.01},
            "epochs": 2,
            "tags": {"course": "deep learning"},
        },
    },
    "sampled": {
        "summary": "A range searched by Optuna's TPE sampler",
        "value": {
            "search_space": "q3_logistic_regression",
            "strategy": "tpe",
            "parameters": {"learning_rate": {"low": 0.0001, "high": 0.1, "log": True}},
            "trials": 10,
            "epochs": 3,
            "seed": 7,
        },
    },
    "inline": {
        "summary": "A whole search space inline",
        "value": {
            "search_space": {
                "name": "my_search",
                "title": "Hidden sizes on Ames",
                "trainable": "numpy_neural_regression",
                "dataset": "ames",
                "epochs": 20,
                "metric": "train_rmse",
                "mode": "min",
                "strategy": "grid",
                "parameters": {
                    "learning_rate": {"values": [0.0005, 0.001]},
                    "hidden_size": {"values": [50, 150]},
                },
            }
        },
    },
}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemView"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def media(description: str, *types: str) -> dict[int | str, dict[str, Any]]:
    """Return what a route answers with 200 besides, or in place of, its JSON: text or bytes."""
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
    415: _problem("not JSON"),
    421: _problem("the Host header names another service"),
    422: _problem("understood but invalid"),
    503: _problem(
        "the database or the disk cannot take work now, or a log cannot be read; of /cluster: Ray "
        "does not answer"
    ),
}

JOB_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/JobRequest"},
                "examples": EXAMPLES,
            }
        },
    }
}


def add_security(
    description: dict[str, Any], open_paths: Container[str], scope: Callable[[str], str]
) -> dict[str, Any]:
    """Say which operations need a token, and of which ``scope`` by their method.

    OpenAPI 3.1 lets a requirement of any kind name roles; ours are the scopes.
    """
    schemes = description.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "made by `argbest token create`, with the scope read, submit or admin",
    }
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if path not in open_paths:
                operation["security"] = [{"token": [scope(method.upper())]}]
    return description


def add_schemas(description: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas that routes name by reference alone."""
    template = "#/components/schemas/{model}"
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for model in (JobRequest, ProblemView):
        schema = model.model_json_schema(ref_template=template)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    # The name that clients made from the description of version 0.1 may have.
    schemas["FieldErrorView"] = {"$ref": template.format(model="Problem")}
    return description
