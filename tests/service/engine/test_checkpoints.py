"""A trial's checkpoints: which one a segment goes on from, when the next one is wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.records import Checkpoint
from results.storage import Storage, StorageError
from service.engine import segment_folders
from service.engine.checkpoints import RETRY_SECONDS, SegmentCheckpoints, end_mark, stop_mark
from service.engine.messages import Assignment, Checkpointed, Message, Output, Wish
from service.engine.patience import PATIENCE_SECONDS
from tests.service.stand_ins import spec, trial_context

EPOCHS = 10
STATES = {4: b"the state after epoch 4", 6: b"the state after epoch 6"}


class Segment:
    """The checkpoints of a segment, over a storage in a folder and a clock that is set."""

    def __init__(
        self, folder: Path, *offered: Checkpoint, keep: int = 1, until: int = EPOCHS, **space: Any
    ) -> None:
        self.now, self.sent = 100.0, list[Message]()
        self.after_sleep: Callable[[], None] = self._nothing_comes_back
        self.storage = Storage(str(folder / "storage"))
        job = spec(epochs=EPOCHS, keep=keep, **space)
        self.context = trial_context(job, folder / "storage", checkpoint_seconds=30.0)
        self.assignment = Assignment("segment", 7, {}, 42, until, offered)
        self.checkpoints = self.begun()
        self.file = folder / "state.npz"

    def begun(self) -> SegmentCheckpoints:
        return SegmentCheckpoints(
            self.assignment, self.context, self.sent.append, self.storage,
            clock=lambda: self.now, sleep=self._sleep,
        )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.after_sleep()

    def _nothing_comes_back(self) -> None:
        raise AssertionError("nothing here is to be waited for")

    def wish(self, epoch: int, *, can_resume: bool = True) -> Wish:
        return self.checkpoints.wish(epoch, can_resume=can_resume)

    def store(self, epoch: int) -> bool:
        self.file.write_bytes(b"a state")
        return self.checkpoints.store(self.file, epoch, 2.5)


def offered(folder: Path, *, damaged: str = "") -> tuple[Checkpoint, ...]:
    """Put two checkpoints into the storage; do something to the newer one."""
    storage, found = Storage(str(folder / "storage")), []
    storage.sign()
    for epoch, state in reversed(STATES.items()):
        name = f"jobs/a/7/{epoch}.npz"
        digest = hashlib.sha256(state).hexdigest()
        found.append(Checkpoint(7, epoch, 0.5 * epoch, name, len(state), digest))
        is_damaged = damaged and epoch == 6
        changed = {"cut": state[:-1], "changed": state[:-1] + b"7", "lost": b""}.get(damaged, b"")
        source = folder / "source"
        source.write_bytes(changed if is_damaged else state)
        if not (is_damaged and damaged == "lost"):
            storage.save(name, source)
    return tuple(found)


def test_a_segment_goes_on_from_the_newest_checkpoint(tmp_path: Path) -> None:
    segment = Segment(tmp_path, *offered(tmp_path))
    with segment.checkpoints.fetched() as resume:
        assert (resume.epoch, resume.seconds, resume.note) == (6, 3.0, "")
        assert resume.path is not None
        assert resume.path.read_bytes() == STATES[6]
        folder = segment.checkpoints.folder
    assert not folder.exists()


def test_a_folder_that_cannot_be_removed_is_a_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in a container may leave files of another user; its trial went well."""
    segment = Segment(tmp_path)

    def refuse(folder: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(folder))

    monkeypatch.setattr(segment_folders, "remove_folder", refuse)
    with segment.checkpoints.fetched():
        folder = segment.checkpoints.folder
    folder.rmdir()
    (said,) = segment.sent
    assert isinstance(said, Output)
    assert said.text.startswith("trial 7 leaves its folder behind: ")
    assert str(folder) in said.text


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("cut", "has 22 bytes of 23"),
        ("changed", "is damaged: its SHA-256 is not the recorded one"),
        ("lost", "is not in the storage"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_passed_over_with_a_note(
    tmp_path: Path, damage: str, words: str
) -> None:
    segment = Segment(tmp_path, *offered(tmp_path, damaged=damage))
    with segment.checkpoints.fetched() as resume:
        assert resume.epoch == 4
        assert resume.path is not None
        assert resume.path.read_bytes() == STATES[4]
    assert resume.note.startswith("the checkpoint after epoch 6 is left out: jobs/a/7/6.npz ")
    assert words in resume.note


def test_without_a_checkpoint_that_can_be_used_a_trial_begins_again(tmp_path: Path) -> None:
    newer, _ = offered(tmp_path, damaged="cut")
    segment = Segment(tmp_path, newer)
    with segment.checkpoints.fetched() as resume:
        assert (resume.epoch, resume.path) == (0, None)
        assert "after epoch 6 is left out" in resume.note


def test_a_storage_that_is_not_mounted_is_waited_for(tmp_path: Path) -> None:
    segment = Segment(tmp_path, *offered(tmp_path))
    folder, begun = tmp_path / "storage", segment.now
    mounted = folder.rename(tmp_path / "mounted")
    folder.mkdir()

    def mount() -> None:
        if segment.now - begun >= PATIENCE_SECONDS / 2:
            folder.rmdir()
            mounted.rename(folder)

    segment.after_sleep = mount
    with segment.checkpoints.fetched() as resume:
        assert (resume.epoch, resume.note) == (6, "")
    (said,) = segment.sent
    assert isinstance(said, Output)
    assert said.text.startswith("trial 7 waits for its checkpoints: the storage ")


def test_where_no_storage_is_shared_a_trial_begins_again_after_a_while(tmp_path: Path) -> None:
    segment = Segment(tmp_path, *offered(tmp_path))
    (tmp_path / "storage").rename(tmp_path / "on another machine")
    segment.after_sleep = lambda: None
    with segment.checkpoints.fetched() as resume:
        assert (resume.epoch, resume.path) == (0, None)
    assert "cannot be read: the storage" in resume.note
    assert segment.now == 100.0 + PATIENCE_SECONDS


def test_a_file_that_cannot_be_read_now_is_waited_for(tmp_path: Path) -> None:
    """A folder in its place stands for a server that is away: it exists and cannot be read."""
    newer, older = offered(tmp_path)
    segment = Segment(tmp_path, newer, older)
    file = tmp_path / "storage" / newer.name
    away = file.rename(file.with_suffix(".away"))
    file.mkdir()

    def back() -> None:
        file.rmdir()
        away.rename(file)

    segment.after_sleep = back
    with segment.checkpoints.fetched() as resume:
        assert (resume.epoch, resume.note) == (6, "")
    assert segment.now == 100.0 + RETRY_SECONDS


def test_a_checkpoint_is_wanted_every_so_many_seconds(tmp_path: Path) -> None:
    segment = Segment(tmp_path)
    assert segment.wish(1) == Wish()
    segment.now += 30.0
    assert segment.wish(2) == Wish(checkpoint=True)
    assert segment.wish(2, can_resume=False) == Wish()
    assert segment.store(2)
    assert segment.wish(3) == Wish()
    segment.now += 30.0
    assert segment.wish(4) == Wish(checkpoint=True)


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_the_last_state_is_the_model_where_models_are_kept(tmp_path: Path, keep: int) -> None:
    segment = Segment(tmp_path, keep=keep)
    for can_resume in (True, False):
        assert segment.wish(EPOCHS, can_resume=can_resume) == Wish(checkpoint=keep > 0)
    segment.checkpoints.stop_requested = True
    assert not segment.wish(EPOCHS).stop, "it ends there anyway"


def test_a_segment_that_is_asked_to_stop_does_so_at_its_next_state(tmp_path: Path) -> None:
    segment = Segment(tmp_path)
    segment.checkpoints.look_for_stop()
    assert segment.wish(1) == Wish()
    segment.storage.mark(stop_mark(segment.context.job_id, "segment"))
    segment.checkpoints.look_for_stop()
    assert segment.wish(1) == Wish(checkpoint=True, stop=True)
    assert segment.wish(1, can_resume=False) == Wish(), "it would have to begin again"


def test_a_stored_checkpoint_is_sent_with_its_digest(tmp_path: Path) -> None:
    segment = Segment(tmp_path)
    assert segment.store(3)
    (message,) = segment.sent
    assert isinstance(message, Checkpointed)
    found = message.checkpoint
    name = f"jobs/{segment.context.job_id}/7/segment-3.npz"
    assert found == Checkpoint(7, 3, 2.5, name, 7, hashlib.sha256(b"a state").hexdigest())
    assert segment.storage.names() == [name]
    assert not segment.file.exists()


def test_a_storage_that_fails_stops_nothing_and_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("the server is away")

    segment = Segment(tmp_path)
    segment.checkpoints.stop_requested = True
    with monkeypatch.context() as away:
        away.setattr(segment.storage, "save", fail)
        assert not segment.store(3)
    text = "the state after epoch 3 could not be stored: the server is away; training"
    assert segment.sent == [Output(f"{text} goes on\n")]
    assert segment.wish(4) == Wish()
    segment.now += RETRY_SECONDS
    assert segment.wish(5) == Wish(checkpoint=True, stop=True)
    assert segment.store(5)


def test_a_state_that_is_too_large_to_be_loaded_is_not_stored(tmp_path: Path) -> None:
    """A trial would fail as it goes on from it; without, it trains on and cannot be stopped."""
    segment = Segment(tmp_path)
    segment.context = replace(segment.context, max_checkpoint_bytes=6)
    segment.checkpoints = segment.begun()
    segment.checkpoints.stop_requested = True
    assert not segment.store(3)
    assert segment.storage.names() == []
    assert not segment.file.exists()
    why = "it has 7 bytes, more than 6 (ARGBEST_MAX_CHECKPOINT_BYTES)"
    text = f"the state after epoch 3 could not be stored: {why}; training goes on"
    assert segment.sent == [Output(f"{text}\n")]
    segment.now += 100 * RETRY_SECONDS
    assert segment.wish(4) == Wish(), "the next one is as large"


def test_a_checkpoint_larger_than_what_is_loaded_now_is_passed_over(tmp_path: Path) -> None:
    newer, older = offered(tmp_path)
    segment = Segment(tmp_path, replace(newer, size=2**20 + 1), older)
    with segment.checkpoints.fetched() as resume:
        assert resume.epoch == 4
    assert "jobs/a/7/6.npz has 1,048,577 bytes, more than 1,048,576 (ARGBEST_" in resume.note


def test_a_segment_ends_with_a_checkpoint_after_its_last_epoch(tmp_path: Path) -> None:
    segment = Segment(tmp_path, until=3)
    assert segment.wish(2) == Wish()
    assert segment.wish(3) == Wish(checkpoint=True, end=True)
    assert segment.wish(3, can_resume=False) == Wish(end=True)


def test_a_segment_that_is_asked_to_end_stops_without_a_checkpoint(tmp_path: Path) -> None:
    segment = Segment(tmp_path, budget={"seconds": 60})
    segment.checkpoints.look_for_stop()
    assert segment.wish(1) == Wish()
    segment.storage.mark(end_mark(segment.context.job_id, "segment"))
    segment.checkpoints.look_for_stop()
    assert segment.wish(2, can_resume=False) == Wish(end=True)
    assert segment.wish(EPOCHS) == Wish(checkpoint=True), "it has trained all its epochs"
