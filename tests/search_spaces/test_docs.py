"""The guide to search spaces says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from search_spaces import (
    STRATEGIES,
    Code,
    Library,
    SearchSpace,
    check,
    count,
    defaults,
)
from search_spaces.yaml_files import load_yaml
from trainables import registry

GUIDE = (Path(__file__).parents[2] / "docs" / "search-spaces.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def assert_runnable(space: SearchSpace) -> None:
    trainable = registry.get(space.trainable)
    check(
        space,
        schema=trainable.schema(),
        metrics={metric.name: metric.split for metric in trainable.metrics},
        datasets=trainable.datasets,
        max_trials=1000,
    )


def test_the_example_is_a_space_that_can_be_run() -> None:
    space = SearchSpace.from_json(load_yaml(fenced("yaml")).value)
    assert_runnable(space)
    assert count(space) == 40
    assert "l2_decay" not in defaults(space)
    assert "l2_decay" not in space.with_overrides({"optimizer": "sgd"}).parameters


def test_the_example_of_a_job_can_be_run() -> None:
    body = json.loads(fenced("json"))
    space = Library().get(body.pop("search_space")).with_overrides(**body)
    assert_runnable(space)
    assert count(space) == 3 * 3 * 2 * 2


def test_every_space_strategy_and_code_is_in_the_guide() -> None:
    for space in Library().all():
        row = re.search(rf"\| `{space.name}` \| .* (\d+) epochs \| (\d+) \|", GUIDE)
        assert row is not None
        assert [int(number) for number in row.groups()] == [space.epochs, count(space)]
    assert all(f"`{strategy}`" in GUIDE for strategy in STRATEGIES)
    assert all(f"`{code}`" in GUIDE for code in Code)
