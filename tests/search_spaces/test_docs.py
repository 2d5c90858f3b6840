"""The guide to search spaces says what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from search_spaces import (
    PLACEHOLDERS,
    PROGRAM_KEYS,
    SCHEDULERS,
    STRATEGIES,
    Budget,
    Code,
    Library,
    Program,
    Scheduler,
    SearchSpace,
    check,
    count,
    defaults,
    enqueued,
)
from search_spaces.capabilities import SAMPLER_ABILITIES
from search_spaces.scheduling import PARAMETERS
from search_spaces.yaml_files import load_yaml
from trainables.programs import trainable_of

GUIDE = (Path(__file__).parents[2] / "docs" / "search-spaces.md").read_text(encoding="utf-8")


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def assert_runnable(space: SearchSpace) -> None:
    trainable = trainable_of(space)
    check(
        space,
        schema=trainable.schema(),
        metrics={metric.name: metric.split for metric in trainable.metrics},
        datasets=trainable.datasets,
        max_trials=1000,
    )


def test_the_example_is_a_space_that_can_be_run() -> None:
    space = SearchSpace.from_json(load_yaml(fenced("yaml")[0]).value)
    assert_runnable(space)
    assert count(space) == 40
    assert "l2_decay" not in defaults(space)
    assert "l2_decay" not in space.with_overrides({"optimizer": "sgd"}).parameters


def test_the_example_of_several_objectives_can_be_run() -> None:
    space = SearchSpace.from_json(load_yaml(fenced("yaml")[1]).value)
    assert_runnable(space)
    assert [objective.metric for objective in space.objectives] == [
        "validation_accuracy",
        "seconds",
    ]
    assert enqueued(space) == ({"learning_rate": 0.01, "hidden_size": 50},)


def test_the_examples_of_programs_can_be_run() -> None:
    command, function = (
        SearchSpace.from_json(load_yaml(text).value) for text in fenced("yaml")[2:4]
    )
    for space in (command, function):
        assert_runnable(space)
        assert space.program is not None
    assert command.program is not None
    assert command.program.flags == {"amp": {"true": ("--amp",), "false": ()}}
    assert (command.trainable, command.dataset, command.may_end_early) == ("command", "none", True)
    assert function.program == Program(code=".")


def test_the_table_of_programs_has_every_key_and_placeholder() -> None:
    said = {cells[0].strip("`"): cells[1] for cells in rows("Programs")}
    assert tuple(said) == PROGRAM_KEYS
    assert all(f"{{{name}}}" in said["command"] for name in PLACEHOLDERS)


def rows(title: str) -> list[list[str]]:
    """The cells of the first table of a section, without its header."""
    section = GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (`.*)\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" |")] for row in table]


def test_the_table_of_samplers_says_what_each_can_do() -> None:
    said = {cells[0].strip("`"): cells[1:] for cells in rows("Strategies") if len(cells) == 6}
    assert said == {
        name: ["yes" if able else "no" for able in (
            ability.categories, ability.conditions, ability.objectives, ability.constraints,
            ability.learns)]
        for name, ability in SAMPLER_ABILITIES.items()
    }  # fmt: skip


def test_the_table_of_schedulers_has_each_with_its_parameters() -> None:
    said = {name.strip("`"): parameters for name, _, parameters in rows("Schedulers")}
    assert tuple(said) == SCHEDULERS
    for name, parameters in PARAMETERS.items():
        if said[name] != "as `asha`":
            assert re.findall(r"`(\w+)` \(([^()]+)\)", said[name]) == [
                (parameter, json.dumps(getattr(Scheduler(name), parameter)))
                for parameter in parameters
            ]
    assert PARAMETERS["hyperband"] == PARAMETERS["asha"]


def test_the_table_of_budgets_has_every_limit() -> None:
    assert [name.strip("`") for name, _ in rows("Budgets")] == [f.name for f in fields(Budget)]


def test_the_example_of_a_job_can_be_run() -> None:
    body = json.loads(fenced("json")[-1])
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
