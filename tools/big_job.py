"""A finished job of many trials, written to a store as a driver writes it, report by report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from results.records import EpochReport, Lease, NewTrial
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store.base import Store

#: Trials whose reports make one batch; a driver writes what it has gathered for 0.2 s.
BATCH_TRIALS = 10

_PARAMETERS = {
    "learning_rate": {"low": 1e-4, "high": 0.1, "log": True, "type": "float"},
    "dropout": {"low": 0.0, "high": 0.6, "log": False, "type": "float"},
    "hidden_size": {"values": [100, 200, 400]},
    "optimizer": {"values": ["sgd", "adam"]},
}


@dataclass(slots=True)
class Written:
    """The job's id, and what each write took, in seconds: a batch of reports, a trial's end."""

    job_id: str
    batches: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)


def write_big_job(store: Store, trials: int, epochs: int) -> Written:
    """Put the job into the store; all other jobs there are ended first."""
    job = store.create_job(
        name="big", spec=_spec(trials, epochs).to_json(), fingerprint="big", planned_trials=trials,
        trials=[NewTrial(n, _configuration(n), 42) for n in range(trials)],
    )  # fmt: skip
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
    return JobSpec(
        name="big", title="Big", description="", search_space="big", trainable="torch_feedforward",
        dataset="fashion_mnist", epochs=epochs, metric="validation_accuracy", mode="max",
        strategy="random", parameters=_PARAMETERS, trials=trials, seed=42,
        max_concurrent_trials=None, cpu=1, gpu=0, time_limit_s=None, max_failures=0,
    )  # fmt: skip
