"""The costs of the service: latency, throughput, reports and memory, against a bare pool.

Everything is measured over HTTP, on a service of its own with an empty SQLite database, two CPU
slots and no compiled code. Trivial trials train linear regression for one epoch (a millisecond).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import search_spaces
from benchmarks.engines import run_python
from benchmarks.records import BenchmarkError, Figure
from benchmarks.service_process import RunningService, TimedJob, running_service
from service.settings import Settings

WORKERS = 2
FEW, MANY = 12, 50
#: Pause before a trivial job: a driver waits by then, with trial processes that have started.
WARM_SECONDS = 10.0
#: Seconds between polls of a long job, whose client must not slow the training down.
WATCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Extent:
    """The extent of the measurements: ``repeats`` of each, ``epochs`` for a report's cost."""

    repeats: int
    epochs: int
    #: Search space and epochs of the trials whose memory is measured.
    memory: tuple[tuple[str, int], ...]
    #: Search space, epochs and repeats of the trials run both ways; measuring the memory of a
    #: space's trials compiles its code first.
    trainings: tuple[tuple[str, int, int], ...]


QUICK = Extent(2, 1_000, (("q2_neural_regression", 150),), (("q2_neural_regression", 150, 1),))
FULL = Extent(
    5,
    2_000,
    (
        ("q2_neural_regression", 150),
        ("q3_logistic_regression", 5),
        ("q3_mlp", 3),
        ("q4_logistic_regression", 3),
        ("q4_feedforward", 2),
    ),
    (("q2_neural_regression", 150, 3), ("q4_feedforward", 20, 2)),
)


def job_body(space: str, trials: int, epochs: int) -> dict[str, Any]:
    """Return a job over ``trials`` learning rates, from 0.001 downwards, else with defaults."""
    rates = [0.001 / (1 + number) for number in range(trials)]
    fixed = search_spaces.defaults(search_spaces.Library().get(space))
    parameters = {**fixed, "learning_rate": {"values": rates}}
    return {"search_space": space, "strategy": "grid", "epochs": epochs, "parameters": parameters}


def run(settings: Settings, *, quick: bool) -> list[Figure]:
    """Measure everything; raise :class:`BenchmarkError` where the service fails.

    The data sets must be prepared in the folder of ``settings``.
    """
    extent = QUICK if quick else FULL
    with running_service(settings, workers=WORKERS) as service:
        figures = [
            *_start(service),
            *_trivial_jobs(service, extent.repeats),
            *_reports(service, extent),
        ]
        for space, epochs in extent.memory:
            figures += _memory(service, space, epochs)
        for space, epochs, repeats in extent.trainings:
            figures += _overhead(service, space, epochs, repeats)
        return figures


# --- a start and trivial trials ------------------------------------------------------------------


def _start(service: RunningService) -> list[Figure]:
    """The first job finds no waiting Ray process and no compiled code."""
    _note("start, and the first job")
    first = service.time_job(_trivial(1))
    return [
        Figure("`argbest serve` until it takes jobs", "s", (service.start_s,)),
        *_latency("the first job, 1 trivial trial", [first]),
        Figure(
            "memory of the idle service: API, controller, Ray", "MB", (service.pss_bytes() / 1e6,)
        ),
    ]


def _trivial_jobs(service: RunningService, repeats: int) -> list[Figure]:
    timed: dict[int, list[TimedJob]] = {1: [], FEW: [], MANY: []}
    for number in range(repeats):
        for trials, jobs in timed.items():
            _note(f"{trials} trivial trials, {number + 1} of {repeats}")
            time.sleep(WARM_SECONDS)
            jobs.append(service.time_job(_trivial(trials)))
    one, many = ([job.done_s for job in timed[trials]] for trials in (1, MANY))
    further = [per_further_trial(a, b, MANY) for a, b in zip(one, many, strict=True)]
    return [
        *_latency("1 trivial trial", timed[1]),
        *_latency(f"{FEW} trivial trials", timed[FEW]),
        Figure(f"{MANY} trivial trials: submit to done", "s", tuple(many)),
        Figure(f"{MANY} trivial trials", "trials/s", tuple(MANY / s for s in many)),
        Figure("each further trivial trial", "ms", tuple(s * 1e3 for s in further)),
    ]


def per_further_trial(one_s: float, many_s: float, many: int) -> float:
    """Return the seconds that each trial after the first adds to a job of ``many`` trials."""
    return (many_s - one_s) / (many - 1)


def _trivial(trials: int) -> dict[str, Any]:
    return job_body("q2_linear_regression", trials, 1)


def _latency(what: str, jobs: Sequence[TimedJob]) -> list[Figure]:
    return [
        Figure(f"{what}: submit to first report", "s", tuple(job.first_report_s for job in jobs)),
        Figure(f"{what}: submit to done", "s", tuple(job.done_s for job in jobs)),
    ]


# --- the cost of a report ------------------------------------------------------------------------


def _reports(service: RunningService, extent: Extent) -> list[Figure]:
    costs = []
    for number in range(extent.repeats):
        _note(f"{extent.epochs} reports, {number + 1} of {extent.repeats}")
        bodies = [job_body("q2_linear_regression", 1, epochs) for epochs in (1, extent.epochs)]
        served = [service.time_job(body).training_s for body in bodies]
        plans = [service.client.plan(body).model_dump() for body in bodies]
        pools = [bare_pool(plan, service.settings, workers=1) for plan in plans]
        bare = [pool["trials"][0]["seconds"] for pool in pools]
        costs.append(cost_per_report(served, bare, extent.epochs))
    name = f"cost of a report, in the trial, over {extent.epochs} epochs"
    return [Figure(name, "ms", tuple(cost * 1e3 for cost in costs))]


def cost_per_report(served_s: Sequence[float], bare_s: Sequence[float], epochs: int) -> float:
    """Return the seconds that the service adds to an epoch.

    Each pair has the training seconds of 1 epoch and of ``epochs``: the difference leaves out
    one-time costs, like loading compiled code.
    """
    served, bare = ((many - one) / (epochs - 1) for one, many in (served_s, bare_s))
    return served - bare


# --- memory --------------------------------------------------------------------------------------


def _memory(service: RunningService, space: str, epochs: int) -> list[Figure]:
    """Peaks of proportional set sizes: of a trial that compiles its code, of one more, of two."""
    _note(f"memory of one trial and of two of {space}")
    compiling, one, two = (
        service.time_job(job_body(space, trials, epochs), sample_memory=True).trial_pss_bytes / 1e6
        for trials in (1, 1, 2)
    )
    return [
        Figure(f"memory (PSS) of a trial, {space}", "MB", (one,)),
        Figure(f"memory (PSS) of a trial, {space}: compiling first", "MB", (compiling,)),
        Figure(f"memory (PSS) of a trial, {space}: what a second one adds", "MB", (two - one,)),
    ]


# --- against a bare pool -------------------------------------------------------------------------


def _overhead(service: RunningService, space: str, epochs: int, repeats: int) -> list[Figure]:
    """Time the same trials both ways, in turn."""
    body = job_body(space, FEW, epochs)
    plan = service.client.plan(body).model_dump()
    bare, served = [], []
    for number in range(repeats):
        _note(f"{FEW} trials of {space}, bare and served, {number + 1} of {repeats}")
        pool = bare_pool(plan, service.settings, workers=WORKERS)
        job = service.time_job(body, poll_seconds=WATCH_SECONDS)
        check_same_results(pool["trials"], [trial.model_dump() for trial in job.trials])
        bare.append(Walls(pool["wall_s"], sum(trial["seconds"] for trial in pool["trials"])))
        served.append(Walls(job.recorded_s, job.training_s))
    return overhead_figures(f"{FEW} x {space}, {epochs} epochs", bare, served)


@dataclass(frozen=True, slots=True)
class Walls:
    """The seconds that some trials took in all, and the sum of their training seconds."""

    wall_s: float
    training_s: float

    @property
    def per_training(self) -> float:
        """The wall time as a multiple of the training seconds spread over all workers."""
        return self.wall_s * WORKERS / self.training_s


def overhead_figures(what: str, bare: Sequence[Walls], served: Sequence[Walls]) -> list[Figure]:
    """Compare runs of the same trials in a bare pool and in the service, pair by pair."""
    ratios = (b.wall_s / a.wall_s for a, b in zip(bare, served, strict=True))
    shared = f"training seconds / {WORKERS}"
    return [
        Figure(f"{what}: bare pool of {WORKERS}", "s", tuple(run.wall_s for run in bare)),
        Figure(f"{what}: service, submit to done", "s", tuple(run.wall_s for run in served)),
        Figure(f"{what}: service / bare pool", "", tuple(ratios)),
        Figure(f"{what}: bare pool / ({shared})", "", tuple(run.per_training for run in bare)),
        Figure(f"{what}: service / ({shared})", "", tuple(run.per_training for run in served)),
    ]


def check_same_results(
    bare: Sequence[Mapping[str, Any]], served: Sequence[Mapping[str, Any]]
) -> None:
    """Raise :class:`BenchmarkError` unless both ways gave every trial the same last metrics."""
    differing = [
        n for n, (a, b) in enumerate(zip(bare, served, strict=True)) if a["metrics"] != b["metrics"]
    ]
    if differing:
        raise BenchmarkError(f"service and bare pool differ in the results of trials {differing}")


def bare_pool(plan: Mapping[str, Any], settings: Settings, *, workers: int) -> Any:
    """Run a plan's trials with :mod:`benchmarks.bare_pool` and return its answer.

    They see no GPU, like trials of the service that ask for none.
    """
    with TemporaryDirectory(prefix="argbest-bench-") as name:
        job, output = Path(name) / "job.json", Path(name) / "output.json"
        job.write_text(json.dumps(plan), encoding="utf-8")
        arguments = ["--job", str(job), "--workers", str(workers), "--output", str(output)]
        environment = settings.environment() | {"CUDA_VISIBLE_DEVICES": ""}
        run_python("benchmarks.bare_pool", *arguments, environment=environment)
        return json.loads(output.read_text(encoding="utf-8"))


def _note(text: str) -> None:
    print(f"service: {text}", file=sys.stderr, flush=True)
