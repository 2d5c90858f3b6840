"""Jobs as the store would hand them over, with curves from closed formulas (no randomness)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import search_spaces
from results.records import BestTrial, Curve, Failure, JobRecord, Progress, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, JobState, Purpose, TrialState
from trainables.contract import Metric

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

CLASSIFICATION = {
    "train_loss": Metric(
        "train_loss", "Training loss (cross-entropy)", "min", "train", "nats", "during"
    ),
    "validation_accuracy": Metric(
        "validation_accuracy", "Validation accuracy", "max", "validation"
    ),
    "test_accuracy": Metric("test_accuracy", "Test accuracy", "max", "test"),
}
REGRESSION = {
    "train_rmse": Metric("train_rmse", "Training RMSE", "min", "train", "log price"),
    "test_rmse": Metric("test_rmse", "Test RMSE", "min", "test", "log price"),
    "distance_to_analytic": Metric(
        "distance_to_analytic",
        "Distance to the analytic solution (Euclidean)",
        "min",
        "none",
    ),
}

FEEDFORWARD_PARAMETERS: dict[str, Any] = {
    "learning_rate": {"values": [0.001, 0.01, 0.1], "default": 0.01},
    "hidden_size": {"values": [100, 200], "default": 200},
    "dropout": {"values": [0.3, 0.5], "default": 0.3},
    "activation": {"values": ["relu", "tanh"], "default": "relu"},
    "optimizer": {"values": ["sgd", "adam"], "default": "sgd"},
    "layers": 1,
    "batch_size": 1,
}

CurveOf = Callable[[Mapping[str, Any], int], dict[str, float]]


class Fake(NamedTuple):
    """The four arguments of everything that reads results."""

    job: JobRecord
    trials: tuple[TrialRecord, ...]
    curves: tuple[Curve, ...]
    metrics: Mapping[str, Metric]


def make(
    spec: Mapping[str, Any] | JobSpec,
    configurations: Sequence[Mapping[str, Any]],
    curve_of: CurveOf,
    metrics: Mapping[str, Metric],
    failed: Mapping[int, Failure] | None = None,
    **changes: Any,
) -> Fake:
    """Run ``curve_of(parameters, epoch)`` for each configuration; ``failed`` ones stop half way."""
    failed = failed or {}
    spec = spec.to_json() if isinstance(spec, JobSpec) else spec
    trials, curves = [], []
    for number, parameters in enumerate(configurations):
        last = max(1, spec["epochs"] // 2) if number in failed else spec["epochs"]
        rows = [curve_of(parameters, epoch) for epoch in range(1, last + 1)]
        curves.append(
            Curve(
                number,
                tuple(range(1, last + 1)),
                {name: tuple(row[name] for row in rows) for name in rows[0]},
            )
        )
        trials.append(
            TrialRecord(
                number=number,
                state=TrialState.FAILED if number in failed else TrialState.SUCCEEDED,
                parameters=parameters,
                seed=42,
                metrics=rows[-1],
                epochs=last,
                seconds=1.5 * last,
                node="node-a",
                attempt=1,
                error=failed.get(number),
                started_at=START,
                finished_at=START + timedelta(seconds=1.5 * last),
            )
        )
    return Fake(_job(spec, trials, **changes), tuple(trials), tuple(curves), metrics)


def with_scores(*scores: float, mode: str = "min") -> Fake:
    """Trials with ``lr`` 1, 2, ... and these last values."""
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 1, "metric": "m",
        "mode": mode, "strategy": "grid", "seed": 42,
        "parameters": {"lr": {"values": list(range(1, len(scores) + 1)), "default": 1}},
    }  # fmt: skip
    configurations = [{"lr": n} for n in range(1, len(scores) + 1)]
    return make(spec, configurations, lambda p, _: {"m": scores[p["lr"] - 1]}, {})


def ranged(scores: Sequence[float]) -> Fake:
    """Trials of a sampled search with ``lr`` 1, 2, ... and these last values, lower is better."""
    spec = _spec(
        "s", "S", "t", metric="m", mode="min", strategy="tpe", epochs=1,
        parameters={"lr": {"low": 1, "high": len(scores)}},
    )  # fmt: skip
    configurations = [{"lr": n} for n in range(1, len(scores) + 1)]
    return make(spec, configurations, lambda p, _: {"m": scores[p["lr"] - 1]}, {})


def confirming(
    fake: Fake, values: Mapping[int, Sequence[float | None]], defaults: Sequence[float | None] = ()
) -> Fake:
    """Return the job with trials that ran configurations again with the seeds 43, 44, ...

    ``values`` are their last values by configuration, None for a trial that diverged; ``defaults``
    those of a default configuration that the search did not run.
    """
    first = len(fake.trials)
    rows = [
        (configuration, fake.trials[configuration].parameters, place, value)
        for configuration, row in values.items()
        for place, value in enumerate(row)
    ]
    parameters = search_spaces.defaults(fake.job.spec.space)
    own = first + len(rows)
    rows += [(own, parameters, place, value) for place, value in enumerate(defaults)]
    trials = [
        replace(
            fake.trials[0],
            number=number,
            configuration=configuration,
            purpose=Purpose.CONFIRM,
            parameters=parameters,
            seed=43 + place,
            state=TrialState.FAILED if value is None else TrialState.SUCCEEDED,
            error=DIVERGED if value is None else None,
            metrics={}
            if value is None
            else {fake.job.spec.space.metric: value, "test_accuracy": value - 0.01},
        )
        for number, (configuration, parameters, place, value) in enumerate(rows, start=first)
    ]
    return fake._replace(trials=(*fake.trials, *trials))


def repeated(fake: Fake, repeats: int) -> Fake:
    """Return the job as if each so many of its trials were one configuration with further seeds."""
    trials = [
        replace(
            trial,
            configuration=trial.number - trial.number % repeats,
            seed=42 + trial.number % repeats,
            parameters=fake.trials[trial.number - trial.number % repeats].parameters,
        )
        for trial in fake.trials
    ]
    return fake._replace(job=with_spec(fake.job, repeats=repeats), trials=tuple(trials))


def stopped(fake: Fake, *numbers: int, epochs: int = 1) -> Fake:
    """Return the job with these trials stopped after so many epochs."""
    trials = [
        replace(trial, state=TrialState.STOPPED, epochs=epochs)
        if trial.number in numbers
        else trial
        for trial in fake.trials
    ]
    return fake._replace(trials=tuple(trials))


def ended_early(fake: Fake, *whole: int, state: TrialState = TrialState.STOPPED) -> Fake:
    """Return the job with all trials but ``whole`` and the failed ones ended after epoch 1.

    Its best trial is the first of ``whole``, none without any.
    """
    kept = {t.number for t in fake.trials if t.number in whole or t.state is TrialState.FAILED}
    curves = tuple(
        curve if curve.trial in kept else replace(
            curve, epochs=(1,), metrics={name: v[:1] for name, v in curve.metrics.items()}
        )
        for curve in fake.curves
    )  # fmt: skip
    first = [{name: v[0] for name, v in curve.metrics.items()} for curve in curves]
    trials = tuple(
        t if t.number in kept else replace(t, state=state, epochs=1, metrics=first[t.number])
        for t in fake.trials
    )
    best = None
    if whole and fake.job.best is not None:
        found, metric = fake.trials[whole[0]], fake.job.spec.space.metric
        best = BestTrial(found.number, found.parameters, metric, found.metrics[metric],
                         found.metrics)  # fmt: skip
    return fake._replace(job=replace(fake.job, best=best), trials=trials, curves=curves)


def with_spec(job: JobRecord, **members: Any) -> JobRecord:
    """Return the job with some members of its specification's JSON changed."""
    return replace(job, spec=JobSpec.from_json({**job.spec.to_json(), **members}))


def _job(spec: Mapping[str, Any], trials: Sequence[TrialRecord], **changes: Any) -> JobRecord:
    scored = [trial for trial in trials if trial.state is TrialState.SUCCEEDED]
    pick = max if spec["mode"] == "max" else min
    best = pick(scored, key=lambda trial: trial.metrics[spec["metric"]]) if scored else None
    values: dict[str, Any] = {
        "id": "01JNX5Q0000000000000000000",
        "name": spec["name"],
        "state": JobState.SUCCEEDED,
        "spec": JobSpec.from_json({"search_space": spec["name"], "trials": len(trials), **spec}),
        "fingerprint": "0" * 64,
        "progress": Progress(
            trials=len(trials),
            finished=len(trials),
            failed=len(trials) - len(scored),
            running=0,
            epochs_done=sum(trial.epochs for trial in trials),
            epochs_total=len(trials) * spec["epochs"],
        ),
        "best": best
        and BestTrial(
            best.number,
            best.parameters,
            spec["metric"],
            best.metrics[spec["metric"]],
            best.metrics,
        ),
        "error": None,
        "created_at": START - timedelta(seconds=2),
        "started_at": START,
        "finished_at": START + timedelta(seconds=90),
    }
    return JobRecord(**values | changes)


def _spec(name: str, title: str, trainable: str, **changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "name": name,
        "title": title,
        "trainable": trainable,
        "dataset": "fashion_mnist",
        "epochs": 20,
        "metric": "validation_accuracy",
        "mode": "max",
        "strategy": "single",
        "parameters": {},
        "seed": 42,
    }
    return spec | changes


def classification_curve(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
    """Loss falls; accuracy peaks at epoch 14 and loses 0.0001 per epoch after it."""
    # Best between 0.001 and 0.01, nearer to 0.001.
    rate = abs(math.log10(parameters["learning_rate"]) + 2.7)
    size = parameters.get("hidden_size", 200) / 10000
    drop = parameters.get("dropout", 0.3) / 50
    adam = 0.03 if parameters.get("optimizer") == "adam" else 0.0
    tanh = 0.004 if parameters.get("activation") == "tanh" else 0.0
    depth = 0.002 * (parameters.get("layers", 1) - 1)
    peak = 0.885 - 0.02 * rate + size - drop - adam - tanh + depth
    accuracy = peak - 0.12 * math.exp(-epoch / 3) - 0.0006 * max(0, epoch - 14)
    return {
        "train_loss": 0.25 + 0.9 * math.exp(-epoch / 5) + 0.1 * rate + adam,
        "validation_accuracy": accuracy,
        "test_accuracy": accuracy - 0.007,
    }


def feedforward(epochs: int = 20, failed: Mapping[int, Failure] | None = None) -> Fake:
    """Q4.2: seven trials, one parameter at a time; trial 1 (learning rate 0.001) is best."""
    defaults = {
        name: domain["default"] if isinstance(domain, dict) else domain
        for name, domain in FEEDFORWARD_PARAMETERS.items()
    }
    configurations = [defaults]
    for name, domain in FEEDFORWARD_PARAMETERS.items():
        others = domain["values"] if isinstance(domain, dict) else []
        configurations += [defaults | {name: v} for v in others if v != domain["default"]]
    spec = _spec(
        "q4_feedforward",
        "Feed-forward network with one hidden layer (Q4.2)",
        "torch_feedforward",
        epochs=epochs,
        strategy="one_at_a_time",
        parameters=FEEDFORWARD_PARAMETERS,
    )
    return make(spec, configurations, classification_curve, CLASSIFICATION, failed)


DIVERGED = Failure(FailureKind.DIVERGED, "train_loss became NaN in epoch 11", "Traceback ...")


def grid(epochs: int = 3, failed: Mapping[int, Failure] | None = None) -> Fake:
    """The full grid: 144 trials over six parameters."""
    layers = {"layers": {"values": [1, 2, 3], "default": 1}}
    parameters = FEEDFORWARD_PARAMETERS | layers
    domains = {k: d["values"] for k, d in parameters.items() if isinstance(d, dict)}
    configurations = [
        dict(zip(domains, values, strict=True)) | {"batch_size": 1}
        for values in itertools.product(*domains.values())
    ]
    spec = _spec(
        "q4_grid",
        "The full grid",
        "torch_feedforward",
        epochs=epochs,
        strategy="grid",
        parameters=parameters,
    )
    return make(spec, configurations, classification_curve, CLASSIFICATION, failed)


def regression_curve(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
    """Test error is lowest at epoch 71, as published for the linear model."""
    return {
        "train_rmse": 0.11 + 0.2 * math.exp(-epoch / 20),
        "test_rmse": 0.195 + 0.043 * ((epoch - 71) / 79) ** 2,
        "distance_to_analytic": 2.6 * math.exp(-epoch / 120),
    }


def regression(epochs: int = 150) -> Fake:
    """Q2.2a: one trial of linear regression."""
    spec = _spec(
        "q2_linear_regression",
        "Linear regression on Ames (Q2.2a)",
        "numpy_linear_regression",
        dataset="ames",
        epochs=epochs,
        metric="train_rmse",
        mode="min",
        parameters={"learning_rate": 0.001},
    )
    return make(spec, [{"learning_rate": 0.001}], regression_curve, REGRESSION)


TPE_PARAMETERS: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "step": None, "type": "float"},
    "hidden_size": {"low": 50, "high": 400, "log": False, "step": 50, "type": "int"},
    "optimizer": {"values": ["sgd", "adam"], "default": "sgd"},
    "dropout": {
        "low": 0.1,
        "high": 0.6,
        "log": False,
        "step": None,
        "type": "float",
        "when": {"optimizer": "sgd"},
    },
    "batch_size": 1,
}


def sampled(trials: int = 40, epochs: int = 5) -> Fake:
    """A TPE search over ranges; dropout exists only under SGD; every ninth trial diverged."""
    configurations = []
    for number in range(trials):
        # Golden-ratio sequences fill the ranges evenly without a random generator.
        u, v = (number * 0.618034) % 1, (number * 0.754878) % 1
        parameters: dict[str, Any] = {
            "learning_rate": 10 ** (-4 + 3 * u),
            "hidden_size": 50 * (1 + int(8 * v)),
            "optimizer": "adam" if number % 3 == 0 else "sgd",
            "batch_size": 1,
        }
        if parameters["optimizer"] == "sgd":
            parameters["dropout"] = 0.1 + 0.5 * ((number * 0.569840) % 1)
        configurations.append(parameters)
    spec = _spec(
        "q4_search",
        "A search over ranges",
        "torch_feedforward",
        epochs=epochs,
        strategy="tpe",
        trials=trials,
        parameters=TPE_PARAMETERS,
    )
    failed = dict.fromkeys(range(8, trials, 9), DIVERGED)
    return make(spec, configurations, classification_curve, CLASSIFICATION, failed)


#: The trials of :func:`population`: parent, first epoch, last epoch, learning rate.
_MEMBERS = (
    (None, 1, 6, 0.1), (None, 1, 6, 0.08), (None, 1, 2, 0.001), (None, 1, 4, 0.01),
    (0, 3, 6, 0.12), (4, 5, 6, 0.15),
)  # fmt: skip


def population() -> Fake:
    """Four trials of six epochs: 4 took the place of 2 after epoch 2, 5 that of 3 after epoch 4.

    The best is trial 5, which went on from 4, which went on from 0. ``m`` falls by a tenth of the
    learning rate with each epoch.
    """
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 6, "metric": "m",
        "mode": "min", "strategy": "random", "seed": 42, "trials": 4,
        "parameters": {"learning_rate": {"low": 0.001, "high": 0.2}},
        "scheduler": {"name": "pbt", "population": 4, "interval": 2, "perturb": ["learning_rate"]},
    }  # fmt: skip
    trials: list[TrialRecord] = []
    curves: dict[int, Curve] = {}
    for number, (parent, first, last, rate) in enumerate(_MEMBERS):
        value = 1.0 if parent is None else curves[parent].metrics["m"][first - 2]
        if parent == 4:
            value = curves[parent].metrics["m"][1]
        values = [(value or 0.0) - rate / 10 * k for k in range(1, last - first + 2)]
        curves[number] = Curve(number, tuple(range(first, last + 1)), {"m": tuple(values)})
        ended = START + timedelta(seconds=9)
        trial = TrialRecord(
            number, TrialState.SUCCEEDED if last == 6 else TrialState.STOPPED,
            {"learning_rate": rate}, 42, {"m": values[-1]}, last, 1.5 * len(values), "node-a",
            attempt=1, started_at=START, finished_at=ended, parent=parent, start_epoch=first - 1,
        )  # fmt: skip
        trials.append(trial)
    return Fake(_job(spec, trials), tuple(trials), tuple(curves.values()), {})
