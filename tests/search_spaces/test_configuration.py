"""Configurations that are named beforehand: completed by the defaults, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Code, SearchSpace, SearchSpaceError, enqueued, read_domain
from search_spaces.configuration import completed, enqueue_problems, with_defaults

PARAMETERS = {
    name: read_domain(raw)
    for name, raw in {
        "momentum": {"values": [0.0, 0.9], "when": {"optimizer": "sgd"}},
        "optimizer": {"values": ["adam", "sgd"]},
        "rate": {"low": 0.0, "high": 1.0, "step": 0.1},
        "sizes": {"values": [[64, 64], [128]]},
        "layers": {"low": 1, "high": 3},
        "batch": 1,
    }.items()
}


def found(*enqueue: dict[str, Any]) -> list[tuple[str, str]]:
    return [(p.pointer, p.code) for p in enqueue_problems(PARAMETERS, enqueue)]


def test_what_is_left_out_has_its_default_in_the_declared_order() -> None:
    rest = {"sizes": [64, 64], "layers": 1, "batch": 1}
    assert completed(PARAMETERS, {}) == {"optimizer": "adam", "rate": 0.0, **rest}
    chosen = {"rate": 0.3, "optimizer": "sgd"}
    complete = completed(PARAMETERS, chosen)
    assert complete == {"momentum": 0.0, "optimizer": "sgd", "rate": 0.3, **rest}
    assert list(complete) == list(PARAMETERS)
    assert complete == with_defaults(PARAMETERS, chosen)
    assert completed(PARAMETERS, complete) == complete


def test_numbers_are_written_as_the_space_writes_them() -> None:
    complete = completed(PARAMETERS, {"optimizer": "sgd", "momentum": 0, "rate": 1})
    assert [type(complete[name]) for name in ("momentum", "rate")] == [float, float]


@pytest.mark.parametrize(
    ("chosen", "pointer", "code"),
    [
        ({"optimiser": "sgd"}, "/enqueue/0/optimiser", Code.UNKNOWN_PARAMETER),
        ({"optimizer": "lion"}, "/enqueue/0/optimizer", Code.OUT_OF_RANGE),
        ({"rate": 0.15}, "/enqueue/0/rate", Code.OUT_OF_RANGE),
        ({"rate": True}, "/enqueue/0/rate", Code.OUT_OF_RANGE),
        ({"layers": 2.0}, "/enqueue/0/layers", Code.OUT_OF_RANGE),
        ({"sizes": [64]}, "/enqueue/0/sizes", Code.OUT_OF_RANGE),
        ({"batch": 2}, "/enqueue/0/batch", Code.OUT_OF_RANGE),
        ({"momentum": 0.9}, "/enqueue/0/momentum", Code.NOT_APPLICABLE),
        ({"momentum": 0.9, "optimizer": "adam"}, "/enqueue/0/momentum", Code.NOT_APPLICABLE),
    ],
)
def test_what_does_not_lie_in_the_space_is_refused(
    chosen: dict[str, Any], pointer: str, code: str
) -> None:
    assert found(chosen) == [(pointer, code)]


def test_every_problem_of_every_configuration_is_found() -> None:
    assert found({"a": 1, "rate": 2}, {"rate": 0.5}, {"layers": 9}) == [
        ("/enqueue/0/a", Code.UNKNOWN_PARAMETER),
        ("/enqueue/0/rate", Code.OUT_OF_RANGE),
        ("/enqueue/2/layers", Code.OUT_OF_RANGE),
    ]
    assert found({"momentum": 0.9, "optimizer": "sgd", "batch": 1, "sizes": [128]}) == []


def test_a_configuration_that_comes_twice_is_refused_also_where_defaults_make_it_one() -> None:
    assert found({}, {"layers": 1}) == [("/enqueue/1", Code.DUPLICATE)]
    assert found({"layers": 2}, {"layers": 3}) == []


def test_a_space_gives_its_enqueued_configurations_complete() -> None:
    declared = {
        "name": "known", "trainable": "any", "dataset": "images", "epochs": 2, "metric": "loss",
        "mode": "min", "strategy": "random", "trials": 5,
        "parameters": {"rate": {"low": 0.1, "high": 0.9}, "layers": {"values": [1, 2]}},
    }  # fmt: skip
    space = SearchSpace.from_json({**declared, "enqueue": [{"rate": 0.5}, {"layers": 2}]})
    assert enqueued(space) == ({"rate": 0.5, "layers": 1}, {"rate": 0.1, "layers": 2})
    with pytest.raises(SearchSpaceError, match=r"use a value of the range from 0\.1 to 0\.9"):
        SearchSpace.from_json({**declared, "enqueue": [{"rate": 1.5}]})
