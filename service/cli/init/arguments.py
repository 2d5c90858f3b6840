"""The arguments of a program, read from its source (argparse, click) or from its --help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["int", "float", "str", "bool", "on", "off", "both", "other"]

_ACTIONS: Mapping[str, Kind] = {"store_true": "on", "store_false": "off"}
_TYPES: Mapping[str, Kind] = {
    "int": "int", "float": "float", "str": "str", "bool": "bool", "INT": "int", "FLOAT": "float",
    "STRING": "str", "BOOL": "bool",
}  # fmt: skip
#: What --help prints of an option: its flags, perhaps a value, and text with a default.
_HELP_LINE = re.compile(
    r"^\s{1,8}(?:-\w(?:[ =][\w\[\]{},.|-]+)?,\s+)?(?P<flag>--[A-Za-z][\w.-]*)"
    r"(?:[ =](?P<value>\{[^}]*\}|<?[A-Z][\w.|-]*>?|\[[^\]]*\]))?(?:\s{2,}(?P<help>.*))?$"
)
_HELP_DEFAULT = re.compile(r"[\[(]default(?: is)?[:= ]\s*'?([^\])']+)'?[\])]", re.IGNORECASE)


@dataclass(frozen=True)
class Argument:
    """One argument: its ``flags`` (one bare name where it is positional) and what it takes."""

    flags: tuple[str, ...]
    kind: Kind
    default: Any = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    many: bool = False
    help: str = ""
    line: int = 0

    @property
    def flag(self) -> str:
        """The flag that is written: the first long one, else the first."""
        return next((one for one in self.flags if one.startswith("--")), self.flags[0])

    @property
    def name(self) -> str:
        """The flag without its dashes."""
        return self.flag.lstrip("-")

    @property
    def is_positional(self) -> bool:
        """Whether it has no flag."""
        return not self.flags[0].startswith("-")


def in_source(tree: ast.Module) -> list[Argument]:
    """Return the arguments that calls of add_argument, and click's options, declare literally."""
    names = dict(_constants(tree))
    found = (_declared(node, names) for node in ast.walk(tree) if isinstance(node, ast.Call))
    by_line = sorted((one for one in found if one is not None), key=lambda one: one.line)
    return list({one.name: one for one in by_line}.values())


def in_help(text: str) -> list[Argument]:
    """Return the options that a help text lists."""
    return [one for line in text.splitlines() if (one := _listed(line)) is not None]


def _constants(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Yield the names at the top of a module that stand for literal values."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                try:
                    yield target.id, ast.literal_eval(node.value)
                except (ValueError, TypeError, MemoryError, RecursionError):
                    continue


def _declared(call: ast.Call, names: Mapping[str, Any]) -> Argument | None:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if called not in ("add_argument", "option"):
        return None
    texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
    flags = tuple(text for text in texts if isinstance(text, str) and text)
    if called == "option":
        flags = tuple(flag for flag in flags if flag.startswith("-"))
    options = {word.arg: word.value for word in call.keywords if word.arg}
    if not flags or flags[0] in ("-h", "--help") or _word(options.get("action")) in _NO_VALUE:
        return None
    if "/" in flags[0]:  # click's --amp/--no-amp
        flags = (flags[0].partition("/")[0],)
        options["action"] = ast.Name("BooleanOptionalAction")
    default = _value(options.get("default"), names)
    choices = _value(options.get("choices"), names)
    return Argument(
        flags,
        _kind(options, default),
        default,
        tuple(choices) if isinstance(choices, list | tuple | set | range) else (),
        required=_value(options.get("required"), names) is True or flags[0][0] != "-",
        many="nargs" in options or _value(options.get("multiple"), names) is True,
        help=str(_value(options.get("help"), names) or ""),
        line=call.lineno,
    )


_NO_VALUE = ("help", "version", "count", "append", "append_const", "extend", "store_const")


def _kind(options: Mapping[str, ast.expr], default: Any) -> Kind:
    action = _word(options.get("action"))
    if action in _ACTIONS:
        return _ACTIONS[action]
    if action == "BooleanOptionalAction":
        return "both"
    if _value(options.get("is_flag"), {}) is True:
        return "on"
    if "type" in options:
        return _TYPES.get(_word(options["type"]), "other")
    return _kind_of(default) if default is not None else "str"


def _kind_of(value: Any) -> Kind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "str"


def _word(node: ast.expr | None) -> str:
    """Return the text of a constant, or the last part of a name: int, argparse.X, click.FLOAT."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.Name(name):
            return name
        case ast.Attribute(attr=name):
            return name
    return ""


def _value(node: ast.expr | None, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _listed(line: str) -> Argument | None:
    found = _HELP_LINE.match(line)
    if found is None or found["flag"] in ("--help", "--version"):
        return None
    value, text = found["value"], found["help"] or ""
    default = _HELP_DEFAULT.search(text)
    parsed = _parsed(default[1].strip()) if default else None
    choices: tuple[Any, ...] = ()
    if value and value.startswith("{"):
        choices = tuple(_parsed(one) for one in value[1:-1].split(","))
    kind: Kind = "on" if value is None else _kind_of(parsed) if parsed is not None else "str"
    if value and "INT" in value.upper():
        kind = "int"
    elif value and "FLOAT" in value.upper():
        kind = "float"
    return Argument((found["flag"],), kind, parsed, choices, help=text)


def _parsed(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
