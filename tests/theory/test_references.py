"""Every work that the hand-in cites is in its list of references, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "docs" / "theory").glob("*.typ"), ROOT / "handin" / "handin.typ"]
CITATION = re.compile(r"([A-Z]\w+(?: [A-Z]\w+)?)(?: and [A-Z]\w+| et al\.)?,\s(\d{4})\b")


def test_cited_works_are_listed_and_listed_works_are_cited():
    cited, listed = set(), set()
    for path in SOURCES:
        text = " ".join(path.read_text(encoding="utf-8").split())
        if path.stem != "references":
            cited |= {f"{name} {year}" for name, year in CITATION.findall(text)}
    entries = (ROOT / "docs" / "theory" / "references.typ").read_text(encoding="utf-8")
    for entry in entries.split("\n\n")[2:]:
        first_author, year = re.match(r"([^,]+), .*?\((\d{4})\)\.", entry, re.DOTALL).groups()
        listed.add(f"{first_author} {year}")
    assert len(cited) >= 8
    assert cited == listed
