"""The folder of one attempt at a trial, where a program finds its code and leaves its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trainables.program_limits import Limits


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder that nothing else uses, and that is removed after the attempt, with its limits.

    ``code`` in it is the trial's own copy of the code that was sent along, in which the program
    runs. The other places are made by :meth:`prepare`.
    """

    folder: Path
    limits: Limits = field(default_factory=Limits)

    @property
    def code(self) -> Path:
        """The folder that the program runs in."""
        return self.folder / "code"

    @property
    def checkpoint(self) -> Path:
        """The folder whose files are the trial's state."""
        return self.folder / "checkpoint"

    @property
    def config(self) -> Path:
        """The JSON file of the hyperparameters."""
        return self.folder / "config.json"

    @property
    def pipe(self) -> Path:
        """The named pipe of :func:`argbest.report`; made when the program starts."""
        return self.folder / "report"

    @property
    def python(self) -> Path:
        """A folder for PYTHONPATH, in which there is the package argbest and no other."""
        return self.folder / "python"

    def prepare(self, config: Mapping[str, Any]) -> None:
        """Make the folders, and write the hyperparameters."""
        for folder in (self.code, self.checkpoint, self.python):
            folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(dict(config)), encoding="utf-8")
        spec = find_spec("argbest")
        if spec is not None and spec.origin is not None:
            (self.python / "argbest").symlink_to(Path(spec.origin).parent)
