"""The folder of one attempt."""

from __future__ import annotations

import json
from pathlib import Path

from trainables.workplace import Workplace


def test_a_program_finds_its_folders_its_parameters_and_argbest_alone(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "work")
    place.code.mkdir(parents=True)
    (place.code / "train.py").touch()
    place.prepare({"lr": 0.5, "sizes": [1]})
    assert json.loads(place.config.read_text()) == {"lr": 0.5, "sizes": [1]}
    assert list(place.checkpoint.iterdir()) == []
    assert [path.name for path in place.python.iterdir()] == ["argbest"]
    assert (place.python / "argbest" / "reporting.py").is_file()
    assert (place.code / "train.py").is_file()
