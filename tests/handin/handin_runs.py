"""Made-up answers for the hand-in: jobs, reports and curves from formulas."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from math import exp

from handin import TASKS, Answer
from handin.document import FINDINGS

GENERATED_AT = datetime(2022, 1, 5, 12, 30, tzinfo=UTC)
VERSIONS = {"argbest": "9.8.7", "numpy": "2.4.6"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="40"><path d="M2 38L60 4"/></svg>'
BY_QUESTION = {task.question: task for task in TASKS}

REGRESSION = {
    "train_rmse": {"label": "Training RMSE", "unit": "log price", "mode": "min", "split": "train"},
    "test_rmse": {"label": "Test RMSE", "unit": "log price", "mode": "min", "split": "test"},
}
CLASSIFICATION = {
    "train_loss": {
        "label": "Training loss",
        "unit": "nats",
        "mode": "min",
        "split": "train",
        "measured": "during",
    },
    "validation_accuracy": {
        "label": "Validation accuracy",
        "unit": "",
        "mode": "max",
        "split": "validation",
    },
    "test_accuracy": {"label": "Test accuracy", "unit": "", "mode": "max", "split": "test"},
}
FEEDFORWARD = {
    "learning_rate": 0.01,
    "hidden_size": 200,
    "dropout": 0.3,
    "activation": "relu",
    "optimizer": "sgd",
    "layers": 1,
    "batch_size": 1,
}


def decay(start, end, rate, epochs):
    return [end + (start - end) * exp(-rate * (epoch - 1)) for epoch in range(1, epochs + 1)]


def regression_curve(epochs, *, overfit=0.0003, train_end=0.11, test_end=0.19):
    test = decay(0.6, test_end, 0.15, epochs)
    return {
        "epoch": list(range(1, epochs + 1)),
        "train_rmse": decay(0.5, train_end, 0.1, epochs),
        "test_rmse": [value + overfit * epoch for epoch, value in enumerate(test, start=1)],
    }


def accuracy_curve(final, epochs, *, loss=0.4, wobble=0.0):
    """Rise to exactly ``final`` on the validation data; the test accuracy is 0.01 less."""
    validation = decay(0.88 * final, final, 0.4, epochs)
    validation = [v - wobble * (i % 2) for i, v in enumerate(reversed(validation))][::-1]
    validation[-1] = final
    return {
        "epoch": list(range(1, epochs + 1)),
        "train_loss": [*decay(loss + 0.4, loss, 0.3, epochs)[:-1], loss],
        "validation_accuracy": validation,
        "test_accuracy": [value - 0.01 for value in validation],
    }


def make_answer(task, runs, *, metrics=CLASSIFICATION, metric="validation_accuracy", epochs=None):
    """Return a succeeded answer with one trial per ``(parameters, curve)`` of ``runs``."""
    mode = metrics[metric]["mode"]
    trials = [
        {
            "number": number,
            "state": "succeeded",
            "parameters": parameters,
            "seed": 42,
            "metrics": {name: curve[name][-1] for name in metrics},
            "epochs": len(curve["epoch"]),
            "seconds": 61.5,
            "node": "localhost",
            "attempts": 1,
            "error": None,
        }
        for number, (parameters, curve) in enumerate(runs)
    ]
    pick = min if mode == "min" else max
    top = pick(trials, key=lambda trial: trial["metrics"][metric])
    best = {
        "trial": top["number"],
        "parameters": top["parameters"],
        "metric": metric,
        "value": top["metrics"][metric],
        "metrics": top["metrics"],
    }
    job = {
        "id": f"job-{task.question}",
        "name": task.title,
        "state": "succeeded",
        "best": best,
        "progress": {
            "trials": len(trials),
            "finished": len(trials),
            "failed": 0,
            "running": 0,
            "epochs_done": sum(trial["epochs"] for trial in trials),
            "epochs_total": sum(trial["epochs"] for trial in trials),
        },
        "spec": {
            "name": task.body["search_space"],
            "search_space": task.body["search_space"],
            "title": task.title,
            "trials": len(runs),
            "trainable": "torch_feedforward",
            "dataset": "ames" if task.question.startswith("Q2") else "fashion_mnist",
            "epochs": epochs or len(runs[0][1]["epoch"]),
            "metric": metric,
            "mode": mode,
            "strategy": "single" if len(runs) == 1 else "one_at_a_time",
            "parameters": dict(runs[0][0]),
            "seed": 42,
        },
        "error": None,
        "created_at": "2022-01-05T10:00:00+00:00",
        "started_at": "2022-01-05T10:00:01+00:00",
        "finished_at": "2022-01-05T10:01:31.500000+00:00",
    }
    names = list(metrics) + ([f"parameter_{n}" for n in runs[0][0]] if len(runs) > 1 else [])
    report = {
        "title": task.title,
        "metric": metric,
        "best": best,
        "trials": trials,
        "metrics": metrics,
        "plots": [{"name": n, "title": n, "caption": f"{n} after each epoch."} for n in names],
    }
    curves = [{"trial": number, **curve} for number, (_, curve) in enumerate(runs)]
    return Answer(job, report, curves, dict.fromkeys(names, SVG))


def make_answers(epochs=20, *, regression_epochs=150):
    """Return an answer to every question, with accuracies far enough apart to be ranked."""
    linear = regression_curve(regression_epochs)
    linear["distance_to_analytic"] = decay(80.0, 70.0, 0.02, regression_epochs)
    distance = {"label": "Distance to analytic", "unit": "", "mode": "min", "split": "none"}
    net = regression_curve(regression_epochs, overfit=0.0001, train_end=0.05, test_end=0.16)
    errors = {"label": "Training error rate", "unit": "", "mode": "min", "split": "train"}
    perceptron = accuracy_curve(0.71, epochs, wobble=0.05)
    perceptron["train_error_rate"] = perceptron.pop("train_loss")
    perceptron_metrics = {"train_error_rate": errors} | {
        name: info for name, info in CLASSIFICATION.items() if name != "train_loss"
    }
    rate = {"learning_rate": 0.001}
    changes = [
        ({}, 0.86, 0.45),
        ({"learning_rate": 0.001}, 0.89, 0.35),
        ({"learning_rate": 0.1}, 0.10, 2.31),
        ({"hidden_size": 100}, 0.858, 0.47),
        ({"dropout": 0.5}, 0.83, 0.55),
        ({"activation": "tanh"}, 0.84, 0.41),
        ({"optimizer": "adam"}, 0.885, 0.50),
    ]
    runs = {
        "Q2.2a": [({"learning_rate": 0.001}, linear)],
        "Q2.2b": [({"learning_rate": 0.001, "hidden_size": 150}, net)],
        "Q3.1a": [({}, perceptron)],
        "Q3.1b": [(rate, accuracy_curve(0.84, epochs))],
        "Q3.2b": [({**rate, "hidden_size": 200}, accuracy_curve(0.88, epochs, loss=0.25))],
        "Q4.1": [
            ({"learning_rate": 0.001}, accuracy_curve(0.845, epochs)),
            ({"learning_rate": 0.01}, accuracy_curve(0.82, epochs, loss=0.5, wobble=0.01)),
            ({"learning_rate": 0.1}, accuracy_curve(0.79, epochs, loss=2.0, wobble=0.02)),
        ],
        "Q4.2": [(FEEDFORWARD | c, accuracy_curve(a, epochs, loss=x)) for c, a, x in changes],
        "Q4.3": [
            (FEEDFORWARD | {"layers": 2}, accuracy_curve(0.84, epochs, loss=0.6)),
            (FEEDFORWARD | {"layers": 3}, accuracy_curve(0.80, epochs, loss=0.9)),
        ],
    }
    special = {
        "Q2.2a": {"metrics": {**REGRESSION, "distance_to_analytic": distance}},
        "Q2.2b": {"metrics": REGRESSION},
        "Q3.1a": {"metrics": perceptron_metrics},
    }
    for question in ("Q2.2a", "Q2.2b"):
        special[question]["metric"] = "train_rmse"
    return {
        question: make_answer(BY_QUESTION[question], of, **special.get(question, {}))
        for question, of in runs.items()
    }


def findings(answers, question):
    """Return the findings of one section: its paragraphs, and of its tables the captions."""
    return [
        block if isinstance(block, str) else block.caption for block in FINDINGS[question](answers)
    ]


def replace_curve(answers, question, trial=0, **series):
    """Return the answers with some series of one trial's curve replaced."""
    answer = deepcopy(answers[question])
    for curve in answer.curves:
        if curve["trial"] == trial:
            curve.update(series)
    return {**answers, question: answer}
