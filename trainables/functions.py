"""Loads a train function out of a file that was sent along: ``my_model.py:train``."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from search_spaces.errors import did_you_mean
from trainables.contract import Train
from trainables.program_errors import FunctionNotFound

#: Our own packages, which a module of the code must not be called.
_OURS = ("argbest", "results", "search_spaces", "service", "trainables")


def load(file: str, function: str, folder: Path) -> Train:
    """Import ``file`` of the code in ``folder``, and return its train function.

    The process then works in that folder, whose modules come first. Raises
    :class:`FunctionNotFound`, and whatever the import raises.
    """
    path = folder / file
    if not path.is_file():
        known = sorted(str(found.relative_to(folder)) for found in folder.rglob("*.py"))
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
    return train


def _check_names(folder: Path, path: Path) -> None:
    for name in _OURS:
        for place in {folder, path.parent}:
            if (place / f"{name}.py").exists() or (place / name / "__init__.py").exists():
                raise FunctionNotFound(
                    f"the code has a module {name}, and argbest has one of this name: rename it, "
                    "or run the code as a command"
                )
