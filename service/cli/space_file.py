"""Writes a search space as a file that people go on with: short lines, comments, never over one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from search_spaces.errors import YamlError
from search_spaces.yaml_files import load_yaml
from service.cli.text import clean

#: Texts that YAML reads as they are, unless they are another value: words, paths, flags.
_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+( [A-Za-z0-9_./+-]+)*")
#: Members that are written one entry a line.
_NESTED = ("parameters", "flags", "patterns", "environment")
_WIDTH = 98


def flow(value: Any) -> str:
    """Return a JSON value as YAML on one line: ``{low: 0.1, high: 0.9}``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.startswith("-") or len(text) > _WIDTH:
        return False
    try:
        return bool(load_yaml(text).value == text)
    except YamlError:
        return False


def _quoted(text: str) -> str:
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in written)


def rendered(
    space: Mapping[str, Any],
    *,
    header: Iterable[str] = (),
    above: Mapping[str, Iterable[str]] | None = None,
    beside: Mapping[str, str] | None = None,
) -> str:
    """Return a space in JSON as a YAML text with comments.

    ``above`` has lines before a key and ``beside`` a remark behind it, by the key, or by
    ``parameters/NAME`` for an entry of one of the nested members.
    """
    above, beside = above or {}, beside or {}
    lines = [*map(_comment, header)]
    for key, value in space.items():
        lines += map(_comment, above.get(key, ()))
        remark = _remark(beside.get(key))
        if key in _NESTED and value:
            lines.append(f"{key}:{remark}")
            for name, one in value.items():
                path = f"{key}/{name}"
                lines += (f"  {_comment(line)}" for line in above.get(path, ()))
                lines.append(f"  {flow(name)}: {flow(one)}{_remark(beside.get(path))}")
        else:
            lines.append(f"{key}: {flow(value)}{remark}")
    lines += map(_comment, above.get("", ()))
    return "\n".join(lines) + "\n"


def _comment(line: str) -> str:
    return f"# {clean(line)}".replace("\n", " ").rstrip()


def _remark(text: str | None) -> str:
    return f"  {_comment(text)}" if text else ""


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet; one that is, is a usage error and stays as it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(
            f"{path} exists and is not overwritten; name another file with --output"
        ) from None
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from error
