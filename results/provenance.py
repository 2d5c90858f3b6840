"""What a job runs and where it came from, as pairs of a label and a text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from search_spaces import COMMAND, NO_DATASET, printable

_LONGEST = 500
#: Characters that need no quotes in a command that is shown.
_PLAIN = frozenset("{}[]=,:+@%/._-")


def provenance(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the job of a specification (as JSON, perhaps another version's) runs.

    A registered trainable has its name and its data set; a program its command, its code, its
    environment, and what its sender said of the source. Pairs without a text are left out.
    """
    trainable, dataset = spec.get("trainable", ""), spec.get("dataset", "")
    environment, data = spec.get("environment") or {}, spec.get("data") or {}
    pairs = [
        ("Trainable", "" if trainable == COMMAND else trainable),
        ("Command", command_text(spec.get("command") or ())),
        ("Data set", "" if dataset == NO_DATASET else dataset),
        ("Data content", f"sha256:{data['digest']}" if data.get("digest") else ""),
        ("Code", spec.get("code", "")),
        ("Environment", " ".join(f"{name}={_quoted(v)}" for name, v in environment.items())),
        *_source(spec.get("source") or {}),
    ]
    return [(label, _cut(text)) for label, text in pairs if text]


def command_text(command: Any) -> str:
    """Return a list of arguments as one line; quotes stand where a shell would need them."""
    return " ".join(_quoted(str(argument)) for argument in command)


def _source(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the sender said: any of it may be absent, or of any type."""
    commit, changed = source.get("commit"), source.get("dirty")
    git = f"{commit}{', with changes' if changed else ''}" if commit else ""
    where = [source.get(key) for key in ("platform", "machine")]
    packages = source.get("packages")
    named = packages.items() if isinstance(packages, Mapping) else ()
    return [
        ("Folder", str(source.get("folder") or "")),
        ("Git commit", git),
        ("Sender's Python", str(source.get("python") or "")),
        ("Sender's machine", ", ".join(str(part) for part in where if part)),
        ("Sender's packages", ", ".join(f"{name} {version}" for name, version in named)),
    ]


def _quoted(text: str) -> str:
    is_plain = text != "" and all(c.isalnum() or c in _PLAIN for c in text)
    return text if is_plain else shlex.quote(text)


def _cut(text: str) -> str:
    shown = printable(str(text))
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."
