"""Ray Tune's side of a job: a searcher and a callback that pass everything to the segment queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from results.records import Failure
from results.states import FailureKind
from service.engine import memory_kills
from service.engine.messages import ASSIGNMENT, from_result
from service.engine.recorder import Recorder
from service.engine.segment_queue import FINISHED, LEAVE, SegmentQueue


class SegmentSearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Gives Tune the next segment; each is a trial of Tune's, whose id is the segment's."""

    def __init__(self, segments: SegmentQueue, recorder: Recorder) -> None:
        super().__init__()
        self._segments, self._recorder = segments, recorder
        #: What a call that Tune would have swallowed raised.
        self._error: Exception | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the Tune configuration of the next segment, or that there is none now or at all.

        What is known is written first: Tune waits a second where nothing runs.
        """
        if self._error is not None:
            raise self._error
        found = self._segments.next(trial_id)
        if found is None:
            self._recorder.flush_if_due()
            return None
        if found == FINISHED:
            return str(Searcher.FINISHED)
        return {ASSIGNMENT: None if found == LEAVE else found.to_json()}

    def on_trial_complete(
        self,
        trial_id: str,
        result: Mapping[str, Any] | None = None,
        error: bool = False,  # noqa: FBT001, FBT002 - Ray's signature
    ) -> None:
        """Take the end of a segment, whose last messages have come before.

        Tune takes an exception here for one of the trial, and only logs it.
        """
        text = memory_kills.reason()
        lost = Failure(FailureKind.OUT_OF_MEMORY, _NO_MEMORY, text) if text else None
        try:
            self._segments.end(trial_id, is_gone=error, lost=lost)
        except Exception as raised:  # noqa: BLE001 - it is raised by the next call
            self._error = raised

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: a driver that takes the job over starts from the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}


class MessageCallback(Callback):  # type: ignore[misc]  # Ray ships no types
    """Passes the messages of trial processes on, and has them written between Tune's steps."""

    def __init__(self, segments: SegmentQueue, recorder: Recorder) -> None:
        self._segments, self._recorder = segments, recorder

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Take the messages of one result."""
        self._segments.take(trial.trial_id, from_result(result))

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Ask segments to stop where there are too many, and write what has gathered."""
        self._segments.stop_surplus()
        self._recorder.flush_if_due()

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}


_NO_MEMORY = (
    "the machine ran out of memory and Ray ended the trial's process: use a smaller model, or "
    "fewer trials at once (max_concurrent_trials)"
)
