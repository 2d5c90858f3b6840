"""Generated jobs of every kind: states, strategies, domains, missing and extreme values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import strategies as st

from results.analysis import JobResults
from results.ranking import ranked
from results.records import BestTrial, Curve, Failure, JobRecord, Progress, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, JobState, Purpose, TrialState
from search_spaces import STRATEGIES
from trainables.contract import Metric

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

#: Some metrics have names like those of our own plots; some differ in case only.
METRIC_NAMES = (
    "train_loss", "validation_loss", "test_loss", "loss", "Loss", "val/loss", "test/loss", "_",
    "train loss", "a.b", "höhe", "parameters", "history", "parameter_a", "x" * 200, "train", "val",
    "test/", "..", "a/../b", "%2e", "<b>", "a\\b", "?a=b#c",
)  # fmt: skip
PARAMETER_NAMES = ("a", "A", "model.optimizer.lr", "num-layers", "p" * 64)
VALUES = (
    None, True, False, 3, -7, 0.1, 1e-300, "", "relu", "$\\frac{$", "日本語", "null", [1], [],
    [64, 64], "t" * 200, "t" * 199 + "u",
)  # fmt: skip
DOMAINS = (
    {"low": 1e-5, "high": 1.0, "log": True, "default": 1e-3},
    {"low": 1e-300, "high": 1e300, "log": True, "default": 1.0},
    {"low": -8e307, "high": 8e307, "default": 0.0},
    {"low": 2, "high": 2, "type": "int", "default": 2},
    {"low": 1, "high": 2**53 - 1, "type": "int", "log": True, "default": 1},
    {"low": 0.0, "high": 1.0, "step": 0.25, "default": 0.5},
    {"values": list(range(60)), "default": 0},
    {"values": [1e-7, 1e-3, 10.0], "default": 1e-7},
    1,
    "x",
)
#: Values of metrics, finite and others.
NUMBERS = (
    0.0, -0.0, 0.5, 0.5000001, -3.0, 1e-7, 12345.678, 1e99, 1e300, -1e308, 5e-324, 1e-99,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip


def job_results() -> st.SearchStrategy[JobResults]:
    """Return jobs with trials and curves as a store may hold them.

    They are drawn from a seed: Hypothesis itself would mostly draw small and simple jobs.
    """
    return st.integers(0, 2**32 - 1).map(lambda seed: random_job(Random(seed)))


def random_job(random: Random) -> JobResults:
    """Return a job of any kind."""
    names = random.sample(METRIC_NAMES, random.randint(1, 5))
    parameters = {
        name: _domain(random) for name in random.sample(PARAMETER_NAMES, random.randint(0, 4))
    }
    mode = random.choice(["min", "max"])
    tame = random.random() < 0.7
    runs = [
        _run(random, number, names, parameters, tame=tame)
        for number in range(random.choice([0, 1, 2, 3, 12, 12, 30]))
    ]
    trials, curves = [trial for trial, _ in runs], [curve for _, curve in runs if curve.epochs]
    if random.random() < 0.3:
        trials = _confirming(random, trials)
    spec = JobSpec.from_json(
        {"name": "job", "search_space": "space", "trainable": "t", "dataset": "d", "epochs": 4,
         "metric": names[0], "mode": mode, "strategy": random.choice(STRATEGIES),
         "parameters": parameters, "trials": max(1, len(trials)), "seed": 0}
    )  # fmt: skip
    metrics = {name: _metric(random, name) for name in names if random.random() < 0.6}
    job = JobRecord(
        "id", "job", random.choice(list(JobState)), spec, "", Progress(len(trials), 0, 0, 0, 0, 0),
        _best(trials, names[0], mode) if random.random() < 0.8 else None, None, START, START, None,
    )  # fmt: skip
    return JobResults.of(job, trials, curves, metrics)


def _confirming(random: Random, trials: list[TrialRecord]) -> list[TrialRecord]:
    """Let the second half of the trials confirm those of the first, with three seeds."""
    half = (len(trials) + 1) // 2
    confirming = [
        replace(t, purpose=Purpose.CONFIRM, configuration=random.randrange(half), seed=n % 3)
        for n, t in enumerate(trials[half:])
    ]
    return [*trials[:half], *confirming]


def _domain(random: Random) -> Any:
    if random.random() < 0.4:
        values = random.sample(VALUES, random.randint(1, 5))
        return {"values": values, "default": values[0]}
    return random.choice(DOMAINS)


def _value(random: Random, domain: Any) -> Any:
    if not isinstance(domain, dict):
        return domain
    if "values" in domain:
        return random.choice(domain["values"])
    if domain.get("type") == "int" or "step" in domain or domain["high"] > 1:
        return random.choice([domain["low"], domain["default"], domain["high"]])
    return domain["low"] + random.random() * (domain["high"] - domain["low"])


def _metric(random: Random, name: str) -> Metric:
    return Metric(
        name,
        random.choice([name, "Loss (of a kind)", "L" * 200]),
        random.choice(["min", "max", ""]),
        random.choice(["train", "validation", "test", "none"]),
        random.choice(["", "nats"]),
        random.choice(["after", "during"]),
    )


def _run(
    random: Random, number: int, names: list[str], parameters: dict[str, Any], *, tame: bool
) -> tuple[TrialRecord, Curve]:
    state = random.choice([TrialState.SUCCEEDED] * 6 + list(TrialState))
    epochs = tuple(range(1, random.choice([0, 1, 4, 4]) + 1))
    columns: dict[str, tuple[float | None, ...]] = {
        name: tuple(random.random() if tame else random.choice(NUMBERS) for _ in epochs)
        for name in names
        if random.random() < 0.9
    }
    # Some metrics are reported at every second epoch.
    columns |= {
        name: tuple(None if at % 2 else value for at, value in enumerate(values))
        for name, values in columns.items()
        if random.random() < 0.2
    }
    trial = TrialRecord(
        number,
        state,
        {name: _value(random, d) for name, d in parameters.items() if random.random() < 0.9},
        0,
        {
            name: [v for v in values if v is not None][-1]
            for name, values in columns.items()
            if values
        },
        len(epochs),
        error=Failure(FailureKind.DIVERGED, "NaN") if state is TrialState.FAILED else None,
    )
    return trial, Curve(number, epochs, columns)


def _best(trials: list[TrialRecord], metric: str, mode: str) -> BestTrial | None:
    for trial, score in ranked(trials, metric, mode):
        return BestTrial(trial.number, trial.parameters, metric, score, trial.metrics)
    return None
