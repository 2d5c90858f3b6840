"""What needs a storage that is away waits for it, and not without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.storage import NotInStorage, Storage, StorageError
from service.engine.patience import PATIENCE_SECONDS, RETRY_SECONDS, Patience, fetch


class Waiting:
    """A patience over a clock that only its own sleep moves."""

    def __init__(self) -> None:
        self.now, self.said = 100.0, list[str]()
        self.patience = Patience(self.said.append, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_what_can_be_read_is_read_at_once() -> None:
    waiting = Waiting()
    assert waiting.patience.await_("code", lambda: 7) == 7
    assert (waiting.now, waiting.said) == (100.0, [])


def test_a_storage_that_comes_back_is_waited_for_and_said_once() -> None:
    waiting, answers = Waiting(), iter([StorageError("away"), StorageError("still away"), "here"])

    def read() -> str:
        answer = next(answers)
        if isinstance(answer, StorageError):
            raise answer
        return str(answer)

    assert waiting.patience.await_("data", read) == "here"
    assert waiting.said == ["waits for its data: away"]
    assert waiting.now == 100.0 + 2 * RETRY_SECONDS


def test_a_storage_that_stays_away_is_given_up(tmp_path: Path) -> None:
    waiting, storage = Waiting(), Storage(str(tmp_path / "not mounted"))
    with pytest.raises(StorageError, match="mount it"):
        waiting.patience.await_("code", lambda: fetch(storage, "code/x", tmp_path / "x"))
    assert waiting.now == 100.0 + PATIENCE_SECONDS


def test_a_file_that_is_gone_for_good_is_not_waited_for(tmp_path: Path) -> None:
    waiting, storage = Waiting(), Storage(str(tmp_path / "storage"))
    storage.sign()
    with pytest.raises(NotInStorage):
        waiting.patience.await_("code", lambda: fetch(storage, "code/x", tmp_path / "x"))
    assert waiting.now == 100.0
