"""Checkpoints of other trials are kept until those that begin with them have their own."""

from __future__ import annotations

from collections.abc import Iterable

from results.records import Checkpoint
from service.engine.origins import Origins


class Dropped:
    """Keeps the names of the checkpoints that are dropped."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def drop(self, checkpoints: Iterable[Checkpoint]) -> None:
        self.names += [checkpoint.name for checkpoint in checkpoints]


def checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(0, epoch, 1.5, f"0-{epoch}", 9, "0" * 64)


def test_one_that_is_needed_goes_once_nobody_needs_it() -> None:
    dropped = Dropped()
    origins = Origins(dropped)  # type: ignore[arg-type]
    for copy in (4, 5):
        origins.keep(copy, checkpoint(2))
    origins.drop([checkpoint(1), checkpoint(2)])
    origins.forget(4)
    assert dropped.names == ["0-1"]
    origins.forget(5)
    assert dropped.names == ["0-1", "0-2"]
    origins.forget(5)
    assert dropped.names == ["0-1", "0-2"]


def test_one_that_its_own_trial_still_has_stays() -> None:
    dropped = Dropped()
    origins = Origins(dropped)  # type: ignore[arg-type]
    origins.keep(4, checkpoint(2))
    origins.forget(4)
    assert dropped.names == []


def test_a_trial_takes_it_as_its_own_of_no_seconds() -> None:
    origins = Origins(Dropped())  # type: ignore[arg-type]
    origins.keep(4, checkpoint(2))
    assert origins.of(4) == (Checkpoint(4, 2, 0.0, "0-2", 9, "0" * 64),)
    assert origins.of(5) == ()
