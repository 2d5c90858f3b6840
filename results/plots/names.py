"""Names of plots that are unique in a job and safe in URLs and as file names."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from hashlib import sha256
from itertools import count

_ORDINARY = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*")
_MOST_CHARACTERS = 80


def plot_name(name: str, taken: Container[str] = ()) -> str:
    """Return a plot's name for a metric's or a parameter's name.

    An ordinary name (ASCII letters, digits, underscores, single hyphens) is its plot's name. Any
    other one, and one that is ``taken``, gets a digest: ``val/loss`` is ``val_loss--9bf6b042``.
    File systems may ignore case, so ``taken`` holds names in lower case.
    """
    if _is_ordinary(name) and name.lower() not in taken:
        return name
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", name)[:_MOST_CHARACTERS].strip("_-")
    found = (f"{readable or 'plot'}--{_digest(name, attempt)}" for attempt in count())
    return next(candidate for candidate in found if candidate.lower() not in taken)


def plot_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return a plot's name for each of ``names``, none equal to another or to one ``taken``."""
    used = {name.lower() for name in taken}
    found = []
    for name in names:
        found.append(plot_name(name, used))
        used.add(found[-1].lower())
    return found


def _digest(name: str, attempt: int) -> str:
    return sha256(f"{attempt}:{name}".encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _is_ordinary(name: str) -> bool:
    return len(name) <= _MOST_CHARACTERS and _ORDINARY.fullmatch(name) is not None
