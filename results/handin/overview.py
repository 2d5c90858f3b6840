"""The results at a glance: one table per kind of problem, every run a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from results.handin.answers import Answer
from results.handin.questions import TASKS
from results.handin.regression import TEST as TEST_RMSE
from results.handin.regression import TRAIN as TRAIN_RMSE
from results.handin.searches import describe
from results.handin.wording import Table, wall_time
from results.wording import number


def overview(answers: Mapping[str, Answer]) -> list[Table]:
    """Return the tables of final figures, regression (Q2) first, then classification (Q3, Q4)."""
    houses = _table(
        answers,
        "Q2",
        "Ames house prices: root mean squared error of log price, last epoch",
        {"train": TRAIN_RMSE, "test": TEST_RMSE},
    )
    images = _table(
        answers,
        "Q3 Q4",
        "Fashion-MNIST: the selected configuration's figures, last epoch",
        {
            "training loss": "train_loss",
            "validation accuracy": "validation_accuracy",
            "test accuracy": "test_accuracy",
        },
    )
    return [houses, images]


def _table(
    answers: Mapping[str, Answer], prefixes: str, caption: str, metrics: Mapping[str, str]
) -> Table:
    """Return a row for each task whose question starts with one of ``prefixes``."""
    header = ["question", "model", "selected", "epochs", *metrics, "time"]
    rows = [
        _row(task.question, task.title, answers.get(task.question), list(metrics.values()))
        for task in TASKS
        if task.question[:2] in prefixes.split()
    ]
    return Table(caption, header, rows)


def _row(question: str, title: str, answer: Answer | None, metrics: Sequence[str]) -> list[str]:
    if answer is None:
        return [question, title, "not run", *["-"] * (len(metrics) + 2)]
    best = answer.best
    if best is None:
        return [
            question,
            title,
            answer.state,
            *["-"] * (len(metrics) + 1),
            wall_time(answer.seconds),
        ]
    figures = [number(best["metrics"][m]) if m in best["metrics"] else "-" for m in metrics]
    epochs = str(answer.spec["epochs"])
    return [
        question,
        title,
        _selected(answer, best["parameters"]),
        epochs,
        *figures,
        wall_time(answer.seconds),
    ]


def _selected(answer: Answer, parameters: Mapping[str, Any]) -> str:
    """Name what was selected: the value of a sole searched parameter, or what is not default."""
    varied = answer.varied()
    if len(varied) < 2:
        return describe({name: parameters[name] for name in varied}) or "single run"
    default = answer.trials[0]["parameters"]
    changed = {name: parameters[name] for name in varied if parameters[name] != default[name]}
    return f"{describe(changed)}, else defaults" if changed else "defaults"
