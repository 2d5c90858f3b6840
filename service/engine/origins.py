"""The checkpoints of other trials with which trials begin, kept until nobody needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from results.records import Checkpoint
from service.engine.recorder import Recorder


class Origins:
    """Drops checkpoints, but not one from which a trial is to go on that has none of its own."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        #: By the number of a trial: another one's checkpoint.
        self._needed: dict[int, Checkpoint] = {}
        #: Those that were dropped meanwhile, by name.
        self._dropped: dict[str, Checkpoint] = {}

    def keep(self, number: int, checkpoint: Checkpoint) -> None:
        """Keep another trial's checkpoint for the trial ``number``."""
        self._needed[number] = checkpoint

    def of(self, number: int) -> tuple[Checkpoint, ...]:
        """Return what a trial begins with, as its own, () for one that needs nothing.

        The training before it was the other trial's: its ``seconds`` are 0.
        """
        found = self._needed.get(number)
        return () if found is None else (replace(found, trial=number, seconds=0.0),)

    def forget(self, number: int) -> None:
        """Take that a trial has a checkpoint of its own, or has ended."""
        found = self._needed.pop(number, None)
        if found is not None and found.name in self._dropped:
            self.drop([self._dropped.pop(found.name)])

    def drop(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Drop a trial's checkpoints: now, or once no other one needs them."""
        listed = list(checkpoints)
        needed = {checkpoint.name for checkpoint in self._needed.values()}
        self._dropped |= {found.name: found for found in listed if found.name in needed}
        self._recorder.drop(found for found in listed if found.name not in needed)
