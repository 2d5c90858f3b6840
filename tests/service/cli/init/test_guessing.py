from __future__ import annotations

from typing import Any

import pytest

from search_spaces import read_domain
from service.cli.init.arguments import Argument
from service.cli.init.guessing import guess


@pytest.mark.parametrize(
    ("argument", "domain"),
    [
        (Argument(("--lr",), "float", 0.01), {"low": 0.001, "high": 0.1, "log": True}),
        (Argument(("--momentum",), "float", 0.9), {"low": 0.45, "high": 0.95}),
        (Argument(("--dropout",), "float", 0.0), {"low": 0.0, "high": 0.5}),
        (Argument(("--weight-decay",), "float", 0.0), {"values": [0.0, 1e-5, 1e-4, 1e-3]}),
        (Argument(("--scale",), "float", 2.0), {"low": 0.5, "high": 8.0}),
        (Argument(("--shift",), "float", -1.0), {"low": -2.0, "high": 0.0}),
        (Argument(("--batch-size",), "int", 64), {"low": 16, "high": 256, "log": True}),
        (Argument(("--layers",), "int", 2), {"low": 1, "high": 8}),
        (Argument(("--extra",), "int", 0), {"low": 0, "high": 4}),
        (Argument(("--opt",), "str", "adam", ("sgd", "adam")), {"values": ["sgd", "adam"]}),
        (Argument(("--amp",), "on"), {"values": [False, True]}),
        (Argument(("--amp",), "both", default=True), {"values": [True, False]}),
    ],
)
def test_a_domain_is_guessed_around_the_default(argument: Argument, domain: dict[str, Any]) -> None:
    found = guess(argument)
    assert found.role == "varied"
    assert {**found.domain, **domain} == found.domain
    assert read_domain(found.domain).default in (argument.default, False, 0)


@pytest.mark.parametrize(
    ("argument", "role"),
    [
        (Argument(("--epochs",), "int", 3), "epochs"),
        (Argument(("--num-epochs",), "int", 3), "epochs"),
        (Argument(("--seed",), "int", 3), "seed"),
        (Argument(("--checkpoint-dir",), "str"), "checkpoints"),
        (Argument(("data",), "str", required=True), "needed"),
        (Argument(("--data-dir",), "str", "."), "left"),
        (Argument(("--num-workers",), "int", 4), "left"),
        (Argument(("--sizes",), "int", [1], many=True), "left"),
        (Argument(("--fast",), "bool", default=True), "left"),
        (Argument(("--label",), "str", "x"), "left"),
        (Argument(("--width",), "int"), "left"),
        (Argument(("--offset",), "int", -3), "left"),
    ],
)
def test_an_argument_that_is_not_varied_has_a_role(argument: Argument, role: str) -> None:
    assert guess(argument).role == role


def test_a_switch_has_flags() -> None:
    assert guess(Argument(("--amp",), "on")).flags == {"true": "--amp", "false": ""}
    assert guess(Argument(("--amp",), "both")).flags == {"true": "--amp", "false": "--no-amp"}


def test_type_bool_is_named_as_the_trap_that_it_is() -> None:
    assert "any text" in guess(Argument(("--amp",), "bool")).why
