"""The installed version of argbest."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed_version


@cache
def version() -> str:
    """Return the distribution's version."""
    return installed_version("argbest")
