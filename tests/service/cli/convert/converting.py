"""Converts texts in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search_spaces import SearchSpace
from service.cli.convert import Converted, read


def converted(folder: Path, text: str, *, name: str = "file.yaml", **options: Any) -> Converted:
    """What the command makes of a file; its space is one that can be read."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    found = read(path, **options)
    assert found.problems == ()
    SearchSpace.from_json(found.space)
    return found
