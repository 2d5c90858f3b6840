"""Checks that the data folder has room for what a job writes."""

from __future__ import annotations

import shutil

from service.settings import Settings


def disk_problem(settings: Settings) -> str | None:
    """Return why no new job can be taken, None if one can."""
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:  # the folder was removed, or its volume is not there
        return f"the data folder {settings.data_dir} cannot be used: {error.strerror}"
    if free >= settings.min_free_bytes:
        return None
    return f"only {free // 2**20} MiB are free in {settings.data_dir}"
