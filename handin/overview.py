"""The results at a glance: one table per kind of problem, every run a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handin.answers import Answer
from handin.classification import TEST, TRAIN_LOSS, VALIDATION
from handin.questions import TASKS
from handin.regression import TEST as TEST_RMSE
from handin.regression import TRAIN as TRAIN_RMSE
from handin.wording import Table
from results.analysis import JobResults, summarize
from results.comparison import describe_trial
from results.formatting import duration, number
from results.records import TrialRecord
from results.wording import configuration


def overview(answers: Mapping[str, Answer]) -> list[Table]:
    """Return the tables of final figures, regression (Q2) first, then classification (Q3, Q4)."""
    houses = "Ames house prices: root mean squared error of log price, last epoch"
    images = "Fashion-MNIST: the selected configuration's figures, last epoch"
    errors = {"train": TRAIN_RMSE, "test": TEST_RMSE}
    figures = {
        "training loss": TRAIN_LOSS,
        "validation accuracy": VALIDATION,
        "test accuracy": TEST,
    }
    return [
        Table(
            caption,
            ["question", "model", "selected", "epochs", *metrics, "time"],
            [
                _row(task.question, task.title, answers.get(task.question), list(metrics.values()))
                for task in TASKS
                if task.question.startswith("Q2") == (metrics is errors)
            ],
        )
        for caption, metrics in ((houses, errors), (images, figures))
    ]


def _row(question: str, title: str, answer: Answer | None, metrics: Sequence[str]) -> list[str]:
    if answer is None:
        return [question, title, "not run", *["-"] * (len(metrics) + 2)]
    results = answer.results
    best, seconds = results.best, summarize(results).wall_seconds
    time = "-" if seconds is None else duration(seconds)
    if best is None:
        return [question, title, answer.state.value, *["-"] * (len(metrics) + 1), time]
    figures = [number(best.metrics[m]) if m in best.metrics else "-" for m in metrics]
    return [question, title, _selected(results, best), str(answer.spec["epochs"]), *figures, time]


def _selected(results: JobResults, best: TrialRecord) -> str:
    """Name what was selected: the value of a sole searched parameter, or what is not default."""
    varied = results.varied
    if len(varied) < 2:
        return configuration(best.parameters, varied) or "single run"
    described = describe_trial(results, best)
    return described if described == "defaults" else f"{described}, else defaults"
