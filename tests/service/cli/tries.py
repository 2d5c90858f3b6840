"""Runs `argbest try` in a fork of the tests' process, as the command itself does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from service.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: object
    out: str
    err: str


@dataclass(frozen=True)
class Tries:
    """Runs the command in a folder, with its folders for temporary files in another."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    places: Path

    def __call__(self, folder: Path, *arguments: str) -> Done:
        """Run `argbest try` with the arguments."""
        with self.patch.context() as patch:
            patch.chdir(folder)
            patch.setattr("tempfile.tempdir", str(self.places))
            self.capture.readouterr()
            with pytest.raises(SystemExit) as ended:
                main.main(["try", *arguments], prog_name="argbest", standalone_mode=False)
        return Done(ended.value.code, *self.capture.readouterr())


@pytest.fixture
def try_it(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tries:
    """Return what runs the command; what it leaves behind would be in ``try_it.places``."""
    return Tries(capfd, monkeypatch, tmp_path_factory.mktemp("tries"))
