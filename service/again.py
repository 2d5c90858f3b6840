"""The requests that make a job again, or one of its trials as a job of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.records import JobRecord
from results.spec import JobSpec

#: Characters of the first job's name that the new one begins with.
_NAME_LENGTH = 150


def request_of(job: JobRecord) -> dict[str, Any]:
    """Return the body of ``POST /jobs`` that makes the same job, to be changed before it is sent.

    The search space is whole and inline, with all that the job replaced in it. Tags and priority
    are those of now. A data set is named: where another one has taken its name since, that counts.
    """
    spec = job.spec
    body = {
        "search_space": spec.space.to_json(),
        "name": job.name,
        "seed": spec.seed,
        "max_concurrent_trials": spec.max_concurrent_trials,
        "resources_per_trial": {"cpu": spec.cpu, "gpu": spec.gpu},
        "time_limit_s": spec.time_limit_s,
        "max_failures": spec.max_failures,
        "priority": job.priority,
        "keep": spec.keep,
        "tags": dict(job.tags),
        "source": dict(spec.source),
    }
    return _given(body)


def request_of_trial(
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
    return _given(body)


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value not in (None, {})}
