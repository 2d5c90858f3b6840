"""Writes the curves of a grid that was really trained, the best with further seeds, as one table.

    argbest serve &
    argbest submit q4_grid --wait                      # about 50 minutes on two cores
    python -m tools.grid_table JOB [--url URL] [--top 10] [--seeds 5] [--output FILE]

JOB is a finished grid. Its best configurations run again with the seeds after its own, in a second
job, unless there is one already. All curves go into the table of which ``benchmarks.search`` makes
a problem (:mod:`benchmarks.searches.grid`).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from argbest import Client
from benchmarks.searches.grid import FILE, METRIC, Training, problem, to_bytes
from results.spec import JobSpec
from results.states import FailureKind, Purpose, TrialState
from search_spaces import Budget, Scheduler
from service.client import DEFAULT_URL
from service.schemas import JobView

#: The repository takes no larger table.
MOST_BYTES = 1_000_000


class NoTable(Exception):
    """A job whose curves make no table; the text says why."""


def trainings(client: Client, job: JobView) -> Iterator[Training]:
    """Yield the trainings of a job's search by trial.

    One that diverged has NaN for the epochs that it did not report. Raises :class:`NoTable` where
    another one did not succeed, or did not report every epoch.
    """
    curves = {curve.trial: curve.model_dump() for curve in client.curves(job.id)}
    every = range(1, job.spec["epochs"] + 1)
    for trial in client.trials(job.id):
        if trial.purpose != Purpose.SEARCH:
            continue
        has_diverged = trial.error is not None and trial.error.kind == FailureKind.DIVERGED
        if trial.state != TrialState.SUCCEEDED and not has_diverged:
            raise NoTable(f"job {job.id}: trial {trial.number} is {trial.state}")
        values = curves.get(trial.number, {"epoch": []})
        values.pop("trial", None)
        epochs = values.pop("epoch")
        if epochs != list(every) and not has_diverged:
            raise NoTable(f"job {job.id}: trial {trial.number} has not reported every epoch")
        missing = [math.nan] * (len(every) - len(epochs))
        metrics = {name: [*found, *missing] for name, found in values.items() if None not in found}
        yield Training(trial.parameters, trial.seed, metrics)


def best(found: list[Training], top: int) -> list[Mapping[str, Any]]:
    """Return the parameters of the best trainings, by the last value of the table's metric."""

    def last(one: Training) -> float:
        value = one.metrics.get(METRIC, [math.nan])[-1]
        return -math.inf if math.isnan(value) else value

    ordered = sorted(found, key=last, reverse=True)
    return [one.parameters for one in ordered[:top]]


def further(job: JobView, configurations: list[Mapping[str, Any]], seeds: int) -> dict[str, Any]:
    """Return the request that trains these configurations with ``seeds`` further seeds each."""
    spec = JobSpec.from_json(job.spec)
    space = replace(
        spec.space,
        strategy="random",
        trials=len(configurations),
        enqueue=tuple(dict(one) for one in configurations),
        repeats=seeds,
        scheduler=Scheduler("none"),
        confirm=None,
        budget=Budget(),
    )
    return {
        "search_space": space.to_json(),
        "name": f"{spec.name}, the best with further seeds",
        "seed": spec.seed + 1,
        "resources_per_trial": {"cpu": spec.cpu, "gpu": spec.gpu},
    }


def finished(client: Client, body: Mapping[str, Any]) -> JobView:
    """Return a job that has run ``body``: one that is there, or else a new one."""
    fingerprint = client.plan(body).fingerprint
    for state in ("succeeded", "running", "queued"):
        there = client.jobs(fingerprint=fingerprint, state=state, limit=1).items
        if there:
            return client.wait(there[0].id)
    return client.wait(client.submit(body).id)


def table(client: Client, job_id: str, *, top: int, seeds: int) -> bytes:
    """Return the table of a job; raise :class:`NoTable` where it makes none."""
    job = client.job(job_id)
    if not job.has_succeeded:
        raise NoTable(f"job {job_id} is {job.state}")
    found = list(trainings(client, job))
    if not any(METRIC in one.metrics for one in found):
        raise NoTable(f"job {job_id} has no trial that reported {METRIC}")
    if seeds > 1:
        again = finished(client, further(job, best(found, top), seeds - 1))
        if not again.has_succeeded:
            raise NoTable(f"job {again.id} is {again.state}: {again.error}")
        found += trainings(client, again)
    names = sorted(set.intersection(*(set(one.metrics) for one in found if one.metrics)))
    nothing = [math.nan] * job.spec["epochs"]
    kept = [replace(one, metrics={n: one.metrics.get(n, nothing) for n in names}) for one in found]
    problem("grid/table", kept)  # raises for what is no grid
    return to_bytes(kept)


def main(arguments: list[str]) -> int:
    """Write the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.grid_table", description=__doc__)
    parser.add_argument("job")
    parser.add_argument("--url", default=DEFAULT_URL)
    parser.add_argument("--top", type=int, default=10, help="configurations with further seeds")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of these in all")
    parser.add_argument("--output", type=Path, default=FILE, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        with Client(options.url) as client:
            content = table(client, options.job, top=options.top, seeds=options.seeds)
    except NoTable as error:
        print(error, file=sys.stderr)
        return 1
    if len(content) > MOST_BYTES:
        print(f"the table has {len(content)} bytes, more than {MOST_BYTES}", file=sys.stderr)
        return 1
    options.output.write_bytes(content)
    print(f"wrote {options.output}: {len(content)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
