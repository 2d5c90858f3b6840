"""The process that reads a file keeps to its limit of memory and answers in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.trainables.own_data.files import table
from trainables.own_data.__main__ import answer


def request(folder: Path, content: str, **options: Any) -> dict[str, Any]:
    (folder / "sent").write_text(content)
    return {
        "file": str(folder / "sent"), "out": str(folder / "out.npz"), "max_memory": 4 * 2**30,
        "options": options,
    }  # fmt: skip


def test_the_process_answers_with_a_card(tmp_path: Path) -> None:
    asked = request(tmp_path, table(), target="price")
    done = subprocess.run(
        [sys.executable, "-m", "trainables.own_data"], input=json.dumps(asked).encode(),
        capture_output=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["card"]["rows"] == 200
    assert told == json.loads(json.dumps(answer(asked)))


def test_problems_are_answered(tmp_path: Path) -> None:
    told = answer(request(tmp_path, table(), target="rent"))
    assert told["problems"][0]["code"] == "unknown_column"
    assert answer(request(tmp_path, table(), seed="x"))["problems"][0]["pointer"] == "/query/seed"
