from __future__ import annotations

import ast
from typing import Any

import pytest

from service.cli.init.arguments import Argument, in_help, in_source


def found(call: str) -> Argument | None:
    """The argument of one call, below a constant that it may name."""
    arguments = in_source(ast.parse(f"RATE = 0.1\nOPTIMIZERS = ['sgd', 'adam']\n{call}\n"))
    return arguments[0] if arguments else None


@pytest.mark.parametrize(
    ("call", "members"),
    [
        ("p.add_argument('--lr', type=float, default=RATE, help='rate')",
         {"name": "lr", "kind": "float", "default": 0.1, "help": "rate"}),
        ("p.add_argument('-n', '--num-layers', type=int, default=2)",
         {"name": "num-layers", "kind": "int", "default": 2}),
        ("p.add_argument('-n', default=2)", {"name": "n", "kind": "int", "flag": "-n"}),
        ("p.add_argument('--opt', choices=OPTIMIZERS)",
         {"choices": ("sgd", "adam"), "kind": "str"}),
        ("p.add_argument('--depth', type=int, choices=range(1, 4))", {"kind": "int"}),
        ("p.add_argument('--amp', action='store_true')", {"kind": "on"}),
        ("p.add_argument('--no-amp', action='store_false')", {"kind": "off"}),
        ("p.add_argument('--amp', action=argparse.BooleanOptionalAction)", {"kind": "both"}),
        ("p.add_argument('--amp', type=bool, default=True)", {"kind": "bool"}),
        ("p.add_argument('--sizes', type=int, nargs='+')", {"many": True}),
        ("p.add_argument('--path', type=Path)", {"kind": "other"}),
        ("p.add_argument('--data', required=True)", {"required": True}),
        ("p.add_argument('data')", {"required": True, "is_positional": True}),
        ("p.add_argument('--x', default=compute())", {"default": None}),
        ("click.option('--lr', default=0.5)", {"kind": "float", "default": 0.5}),
        ("click.option('--lr', 'rate', type=click.FLOAT)", {"name": "lr", "kind": "float"}),
        ("click.option('--amp/--no-amp')", {"name": "amp", "kind": "both"}),
        ("click.option('--amp', is_flag=True)", {"kind": "on"}),
    ],
)  # fmt: skip
def test_what_a_call_declares(call: str, members: dict[str, Any]) -> None:
    argument = found(call)
    assert argument is not None
    assert {name: getattr(argument, name) for name in members} == members


@pytest.mark.parametrize(
    "call",
    ["p.add_argument('--version', action='version')", "p.add_argument('-v', action='count')",
     "p.add_argument(*flags)", "p.add_argument(name)", "print('--lr')"],
)  # fmt: skip
def test_what_is_no_argument_to_set(call: str) -> None:
    assert found(call) is None


HELP = """usage: train [-h] [--lr LR]

options:
  -h, --help            show this help message and exit
  --lr LR               learning rate (default: 0.01)
  -b N, --batch-size N  batch size [default: 32]
  --opt {sgd,adam}      optimizer
  --amp                 mixed precision
  --layers INTEGER      layers
  --name TEXT
Not an option: --this
"""


def test_what_a_help_text_lists() -> None:
    assert [(one.name, one.kind, one.default, one.choices) for one in in_help(HELP)] == [
        ("lr", "float", 0.01, ()),
        ("batch-size", "int", 32, ()),
        ("opt", "str", None, ("sgd", "adam")),
        ("amp", "on", None, ()),
        ("layers", "int", None, ()),
        ("name", "str", None, ()),
    ]
