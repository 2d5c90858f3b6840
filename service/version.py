"""The installed version of argbest, and what to do about a database of another one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed_version

#: What is said of a schema that is not the one this version works with.
OTHER_SCHEMA = (
    "the database's schema is missing or of another version of argbest: starting the service "
    "brings an older one up to date; for a newer one, install the argbest that made it"
)


@cache
def version() -> str:
    """Return the distribution's version."""
    return installed_version("argbest")
