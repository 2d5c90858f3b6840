"""The parameter model of a train function: the pydantic class by which ``config`` is annotated.

``python -m trainables.parameter_models FILE FUNCTION FOLDER`` imports the code in a process of its
own and prints a JSON object: ``schema``, the model's JSON Schema or null without a model, or
``missing``, why there is no such function. What the import raises ends it with a traceback.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_type_hints

from pydantic import BaseModel

from trainables.contract import Train


def model_of(train: Train) -> type[BaseModel] | None:
    """Return the model of the function's first parameter, None where it takes any mapping.

    An annotation whose names are imported for type checkers alone names no model.
    """
    try:
        first = next(iter(inspect.signature(train).parameters.values()), None)
    except (TypeError, ValueError):  # a callable without a signature, such as one written in C
        return None
    found = None if first is None else first.annotation
    if isinstance(found, str):
        found = _named(found, getattr(inspect.unwrap(train), "__globals__", {}))
    is_model = isinstance(found, type) and issubclass(found, BaseModel)
    return cast("type[BaseModel]", found) if is_model else None


def _named(annotation: str, names: Mapping[str, Any]) -> Any:
    """Return what an annotation in words stands for, None where a name of it is not known."""
    holder = SimpleNamespace(__annotations__={"config": annotation})
    try:
        return get_type_hints(holder, dict(names))["config"]
    except NameError:
        return None


def given_its_model(train: Train) -> Train:
    """Return a function that calls ``train`` with a model, where it asks for one.

    The model checks the configuration and adds its defaults; it raises pydantic's
    ``ValidationError``. A function without a model is returned as it is.
    """
    model = model_of(train)
    if model is None:
        return train

    @wraps(train)
    def run(config: Mapping[str, Any], *arguments: Any, **options: Any) -> None:
        cast("Any", train)(model.model_validate(config), *arguments, **options)

    return cast("Train", run)


def main(arguments: Sequence[str]) -> None:
    """Print what the module's text says; the code's own output goes to standard error."""
    from trainables.descendants import end_with_parent
    from trainables.functions import load
    from trainables.program_errors import FunctionNotFound

    end_with_parent()
    answer = os.dup(1)
    os.dup2(2, 1)
    file, function, folder = arguments
    try:
        model = model_of(load(file, function, Path(folder)))
        found: dict[str, Any] = {"schema": None if model is None else model.model_json_schema()}
    except FunctionNotFound as error:
        found = {"missing": str(error)}
    with os.fdopen(answer, "w", encoding="utf-8") as target:
        json.dump(found, target)


if __name__ == "__main__":
    main(sys.argv[1:])
