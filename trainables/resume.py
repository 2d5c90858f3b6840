"""Reads the state that a built-in trainable is to resume, and refuses one that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.state_files import StateError


def check_state(state: Mapping[str, Any], trainable: str, names: Iterable[str]) -> None:
    """Raise ``StateError`` unless the state is of ``trainable`` and has exactly these names."""
    found = state.get("trainable")
    if found != trainable:
        raise StateError(f"the state to resume is of trainable {found!r}, not {trainable!r}")
    check_names(state, {"trainable", "epoch", *names}, "the state to resume")


def check_names(values: Any, names: Iterable[str], what: str) -> None:
    """Raise ``StateError`` unless ``values`` is a mapping with exactly these keys."""
    if not isinstance(values, Mapping):
        raise StateError(f"{what} is of type {type(values).__name__}, but must be a dict")
    missing, surplus = {*names} - values.keys(), values.keys() - {*names}
    if missing or surplus:
        lacks = f" lacks {_listed(missing)}" if missing else ""
        has = f" has {_listed(surplus)}" if surplus else ""
        both = " and" if lacks and has else ""
        raise StateError(f"{what}{lacks}{both}{has}: it is of another configuration")


def whole(state: Mapping[str, Any], name: str, highest: int) -> int:
    """Return a whole number from 0 to ``highest``; raise ``StateError`` for anything else."""
    value = state.get(name)
    if type(value) is not int or not 0 <= value <= highest:
        shown = repr(value)[:50]
        message = f"{name!r} of the state to resume is {shown}, but must be 0 to {highest}"
        raise StateError(message)
    return value


def array(
    state: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: type[np.generic]
) -> NDArray[Any]:
    """Return the array called ``name``; raise ``StateError`` for another shape or dtype."""
    value = np.asarray(state[name])
    if value.shape != shape or value.dtype != dtype:
        raise StateError(
            f"{name!r} of the state to resume is {value.dtype} of shape {value.shape}, but this "
            f"configuration has {np.dtype(dtype)} of shape {shape}"
        )
    return value


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(sorted(repr(name)[:50] for name in names))
