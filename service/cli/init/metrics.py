"""Finds what a Python program prints of its metrics: JSON lines, or texts with numbers in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from service.cli.init.loops import Loops, called

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
_PRINTS = ("print", "info", "warning", "debug", "log", "write", "echo")
#: A label ends before these: "10/10 - loss" is the label "loss".
_BREAK = re.compile(r"\s-\s|\s{2,}")
#: An epoch after one of these words is none that has just been trained.
_OTHER_EPOCHS = ("per", "best", "last", "from", "at", "of", "total", "start", "resume", "resuming")
#: Before a text that is logged may stand a level and a name.
_LOGGED = "\0"
_HOLE = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]")
_REPORTS = ("report", "dumps")


@dataclass(frozen=True)
class Printed:
    """A metric that a program prints: the regular expression that finds it, "" in JSON lines.

    ``depth`` is the number of loops that it is printed in.
    """

    name: str
    pattern: str
    line: int
    depth: int = 1


#: A literal text, or what is printed as a value: its expression, None where that is not known.
_Piece = str | ast.expr | None


def in_source(tree: ast.Module) -> list[Printed]:
    """Return the metrics that a program prints, JSON lines before texts, each name once."""
    loops = Loops(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [_at(loops, call, one) for call in calls for one in _reported(call)]
    if not any(one.name != "epoch" for one in found):
        found = [_at(loops, call, one) for call in calls if called(call) in _PRINTS
                 for one in _labelled(call, loops)]  # fmt: skip
    ordered = sorted(found, key=lambda one: one.line)
    unique: dict[str, Printed] = {}
    for one in ordered:
        known = unique.setdefault(one.name, one)
        # Of an epoch the outermost loop counts, of a metric the innermost that prints it.
        if one.depth < known.depth if one.name == "epoch" else one.depth > known.depth:
            unique[one.name] = one if one.name == "epoch" else replace(known, depth=one.depth)
    return _in_one_count(list(unique.values()))


def _at(loops: Loops, call: ast.Call, printed: Printed) -> Printed:
    return replace(printed, depth=loops.depth(call))


def objective(metrics: Sequence[Printed]) -> tuple[str, str] | None:
    """Return the metric to choose by and its better direction, None where there is none.

    Metrics of inner loops, over batches say, come last. Of the others metrics of held-out data
    come first, and those of test data last.
    """
    named = [one for one in metrics if one.name != "epoch" and mode_of(one.name)]
    if not named:
        return None
    outer = max(1, min(one.depth for one in named))
    best = min(named, key=lambda one: (one.depth > outer, _rank(one.name)))
    return best.name, mode_of(best.name)


def _in_one_count(metrics: Sequence[Printed]) -> list[Printed]:
    """Return the metrics without those that would disturb the count of the epochs.

    These are an epoch that begins anew in each fold, where the metric to choose by comes after all
    of them; and where no epoch is printed, what is printed once beside what is printed again.
    """
    once = _depth_of_objective(metrics) == 0
    if any(one.name == "epoch" for one in metrics):
        return [one for one in metrics if not (once and one.name == "epoch" and one.depth > 1)]
    return [one for one in metrics if once or one.depth > 0]


def are_once(metrics: Sequence[Printed]) -> bool:
    """Whether the metric to choose by is printed once, and nothing else by epochs."""
    by_epochs = any(one.depth == 1 for one in metrics)
    return _depth_of_objective(metrics) == 0 and not by_epochs


def _depth_of_objective(metrics: Sequence[Printed]) -> int:
    chosen = objective(metrics)
    return next((one.depth for one in metrics if chosen and one.name == chosen[0]), 1)


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


def _reported(call: ast.Call) -> Iterator[Printed]:
    """Yield what json.dumps({...}) and report(..., {...}) name."""
    if called(call) not in _REPORTS:
        return
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            keys = [key.value for key in argument.keys if isinstance(key, ast.Constant)]
            named = [key for key in keys if isinstance(key, str)]
            if any(mode_of(key) for key in named):
                yield from (Printed(key, "", call.lineno) for key in named)


def _labelled(call: ast.Call, loops: Loops) -> Iterator[Printed]:
    """Yield the values of a printed text that have a label: ``val loss: {loss}``."""
    pieces = list(_pieces(call.args))
    names = [one.id for one in pieces if isinstance(one, ast.Name) and one.id in loops.texts]
    for text in loops.texts[names[0]] if names else [""]:
        filled = [text if isinstance(one, ast.Name) and one.id in names[:1] else one
                  for one in pieces]  # fmt: skip
        if called(call) != "print":
            filled = [_LOGGED, *filled]
        yield from _with_labels(filled, call.lineno, loops)


def _with_labels(pieces: Sequence[_Piece], line: int, loops: Loops) -> Iterator[Printed]:
    before = ""
    for piece in pieces:
        if isinstance(piece, str):
            before += piece
            continue
        label = _LABEL.search(before)
        start, before = before, ""
        if label is None:
            continue
        text = _BREAK.split(label[1].strip())[-1].strip()
        words, is_first = _words(text), start.startswith(_LOGGED + text)
        if "epoch" in words:
            from_zero = isinstance(piece, ast.Name) and piece.id in loops.from_zero
            if words[-1] == "epoch" and not from_zero and not {*words} & {*_OTHER_EPOCHS}:
                yield Printed("epoch", _pattern(text, r"([0-9]+)", after_words=is_first), line)
        elif mode_of(text):
            name = re.sub(r"\W+", "_", text).strip("_").lower()
            yield Printed(name, _pattern(text, _NUMBER, after_words=is_first), line)


def _pattern(label: str, number: str, *, after_words: bool) -> str:
    # The label must not be the end of a longer one: "loss" is none of "val loss". Patterns have no
    # lookaround, as RE2 has none.
    name = re.escape(label).replace(r"\ ", " ")
    before = "(?:^|[^A-Za-z_])" if after_words else r"(?:^|[^A-Za-z_\s])\s*"
    return rf"{before}{name}[\s:=(\[]*{number}"


def _pieces(arguments: Sequence[ast.expr]) -> Iterator[_Piece]:
    match arguments:
        # As in log.info("loss=%.3f", loss).
        case [ast.Constant(str(text)), _, *_] if _HOLE.search(text):
            yield from _split(_HOLE, text, arguments[1:])
            return
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
        case ast.FormattedValue(value):
            yield value
        case ast.BinOp(ast.Constant(str(text)), ast.Mod(), values):
            several = values.elts if isinstance(values, ast.Tuple) else [values]
            yield from _split(_HOLE, text, several)
        case ast.BinOp(left, ast.Add(), right):
            parts = [*_pieces_of(left), *_pieces_of(right)]
            yield from parts if any(isinstance(one, str) for one in parts) else [node]
        case ast.Call(ast.Attribute(ast.Constant(str(text)), "format"), values):
            yield from _split(re.compile(r"\{[^{}]*\}"), text, values)
        case _:
            yield node


def _split(hole: re.Pattern[str], text: str, values: Sequence[ast.expr]) -> Iterator[_Piece]:
    for index, part in enumerate(hole.split(text)):
        if index:
            yield values[index - 1] if index <= len(values) else None
        yield part
