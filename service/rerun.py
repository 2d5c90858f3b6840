"""The request that runs one trial of a job again, as a job of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.spec import JobSpec

#: Characters of the first job's name that the new one begins with.
_NAME_LENGTH = 150


def rerun_request(
    job_id: str,
    job_name: str,
    spec: JobSpec,
    *,
    number: int,
    parameters: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Return the body of ``POST /jobs``: the same code, configuration and seed as one trial."""
    body = {
        "search_space": spec.space.fixed_at(parameters).to_json(),
        "name": f"{job_name[:_NAME_LENGTH]}, trial {number} again",
        "seed": seed,
        "resources_per_trial": {"cpu": spec.cpu, "gpu": spec.gpu},
        "time_limit_s": spec.time_limit_s,
        "source": dict(spec.source),
        "tags": {"reproduces": f"{job_id}/{number}"},
    }
    return {key: value for key, value in body.items() if value not in (None, {})}
