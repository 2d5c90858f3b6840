"""Writes a finished job of many trials to a store as a driver does, report by report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from results.records import EpochReport, Lease, NewTrial
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import Choice, Range, SearchSpace

#: Trials whose reports make one batch; a driver writes the reports of 0.2 s together.
BATCH_TRIALS = 10

_PARAMETERS = {
    "learning_rate": Range(1e-4, 0.1, default=0.01, log=True),
    "dropout": Range(0.0, 0.6, default=0.1),
    "hidden_size": Choice((100, 200, 400), default=200),
    "optimizer": Choice(("sgd", "adam"), default="sgd"),
}


@dataclass(slots=True)
class Written:
    """The job's id, and the seconds of each write: a batch of reports, a trial's end."""

    job_id: str
    batches: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def write_big_job(store: Store, trials: int, epochs: int) -> Written:
    """Put the job into the store; all other jobs there are ended first."""
    job = store.create_job(
        _spec(trials, epochs),
        fingerprint="big",
        trials=[NewTrial(n, _configuration(n), 42) for n in range(trials)],
    )
    written = Written(job.id)
    lease = _claim(store, written.job_id)
    for first in range(0, trials, BATCH_TRIALS):
        _run(store, lease, range(first, min(first + BATCH_TRIALS, trials)), epochs, written)
    store.finish_job(lease, JobState.SUCCEEDED)
    return written


def _claim(store: Store, job_id: str) -> Lease:
    while lease := store.claim_job("load", 3600):
        if lease.job_id == job_id:
            return lease
        store.finish_job(lease, JobState.SUCCEEDED)
    raise RuntimeError("the job was not there to be claimed")


def _run(store: Store, lease: Lease, numbers: range, epochs: int, written: Written) -> None:
    attempts = {number: store.start_trial(lease, number, node="here") for number in numbers}
    reports = [
        EpochReport(number, attempt, epoch, _metrics(number, epoch), 0.01 * epoch)
        for number, attempt in attempts.items()
        for epoch in range(1, epochs + 1)
    ]
    begun = time.perf_counter()
    store.write_reports(lease, reports)
    written.batches.append(time.perf_counter() - begun)
    for number in numbers:
        begun = time.perf_counter()
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
        written.ends.append(time.perf_counter() - begun)


def _metrics(number: int, epoch: int) -> Mapping[str, float]:
    miss = 0.1 + 0.4 * _spread(number, 0) / epoch
    return {"train_loss": 4 * miss, "validation_accuracy": 1 - miss, "test_accuracy": 0.99 - miss}


def _configuration(number: int) -> Mapping[str, float | int | str]:
    return {
        "learning_rate": 10 ** (-4 + 3 * _spread(number, 0)),
        "dropout": 0.6 * _spread(number, 1),
        "hidden_size": (100, 200, 400)[number % 3],
        "optimizer": ("sgd", "adam")[number % 2],
    }


def _spread(number: int, dimension: int) -> float:
    """Return a number from 0 to 1; those of consecutive trials fill the square evenly.

    Multiples of powers of the plastic number's inverse, as in M. Roberts, "The unreasonable
    effectiveness of quasirandom sequences" (2018).
    """
    return (number + 1) * (0.7548776662466927, 0.5698402909980532)[dimension] % 1


def _spec(trials: int, epochs: int) -> JobSpec:
    space = SearchSpace(
        name="big", title="Big", trainable="torch_feedforward", dataset="fashion_mnist",
        epochs=epochs, metric="validation_accuracy", mode="max", strategy="random", trials=trials,
        parameters=_PARAMETERS,
    )  # fmt: skip
    return JobSpec(name="big", space=space, trials=trials, seed=42)
