"""Ray Tune's side of a job: a searcher and a callback that pass everything to its segment queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from results.records import Failure
from results.states import FailureKind
from service.engine import memory_kills
from service.engine.messages import ASSIGNMENT, CONTEXT, Message, from_result
from service.engine.recorder import Recorder
from service.engine.segment_queue import FINISHED, LEAVE, SegmentQueue


@dataclass(frozen=True, slots=True)
class Work:
    """A job's segments, to be run until it has none left.

    ``context`` is what all of them have in common, as
    :meth:`service.engine.training.TrialContext.to_bytes` gives it, and ``resources`` how many CPUs
    and GPUs each takes.
    """

    segments: SegmentQueue
    recorder: Recorder
    context: bytes
    resources: tuple[float, float]


class SegmentSearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Gives Tune the next segment; each is a trial of Tune's, whose id is the segment's.

    When a job has no more, the next of ``works`` is asked for, which may wait for it. ``begun``
    counts the segments.
    """

    def __init__(self, works: Iterator[Work]) -> None:
        super().__init__()
        self._works = works
        #: What is worked on, None before and after all.
        self.work: Work | None = None
        #: What the segments are of that have not ended; a process that only leaves is of none.
        self._of: dict[str, Work] = {}
        self.begun = 0
        #: What a call that Tune would have swallowed raised.
        self._error: Exception | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the Tune configuration of the next segment, or that there is none now or at all.

        What is known is written first: Tune waits a second where nothing runs.
        """
        if self._error is not None:
            raise self._error
        if self.work is None:
            self.work = next(self._works, None)
        while self.work is not None:
            found = self.work.segments.next(trial_id)
            if found is None:
                self.work.recorder.flush_if_due()
                return None
            if found != FINISHED:
                self.begun += 1
                if found == LEAVE:
                    return {ASSIGNMENT: None, CONTEXT: self.work.context}
                self._of[trial_id] = self.work
                return {ASSIGNMENT: found.to_json(), CONTEXT: self.work.context}
            self.work = next(self._works, None)
        return str(Searcher.FINISHED)

    def on_trial_complete(
        self,
        trial_id: str,
        result: Mapping[str, Any] | None = None,
        error: bool = False,  # noqa: FBT001, FBT002 - Ray's signature
    ) -> None:
        """Take the end of a segment, whose last messages have come before.

        The end of a process that was told to leave may come when the next job has begun.
        Tune takes an exception here for one of the trial, and only logs it.
        """
        text = memory_kills.reason()
        lost = Failure(FailureKind.OUT_OF_MEMORY, _NO_MEMORY, text) if text else None
        work = self._of.pop(trial_id, None)
        try:
            if work is not None:
                work.segments.end(trial_id, is_gone=error, lost=lost)
        except Exception as raised:  # noqa: BLE001 - it is raised by the next call
            self._error = raised

    def take(self, trial_id: str, messages: Iterable[Message]) -> None:
        """Take what a running segment has sent."""
        if trial_id in self._of:
            self._of[trial_id].segments.take(trial_id, messages)

    def look(self) -> None:
        """Ask segments to stop where there are too many, and write what has gathered."""
        if self.work is not None:
            self.work.segments.stop_surplus()
            self.work.recorder.flush_if_due()

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: a driver that takes the job over starts from the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}


class MessageCallback(Callback):  # type: ignore[misc]  # Ray ships no types
    """Passes the messages of trial processes on, and has them written between Tune's steps."""

    def __init__(self, searcher: SegmentSearcher) -> None:
        self._searcher = searcher

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Take the messages of one result."""
        self._searcher.take(trial.trial_id, from_result(result))

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Look after what runs."""
        self._searcher.look()

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}


_NO_MEMORY = (
    "the machine ran out of memory and Ray ended the trial's process: use a smaller model, or "
    "fewer trials at once (max_concurrent_trials)"
)
