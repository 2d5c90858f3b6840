"""Looks at the loops of a Python program: how deep a call is in them, what their names count."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_CALLERS = 8


@dataclass
class Loops:
    """The loops of a program.

    ``texts`` has the names that loops give one constant text after the other, as in ``for phase in
    ["train", "val"]``; ``from_zero`` those that count from 0, as in ``for epoch in range(9)``.
    """

    tree: ast.Module
    texts: dict[str, Sequence[str]] = field(default_factory=dict)
    from_zero: set[str] = field(default_factory=set)
    _places: dict[ast.Call, tuple[int, str]] = field(default_factory=dict)
    _calls: dict[str, list[ast.Call]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Walk through the program."""
        self._visit(self.tree, 0, "")

    def depth(self, call: ast.Call) -> int:
        """Return in how many loops a call is, those around the calls of its function included.

        Loops over constant texts do not count.
        """
        return self._depth(call, _CALLERS)

    def _depth(self, call: ast.Call, callers: int) -> int:
        loops, function = self._places[call]
        outer = self._calls.get(function, ()) if callers and function else ()
        return loops + max((self._depth(one, callers - 1) for one in outer), default=0)

    def _visit(self, node: ast.AST, loops: int, function: str) -> None:
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                loops, function = 0, name
            case ast.Call():
                self._places[node] = loops, function
                self._calls.setdefault(called(node), []).append(node)
            case ast.For(target, source) | ast.AsyncFor(target, source):
                self._visit(source, loops, function)
                loops += self._learn(target, source)
            case ast.While() | ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                loops += 1
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.For | ast.AsyncFor) and child is node.iter):
                self._visit(child, loops, function)

    def _learn(self, target: ast.expr, source: ast.expr) -> int:
        """Learn what a loop's name counts; return 1 where the loop counts, else 0."""
        first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
        if not isinstance(first, ast.Name):
            return 1
        if isinstance(source, ast.List | ast.Tuple):
            found = [one.value for one in source.elts if isinstance(one, ast.Constant)]
            texts = [one for one in found if isinstance(one, str)]
            if first is target and texts and len(texts) == len(source.elts):
                self.texts[first.id] = texts
                return 0
        if isinstance(source, ast.Call) and _starts_at_zero(source):
            self.from_zero.add(first.id)
        return 1


def called(call: ast.Call) -> str:
    """Return the last name of what is called, "" where it has none."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _starts_at_zero(call: ast.Call) -> bool:
    words: Mapping[str, ast.expr] = {one.arg: one.value for one in call.keywords if one.arg}
    match called(call), call.args:
        case "range" | "trange", [_]:
            return True
        case "range" | "trange", [ast.Constant(0), *_]:
            return True
        case "enumerate", [_]:
            return "start" not in words
        case "tqdm", [ast.Call() as inner, *_]:
            return _starts_at_zero(inner)
    return False
