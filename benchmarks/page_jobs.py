"""Jobs of very many trials, written by the store's own functions, as a driver writes them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import islice

from results.records import EpochReport, JobRecord, Lease, NewTrial
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store import Store
from results.store.batch import FinishTrial, Reports, StartTrial
from search_spaces import SearchSpace

METRICS = ("train_loss", "validation_accuracy", "test_accuracy")
#: Trials that are written in one transaction.
BATCH = 25
LEASE_SECONDS = 3600


def space(epochs: int) -> SearchSpace:
    """Return a space of six parameters of several kinds, whose metric is an accuracy."""
    return SearchSpace.from_stored({
        "name": "many", "title": "Many trials", "trainable": "torch_feedforward",
        "dataset": "fashion_mnist", "epochs": epochs, "metric": "validation_accuracy",
        "mode": "max", "strategy": "random", "trials": 2,
        "parameters": {
            "learning_rate": {"low": 1e-5, "high": 0.1, "log": True},
            "dropout": {"low": 0.0, "high": 0.6},
            "hidden_size": {"low": 16, "high": 512, "type": "int"},
            "activation": {"values": ["relu", "tanh"], "default": "relu"},
            "optimizer": {"values": ["sgd", "adam"], "default": "sgd"},
            "layers": {"values": [1, 2, 3], "default": 1},
            "l2_decay": 0.0, "batch_size": 1,
        },
    })  # fmt: skip


def new_trials(number: int) -> list[NewTrial]:
    """Return configurations, the same ones each time."""
    drawn = random.Random(number)
    return [
        NewTrial(
            one,
            {
                "learning_rate": 10 ** drawn.uniform(-5, -1),
                "dropout": drawn.uniform(0, 0.6),
                "hidden_size": drawn.randint(16, 512),
                "activation": drawn.choice(["relu", "tanh"]),
                "optimizer": drawn.choice(["sgd", "adam"]),
                "layers": drawn.choice([1, 2, 3]),
                "l2_decay": 0.0,
                "batch_size": 1,
            },
            42,
        )
        for one in range(number)
    ]


def report(trial: NewTrial, epoch: int) -> EpochReport:
    """Return what a trial reports after an epoch: curves that level off, with some noise."""
    rate, number = trial.parameters["learning_rate"], trial.number
    best = 0.92 - 0.03 * (math.log10(rate) + 2.5) ** 2 - 0.1 * trial.parameters["dropout"] ** 2
    noise = random.Random(number * 1_000_003 + epoch).gauss(0, 0.004)
    accuracy = max(0.05, best * (1 - math.exp(-epoch / 12)) + noise)
    values = (2.3 * (1 - accuracy) + 0.02, accuracy, accuracy - 0.01)
    metrics = dict(zip(METRICS, values, strict=True))
    return EpochReport(number, 0, epoch, metrics, 0.5 * epoch, "compiled")


def make_job(store: Store, trials: int, epochs: int) -> tuple[JobRecord, list[NewTrial], Lease]:
    """Accept a job of so many trials and claim it."""
    new = new_trials(trials)
    spec = JobSpec(name=f"{trials:,} trials", space=space(epochs), trials=trials, seed=1)
    job = store.create_job(spec, fingerprint=f"{trials}", trials=new)
    lease = store.claim_job("benchmark", LEASE_SECONDS)
    assert lease is not None
    return job, new, lease


def fill(store: Store, trials: int, epochs: int) -> JobRecord:
    """Write a whole job: nine of ten trials succeed, the others stop or fail on their way."""
    job, new, lease = make_job(store, trials, epochs)
    for some in batches(new):
        moves: list[StartTrial | Reports | FinishTrial] = []
        for trial in some:
            state = _state(trial.number)
            last = epochs if state is TrialState.SUCCEEDED else 1 + trial.number % epochs
            reports = [report(trial, epoch) for epoch in range(1, last + 1)]
            moves += [
                StartTrial(trial.number, "here"), Reports(reports),
                FinishTrial(trial.number, state),
            ]  # fmt: skip
        store.write(lease, moves)
    store.finish_job(lease, JobState.SUCCEEDED)
    return store.job(job.id)


def _state(number: int) -> TrialState:
    if number % 12 == 5:
        return TrialState.STOPPED
    return TrialState.FAILED if number % 50 == 7 else TrialState.SUCCEEDED


def batches(trials: list[NewTrial]) -> Iterator[list[NewTrial]]:
    """Yield the trials in the parts in which they are written."""
    rest = iter(trials)
    while some := list(islice(rest, BATCH)):
        yield some
