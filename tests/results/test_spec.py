"""A job's specification: its JSON form, rows of other versions, and the fingerprint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from results.spec import JobSpec
from search_spaces import SearchSpace, SearchSpaceError

SPACE = SearchSpace.from_json(
    {
        "name": "tuned",
        "title": "A search",
        "description": "Over the rate.",
        "trainable": "any",
        "dataset": "images",
        "epochs": 3,
        "metric": "loss",
        "mode": "min",
        "strategy": "tpe",
        "trials": 12,
        "parameters": {
            "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
            "model.sizes": {"values": [[64, 64], [128]]},
            "dropout": {"values": [0.1, 0.5], "when": {"model.sizes": [[64, 64]]}},
        },
    }
)
SPEC = JobSpec(
    name="mine",
    space=SPACE,
    trials=12,
    seed=42,
    max_concurrent_trials=2,
    cpu=2.0,
    gpu=0.5,
    time_limit_s=60.0,
    max_failures=1,
    keep=2,
    tags={"team": "vision"},
    version="0.1.0",
)


class Model(BaseModel):
    """The trainable's parameters."""

    learning_rate: float = 0.01
    batch_size: int = 1


SCHEMA = Model.model_json_schema()


def test_json_form_is_flat_and_reads_back() -> None:
    stored = json.loads(json.dumps(SPEC.to_json()))
    assert list(stored) == [
        "name", "description", "search_space", "title", "trainable", "dataset", "epochs", "metric",
        "mode", "strategy", "parameters", "trials", "seed", "max_concurrent_trials",
        "resources_per_trial", "time_limit_s", "max_failures", "keep", "tags", "version",
    ]  # fmt: skip
    assert stored["resources_per_trial"] == {"cpu": 2.0, "gpu": 0.5}
    assert JobSpec.from_json(stored) == SPEC


def test_a_listing_strategy_keeps_the_planned_number_of_trials() -> None:
    grid = replace(SPEC, space=SPACE.with_overrides({"learning_rate": 0.1}, "grid"), trials=3)
    read = JobSpec.from_json(grid.to_json())
    assert (read.trials, read.space.trials) == (3, None)
    assert read == grid


def test_what_a_search_declares_is_kept_and_counts() -> None:
    declared = SPACE.with_overrides(
        search={
            "objectives": [{"metric": "loss", "mode": "min"}, {"metric": "seconds", "mode": "min"}],
            "constraints": [{"metric": "model_bytes", "at_most": 100}], "scheduler": "none",
            "budget": {"epochs": 100}, "enqueue": [{"learning_rate": 0.01}], "warm_start": ["a"],
            "repeats": 3,
        }
    )  # fmt: skip
    spec = replace(SPEC, space=declared, trials=36)
    stored = spec.to_json()
    assert (stored["metric"], stored["mode"]) == ("loss", "min")  # for versions that know one
    assert JobSpec.from_json(json.loads(json.dumps(stored))) == spec
    assert JobSpec.from_json(stored).space.trials == 12
    assert spec.fingerprint({}) != SPEC.fingerprint({})


def test_a_confirmation_adds_to_the_trials_that_are_planned() -> None:
    confirmed = SPACE.with_overrides(search={"confirm": {"top": 2, "seeds": 4}})
    spec = replace(SPEC, space=confirmed)
    assert (SPEC.planned, spec.trials, spec.planned) == (12, 12, 12 + 3 * 4)
    assert JobSpec.from_json(spec.to_json()) == spec


def test_a_row_of_a_newer_version_is_read_without_what_is_unknown() -> None:
    stored = SPEC.to_json()
    newer = {
        **stored,
        "fidelity": "epochs",
        "budget": {"dollars": 10},
        "resources_per_trial": {**stored["resources_per_trial"], "memory": "1G"},
        "parameters": {
            **stored["parameters"],
            "dropout": {**stored["parameters"]["dropout"], "prior": "normal"},
        },
    }
    assert JobSpec.from_json(newer) == SPEC


def test_a_row_of_an_older_version_takes_the_defaults() -> None:
    stored = SPEC.to_json()
    for key in ("resources_per_trial", "max_failures", "keep", "tags", "version", "description"):
        del stored[key]
    read = JobSpec.from_json({**stored, "stack": 4})
    assert (read.cpu, read.gpu, read.max_failures, read.tags, read.version) == (1, 0, 0, {}, "")
    assert read.keep == 1
    assert read.space.description is None


def test_a_row_with_a_strategy_that_this_version_does_not_know_is_refused() -> None:
    with pytest.raises(SearchSpaceError, match='"smac" is not a strategy'):
        JobSpec.from_json({**SPEC.to_json(), "strategy": "smac"})


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"tags": {}},
        {"max_failures": 5},
        {"keep": 3},
        {"time_limit_s": None},
        {"max_concurrent_trials": None},
        {"space": replace(SPACE, name="renamed", title="Another", description=None)},
        {"space": SPACE.with_overrides({"batch_size": 1})},  # the trainable's own default
    ],
)
def test_what_changes_no_number_leaves_the_fingerprint(changes: dict[str, Any]) -> None:
    assert replace(SPEC, **changes).fingerprint(SCHEMA) == SPEC.fingerprint(SCHEMA)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 43},
        {"cpu": 1.0},
        {"gpu": 0.0},
        {"trials": 13},
        {"version": "0.2.0"},
        {"space": replace(SPACE, epochs=4)},
        {"space": replace(SPACE, dataset="other")},
        {"space": replace(SPACE, metric="accuracy")},
        {"space": SPACE.with_overrides(strategy="random")},
        {"space": SPACE.with_overrides({"batch_size": 2})},
        {"space": SPACE.with_overrides({"model.sizes": {"values": [[64, 64], [129]]}})},
        {"space": SPACE.with_overrides({"dropout": {"values": [0.1, 0.5]}})},
    ],
)
def test_what_changes_numbers_changes_the_fingerprint(changes: dict[str, Any]) -> None:
    assert replace(SPEC, **changes).fingerprint(SCHEMA) != SPEC.fingerprint(SCHEMA)


def test_defaults_that_run_alone_may_be_chosen_from_anything() -> None:
    single = replace(SPEC, space=SPACE.with_overrides(strategy="single"), trials=1)
    fixed = replace(single, space=single.space.with_overrides({"model.sizes": {"value": [64, 64]}}))
    assert single.fingerprint(SCHEMA) == fixed.fingerprint(SCHEMA)
    null = single.space.with_overrides({"dropout": None})
    absent = replace(null, parameters={k: v for k, v in null.parameters.items() if k != "dropout"})
    assert replace(single, space=null).fingerprint(SCHEMA) != replace(
        single, space=absent
    ).fingerprint(SCHEMA)


def test_a_program_and_its_source_are_kept_and_only_the_program_counts() -> None:
    raw = {
        "name": "mine", "command": ["p", "{args}"], "code": "sha256:" + "0a" * 32, "metric": "m",
        "mode": "min", "parameters": {"x": {"values": [1, 2]}},
    }  # fmt: skip
    space = SearchSpace.from_json(raw)
    spec = JobSpec(name="mine", space=space, trials=2, seed=1, source={"commit": "abc"})
    written = json.loads(json.dumps(spec.to_json()))
    assert (written["command"], written["code"]) == (raw["command"], raw["code"])
    assert JobSpec.from_json(written) == spec
    assert "source" not in SPEC.to_json()
    prints = [replace(spec, source=source).fingerprint({}) for source in ({}, {"commit": "b"})]
    other = SearchSpace.from_json({**raw, "command": ["q", "{args}"]})
    assert prints[0] == prints[1] == spec.fingerprint({})
    assert prints[0] != replace(spec, space=other).fingerprint({})


def test_why_auto_chose_is_kept_and_has_no_effect() -> None:
    chosen = replace(SPEC, chosen="tpe, because")
    assert JobSpec.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    assert "chosen" not in SPEC.to_json()
    assert chosen.fingerprint(SCHEMA) == SPEC.fingerprint(SCHEMA)
