from __future__ import annotations

import ast

import pytest

from service.cli.init.loops import Loops, called


@pytest.mark.parametrize(
    ("source", "depth"),
    [
        ("p()", 0),
        ("for i in r: p()", 1),
        ("while a:\n  for i in r: p()", 2),
        ("for phase in ['train', 'val']: p()", 0),
        ("def f(): p()\nfor i in r: f()", 1),
        ("def f(): p()\nxs = [f() for i in r]", 1),
        ("class A:\n  def f(self):\n    for i in r: p()\n  def g(self):\n    while a: self.f()", 2),
        ("for x in p(): pass", 0),
        ("def f():\n  for i in r: p(); f()", 9),
    ],
)
def test_how_many_loops_a_call_is_in(source: str, depth: int) -> None:
    tree = ast.parse(source)
    (call,) = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and called(one) == "p"]
    assert Loops(tree).depth(call) == depth


@pytest.mark.parametrize(
    ("loop", "counts"),
    [
        ("range(9)", True),
        ("range(0, 9)", True),
        ("range(1, 9)", False),
        ("trange(9)", True),
        ("tqdm(range(9))", True),
        ("some()", False),
    ],
)
def test_which_names_count_from_zero(loop: str, counts: bool) -> None:
    assert ("e" in Loops(ast.parse(f"for e in {loop}: pass")).from_zero) is counts
    text = f"for e, x in enumerate(xs{', start=1' if not counts else ''}): pass"
    assert ("e" in Loops(ast.parse(text)).from_zero) is counts


def test_names_of_constant_texts() -> None:
    tree = ast.parse("for a in ['x', 'y']: pass\nfor b in ['x', y]: pass")
    assert Loops(tree).texts == {"a": ["x", "y"]}
