"""Finds what a Python program prints of its metrics: JSON lines, or texts with numbers in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Words of metrics that are better when they are smaller, and those that are better when larger.
_LOSSES = (
    "loss", "err", "error", "rmse", "mse", "mae", "cost", "perplexity", "ppl", "nll", "mape",
    "logloss", "wer", "cer", "fid",
)  # fmt: skip
_SCORES = (
    "acc", "accuracy", "f1", "auc", "r2", "score", "precision", "recall", "bleu", "reward", "iou",
    "dice", "map", "roc", "return", "top1", "correct",
)  # fmt: skip
_HELD_OUT = ("val", "valid", "validation", "dev", "eval", "held", "cv")
_TEST = ("test",)
_WORDS = re.compile(r"[a-z]+[0-9]*")
_LABEL = re.compile(r"([A-Za-z][\w./@ -]*?)\s*[:=(\[]*\s*$")
_NUMBER = r"([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|nan|inf))"
_PRINTS = ("print", "info", "write", "echo")
_REPORTS = ("report", "dumps")


@dataclass(frozen=True)
class Printed:
    """A metric that a program prints: the regular expression that finds it, "" in JSON lines."""

    name: str
    pattern: str
    line: int


#: A literal text, or None where a value is printed.
_Piece = str | None


def in_source(tree: ast.Module) -> list[Printed]:
    """Return the metrics that a program prints, JSON lines before texts, each name once."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [one for call in calls for one in _reported(call)]
    if not any(one.name != "epoch" for one in found):
        found = [one for call in calls if _called(call) in _PRINTS for one in _labelled(call)]
    ordered = sorted(found, key=lambda one: one.line)
    return list({one.name: one for one in reversed(ordered)}.values())[::-1]


def objective(metrics: Sequence[Printed]) -> tuple[str, str] | None:
    """Return the metric to choose by and its better direction, None where there is none.

    Metrics of held-out data come first, and those of test data last.
    """
    names = [one.name for one in metrics if one.name != "epoch" and mode_of(one.name)]
    if not names:
        return None
    best = min(names, key=_rank)
    return best, mode_of(best)


def mode_of(name: str) -> str:
    """Return ``min`` or ``max`` by the words of a metric's name, "" where none says it."""
    words = _words(name)
    if any(word in _LOSSES for word in words):
        return "min"
    return "max" if any(word in _SCORES for word in words) else ""


def _words(name: str) -> list[str]:
    return _WORDS.findall(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())


def _rank(name: str) -> int:
    words = _words(name)
    if any(word in _HELD_OUT for word in words):
        return 0
    return 2 if any(word in _TEST for word in words) else 1


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _reported(call: ast.Call) -> Iterator[Printed]:
    """Yield what json.dumps({...}) and report(..., {...}) name."""
    if _called(call) not in _REPORTS:
        return
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            keys = [key.value for key in argument.keys if isinstance(key, ast.Constant)]
            named = [key for key in keys if isinstance(key, str)]
            if any(mode_of(key) for key in named):
                yield from (Printed(key, "", call.lineno) for key in named)


def _labelled(call: ast.Call) -> Iterator[Printed]:
    """Yield the values of a printed text that have a label: ``val loss: {loss}``."""
    before = ""
    for piece in _pieces(call.args):
        if piece is not None:
            before += piece
            continue
        label = _LABEL.search(before)
        before = ""
        if label is None:
            continue
        text = label[1].strip().rpartition("  ")[2].strip()
        words = _words(text)
        if "epoch" in words:
            yield Printed("epoch", _pattern(text.split()[-1], r"([0-9]+)"), call.lineno)
        elif mode_of(text):
            name = re.sub(r"\W+", "_", text).strip("_").lower()
            yield Printed(name, _pattern(text, _NUMBER), call.lineno)


def _pattern(label: str, number: str) -> str:
    # The label must not be the end of a longer one: "loss" is none of "val loss". Patterns have no
    # lookaround, as RE2 has none.
    name = re.escape(label).replace(r"\ ", " ")
    return rf"(?:^|[^A-Za-z_\s])\s*{name}[\s:=(\[]*{number}"


def _pieces(arguments: Sequence[ast.expr]) -> Iterator[_Piece]:
    for index, argument in enumerate(arguments):
        if index:
            yield " "
        yield from _pieces_of(argument)


def _pieces_of(node: ast.expr) -> Iterator[_Piece]:
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.JoinedStr(values):
            for value in values:
                yield from _pieces_of(value)
        case ast.BinOp(ast.Constant(str(text)), ast.Mod()):
            yield from _split(r"%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]", text)
        case ast.BinOp(left, ast.Add(), right):
            yield from _pieces_of(left)
            yield from _pieces_of(right)
        case ast.Call(ast.Attribute(ast.Constant(str(text)), "format")):
            yield from _split(r"\{[^{}]*\}", text)
        case _:
            yield None


def _split(hole: str, text: str) -> Iterator[_Piece]:
    parts = re.split(hole, text)
    for index, part in enumerate(parts):
        if index:
            yield None
        yield part
