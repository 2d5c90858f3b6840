"""Loads a train function out of a file that was sent along: ``my_model.py:train``."""

from __future__ import annotations

import importlib.util
import os
import sys
from itertools import islice
from pathlib import Path

from search_spaces.errors import did_you_mean
from trainables.contract import Train
from trainables.files import walk
from trainables.parameter_models import given_its_model
from trainables.program_errors import FunctionNotFound

#: So many files of the code are looked through for the name that was meant.
_MOST_FILES = 1000
#: Our own packages, which a module of the code must not be called.
_OURS = ("argbest", "results", "search_spaces", "service", "trainables")


def load(file: str, function: str, folder: Path) -> Train:
    """Import ``file`` of the code in ``folder``, and return its train function.

    The process then works in that folder, whose modules come first. A function whose ``config`` is
    annotated by a parameter model gets one (:mod:`trainables.parameter_models`). Raises
    :class:`FunctionNotFound`, and whatever the import raises.
    """
    path = folder / file
    if not path.is_file():
        files = (entry.path for entry in walk(folder) if entry.name.endswith(".py"))
        known = sorted(os.path.relpath(each, folder) for each in islice(files, _MOST_FILES))
        raise FunctionNotFound(f"the code has no file {file}: {did_you_mean(file, known)}")
    _check_names(folder, path)
    os.chdir(folder)
    sys.path[:0] = list(dict.fromkeys(map(str, (path.parent, folder))))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101 - it is a .py file
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    found = getattr(module, function, None)
    if not callable(found):
        known = sorted(n for n, v in vars(module).items() if callable(v) and n[0] != "_")
        what = "no function" if found is None else f"a {type(found).__name__}, not a function,"
        raise FunctionNotFound(f"{file} has {what} {function}: {did_you_mean(function, known)}")
    train: Train = found
    return given_its_model(train)


def _check_names(folder: Path, path: Path) -> None:
    for name in _OURS:
        for place in {folder, path.parent}:
            if (place / f"{name}.py").exists() or (place / name / "__init__.py").exists():
                raise FunctionNotFound(
                    f"the code has a module {name}, and argbest has one of this name: rename it, "
                    "or run the code as a command"
                )
