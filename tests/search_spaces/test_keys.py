"""Unknown keys: their counterparts here, or the names that are close."""

from __future__ import annotations

import pytest

from search_spaces.keys import key_problems, strategy_hint
from search_spaces.space import STRATEGIES

SPACE = ("name", "trainable", "strategy", "metric", "mode", "trials", "epochs", "parameters",
         "scheduler", "budget", "enqueue", "command")  # fmt: skip


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("method", "write strategy instead"),
        ("n_trials", "write trials instead"),
        ("num_samples", "write trials instead"),
        ("run_cap", "write trials instead"),
        ("direction", "write mode instead"),
        ("program", "write command instead"),
        ("early_terminate", "write scheduler instead"),
        ("pruner", "write scheduler instead"),
        ("timeout", "write budget instead"),
        ("points_to_evaluate", "write enqueue instead"),
        ("epcohs", "did you mean epochs?"),
        ("resources_per_trial",
         "that is said of the job: --cpus and --gpus of `argbest submit` and `run`"),
    ],
)  # fmt: skip
def test_a_space_in_the_words_of_another_tool(key: str, hint: str) -> None:
    (problem,) = key_problems({key: 1, "name": "x"}, SPACE)
    assert (problem.pointer, problem.hint) == (f"/{key}", hint)


def test_only_keys_that_are_known_in_that_place_are_named() -> None:
    (problem,) = key_problems({"min": 1}, ("values", "default", "when"))
    assert problem.hint == "there are: values, default, when"


@pytest.mark.parametrize(
    ("strategy", "hint"),
    [
        ("bayes", "write tpe instead"),
        ("Bayesian", "write tpe instead"),
        ("grid_search", "write grid instead"),
        ("random-search", "write random instead"),
        ("gird", "did you mean grid?"),
        (3, f"there are: {', '.join(STRATEGIES)}"),
        ({"name": "bayes"}, f"there are: {', '.join(STRATEGIES)}"),
    ],
)
def test_a_strategy_of_another_tool(strategy: object, hint: str) -> None:
    assert strategy_hint(strategy, STRATEGIES) == hint
