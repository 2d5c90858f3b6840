"""Reads the parameter model of a train function out of its code, in a process of its own."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from service.cli.output import note
from service.cli.text import clean

#: Importing torch from a cold disk takes 20 s. Code that trains when it is imported takes longer.
_IMPORT_SECONDS = 60.0
#: Annotations that are no model; code without another one is not run.
_PLAIN = ("Any", "dict", "Mapping", "object")
_SCHEMA = "parameters_schema"


def with_parameters(declared: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a space in JSON with the schema of its function's parameters, to be checked by.

    ``folder`` holds the code. A space that names no function, or has a schema, stays as it is, and
    so does one whose function has no model. Where the code cannot be imported here, a note says
    why: the trials' machines may have what it needs. A function that is not there is a usage error.
    """
    from search_spaces import function_of

    named = declared.get("trainable")
    found = function_of(named) if isinstance(named, str) else None
    if found is None or _SCHEMA in declared or not _may_have_model(folder / found[0], found[1]):
        return dict(declared)
    schema = _schema(*found, folder)
    return {**declared, **({} if schema is None else {_SCHEMA: schema})}


def _may_have_model(path: Path, function: str) -> bool:
    """Whether only an import can tell: no where ``config`` has no annotation of that kind."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):  # the import says what is wrong
        return True
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function and not node.decorator_list:
            annotations = [one.annotation for one in (*node.args.posonlyargs, *node.args.args)[:1]]
            return any(map(_may_be_model, annotations))
    return True


def _may_be_model(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.Constant):
        return True
    if isinstance(annotation, ast.Name):
        return annotation.id not in _PLAIN
    return isinstance(annotation, ast.Attribute) and annotation.attr not in _PLAIN


def _schema(file: str, function: str, folder: Path) -> dict[str, Any] | None:
    from search_spaces import SearchSpaceError, read_schema

    try:
        answer = _answer(file, function, folder)
        if "missing" in answer:
            raise click.UsageError(clean(f"code: {answer['missing']}"))
        schema = answer["schema"]
        return None if schema is None else read_schema(schema, f"/{_SCHEMA}")
    except (ValueError, SearchSpaceError) as error:
        reason = f"as its model cannot be read here: {error}"
        note(clean(f"parameters: checked by {file} alone, in the trials, {reason}"))
        return None


def _answer(file: str, function: str, folder: Path) -> Mapping[str, Any]:
    """Return what :mod:`trainables.parameter_models` prints; raise ``ValueError`` if it fails."""
    from trainables.environment import passed_on

    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "trainables.parameter_models", file, function, str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
        env={
            **passed_on(os.environ), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )  # fmt: skip
    with process:
        try:
            printed, errors = process.communicate(timeout=_IMPORT_SECONDS)
        except subprocess.TimeoutExpired:
            raise ValueError(f"its import takes more than {_IMPORT_SECONDS:g} s") from None
        finally:
            with suppress(ProcessLookupError, PermissionError):  # it has ended
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ValueError(last or f"the process ended with status {process.returncode}")
    answer: Mapping[str, Any] = json.loads(printed)
    return answer
