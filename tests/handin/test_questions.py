"""The tasks of the homework, and their declared spaces."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from handin import TASKS
from handin.document import FINDINGS

QUESTIONS = [task.question for task in TASKS]


def test_tasks_ask_for_the_declared_spaces_in_the_homeworks_order():
    assert QUESTIONS == ["Q2.2a", "Q2.2b", "Q3.1a", "Q3.1b", "Q3.2b", "Q4.1", "Q4.2", "Q4.3"]
    assert [task.body["search_space"] for task in TASKS] == [
        "q2_linear_regression",
        "q2_neural_regression",
        "q3_perceptron",
        "q3_logistic_regression",
        "q3_mlp",
        "q4_logistic_regression",
        "q4_feedforward",
        "q4_depth",
    ]
    assert [task.epochs for task in TASKS] == [150, 150, 20, 20, 20, 20, 20, 20]


@pytest.mark.parametrize("task", TASKS, ids=QUESTIONS)
def test_tasks_agree_with_their_declared_spaces(task):
    path = Path(__file__).parents[2] / "search_spaces" / f"{task.body['search_space']}.yaml"
    space = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert space["epochs"] == task.epochs
    assert task.question in FINDINGS
