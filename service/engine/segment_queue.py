"""Decides which segment a job runs next, which ones stop, and what becomes of trials that end."""

from __future__ import annotations

import logging
import sys
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from results.records import Checkpoint, EpochReport, Failure, NewTrial, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, TrialState
from results.store import AddCheckpoint, AddTrial, FinishTrial, RequeueTrial, StartTrial
from service.engine.allowance import Allowance
from service.engine.messages import (
    Assignment,
    Checkpointed,
    End,
    Epoch,
    Failed,
    Finished,
    Message,
    Output,
    Started,
    Stopped,
)
from service.engine.recorder import Recorder
from service.log_lines import log_state

if TYPE_CHECKING:
    from service.search.samplers import Sampler

logger = logging.getLogger("service.engine.driver")

#: Extra restarts for lost processes, on top of ``max_failures``, which counts only the failures
#: that trials report. A trial that has made a checkpoint since its last loss has them again.
LOST_RETRIES = 3
#: Checkpoints of an unfinished trial that are kept: the newest, and one in case that is damaged.
CHECKPOINTS_KEPT = 2
FINISHED: Literal["finished"] = "finished"
#: The answer that ends a process which waits for another segment: its slot is another job's.
LEAVE: Literal["leave"] = "leave"


@dataclass(order=True, slots=True)
class _Trial:
    """An unfinished trial; ``checkpoints`` newest first, ``value`` the last one of the metric."""

    number: int
    parameters: Mapping[str, Any] = field(compare=False)
    seed: int = field(compare=False)
    checkpoints: list[Checkpoint] = field(default_factory=list, compare=False)
    value: float | None = field(default=None, compare=False)
    is_retry: bool = field(default=False, compare=False)
    failures: int = field(default=0, compare=False)
    losses: int = field(default=0, compare=False)


@dataclass(slots=True)
class _Segment:
    """A segment that runs or waits for its slot."""

    id: str
    trial: _Trial
    has_started: bool = False
    is_to_stop: bool = False
    end: End | None = None


class SegmentQueue:
    """The segments of one job; every decision about its trials is made here.

    ``ask_to_stop`` is called with the id of a segment that is to end at its next checkpoint.
    """

    def __init__(
        self,
        job_id: str,
        spec: JobSpec,
        records: Sequence[TrialRecord],
        checkpoints: Iterable[Checkpoint],
        *,
        allowance: Allowance,
        recorder: Recorder,
        sampler: Sampler | None,
        ask_to_stop: Callable[[str], None],
    ) -> None:
        self._job_id, self._spec = job_id, spec
        self._allowance, self._recorder, self._sampler = allowance, recorder, sampler
        self._ask_to_stop = ask_to_stop
        metric = spec.space.metric
        self._waiting = [
            _Trial(r.number, r.parameters, r.seed, value=r.metrics.get(metric))
            for r in sorted(records, key=lambda record: record.number)
            if not r.state.is_finished
        ]
        by_number = {trial.number: trial for trial in self._waiting}
        for checkpoint in checkpoints:
            if checkpoint.trial in by_number:
                by_number[checkpoint.trial].checkpoints.append(checkpoint)
        taken = {record.number for record in records}
        #: Whether the run is over because the job pauses.
        self.has_paused = False
        #: Whether the run is over because the job has no slot now.
        self.has_no_slot = False
        #: How many processes wait for a segment, and the ids under which others are told to leave.
        self._idle = 0
        self._leaving: set[str] = set()
        #: The numbers of trials that a sampler has still to draw.
        self._free = [n for n in range(spec.trials) if sampler and n not in taken]
        self._running: dict[str, _Segment] = {}

    def next(self, segment_id: str) -> Assignment | Literal["finished", "leave"] | None:
        """Return the segment to run next, under this id; None to wait.

        The run is over when nothing runs and nothing is to begin, also because the job pauses or
        has no slot now. Tune keeps the process of a segment that has ended for the next one, and
        with it the slot: where there is no next one, the process is to leave.
        """
        trial = None
        if not self._allowance.pausing and len(self._running) < self._most:
            trial = self._next_trial()
        if trial is None:
            if self._running:
                return self._leave(segment_id)
            self._idle = 0  # Tune ends them with its run
            is_over = not (self._waiting or self._free)
            self.has_paused = self._allowance.pausing and not is_over
            self.has_no_slot = not (is_over or self.has_paused)
            return FINISHED
        self._idle = max(0, self._idle - 1)
        self._running[segment_id] = _Segment(segment_id, trial)
        found = tuple(trial.checkpoints)
        return Assignment(segment_id, trial.number, trial.parameters, trial.seed, found)

    def take(self, segment_id: str, messages: Iterable[Message]) -> None:
        """Take what a running segment has sent."""
        segment = self._running[segment_id]
        for message in messages:
            self._take(segment, message)

    def end(self, segment_id: str, *, is_gone: bool = False, lost: Failure | None = None) -> None:
        """Take the end of a segment.

        ``is_gone`` says that its process has gone with it, ``lost`` why if that is known.
        """
        if segment_id in self._leaving:
            self._leaving.remove(segment_id)
            return
        segment = self._running.pop(segment_id)
        trial = segment.trial
        self._idle += not is_gone
        match segment.end:
            case Finished():
                self._finish(trial, TrialState.SUCCEEDED)
            case Stopped():
                self._put_back(trial, f"goes on after epoch {trial.checkpoints[0].epoch}")
            case Failed(failure):
                self._fail(segment, failure)
            case None:
                self._fail(segment, lost or Failure(FailureKind.WORKER_LOST, _LOST))

    def stop_surplus(self) -> None:
        """Ask segments to stop where more run than the job may run now, the last trials first."""
        staying = [segment for segment in self._running.values() if not segment.is_to_stop]
        surplus = len(staying) - (0 if self._allowance.pausing else self._most)
        staying.sort(key=lambda segment: segment.trial.number, reverse=True)
        for segment in staying[: max(0, surplus)]:
            segment.is_to_stop = True
            self._ask_to_stop(segment.id)

    def _leave(self, segment_id: str) -> Literal["leave"] | None:
        if not self._idle:
            return None
        self._idle -= 1
        self._leaving.add(segment_id)
        return LEAVE

    @property
    def _most(self) -> int:
        limit = self._spec.max_concurrent_trials
        slots = self._allowance.slots
        return slots if limit is None else min(slots, limit)

    def _next_trial(self) -> _Trial | None:
        if self._waiting:
            return self._waiting.pop(0)
        if not self._free or self._sampler is None:
            return None
        number = self._free.pop(0)
        parameters = self._sampler.draw(number)
        self._recorder.add(AddTrial(NewTrial(number, parameters, self._spec.seed)))
        return _Trial(number, parameters, self._spec.seed)

    def _take(self, segment: _Segment, message: Message) -> None:
        trial, number = segment.trial, segment.trial.number
        match message:
            case Started(node, resumed_from, note):
                self._start(segment, node, resumed_from, note)
            case Epoch(epoch, metrics, seconds, engine):
                trial.value = metrics.get(self._spec.space.metric, trial.value)
                # Attempt 0 is the current one, which the store has by then.
                report = EpochReport(number, 0, epoch, metrics, seconds, engine)
                self._recorder.report(report)
            case Checkpointed(checkpoint):
                self._recorder.add(AddCheckpoint(checkpoint))
                trial.checkpoints.insert(0, checkpoint)
                trial.losses = 0
                self._recorder.drop(trial.checkpoints[CHECKPOINTS_KEPT:])
                del trial.checkpoints[CHECKPOINTS_KEPT:]
            case Output(text):
                sys.stdout.write(text)
                sys.stdout.flush()
            case Finished() | Stopped() | Failed():
                segment.end = message

    def _start(self, segment: _Segment, node: str | None, resumed_from: int, note: str) -> None:
        trial, segment.has_started = segment.trial, True
        self._recorder.add(StartTrial(trial.number, node, resumed_from, trial.is_retry))
        trial.is_retry = False
        log_state(logger, self._job_id, TrialState.RUNNING, trial=trial.number)
        if note:
            where = f"after epoch {resumed_from}" if resumed_from else "from epoch 1"
            logger.warning("trial %d goes on %s: %s", trial.number, where, note)
            # What could not be read this time is not tried again.
            left = [found for found in trial.checkpoints if found.epoch <= resumed_from]
            self._recorder.drop(found for found in trial.checkpoints if found not in left)
            trial.checkpoints = left
        elif resumed_from:
            logger.info("trial %d goes on after epoch %d", trial.number, resumed_from)

    def _fail(self, segment: _Segment, failure: Failure) -> None:
        trial = segment.trial
        if failure.kind is FailureKind.WORKER_LOST:
            trial.losses += 1
        else:
            trial.failures += 1
        spent = trial.failures > self._spec.max_failures or (
            trial.failures + trial.losses > self._spec.max_failures + LOST_RETRIES
        )
        if failure.kind.is_retried and not spent:
            logger.warning("trial %d is started again: %s", trial.number, failure.message)
            trial.is_retry = True
            self._put_back(trial, failure.kind)
            return
        if not segment.has_started:  # its process died before it could say that it had begun
            self._start(segment, None, 0, "")
        self._finish(trial, TrialState.FAILED, failure)

    def _put_back(self, trial: _Trial, detail: str) -> None:
        self._recorder.add(RequeueTrial(trial.number, detail))
        insort(self._waiting, trial)

    def _finish(self, trial: _Trial, state: TrialState, error: Failure | None = None) -> None:
        self._recorder.add(FinishTrial(trial.number, state, error))
        # The model of a trial that has succeeded stays until others are known to be better.
        last = self._spec.space.epochs if state is TrialState.SUCCEEDED else None
        self._recorder.drop(found for found in trial.checkpoints if found.epoch != last)
        log_state(logger, self._job_id, state, trial=trial.number)
        if self._sampler is not None:
            space, succeeded = self._spec.space, state is TrialState.SUCCEEDED
            if succeeded and trial.value is not None:
                loss = -trial.value if space.mode == "max" else trial.value
                self._sampler.observe(trial.number, space.epochs, (loss,), ())
            self._sampler.end(trial.number, succeeded=succeeded)


_LOST = "the trial's process was lost: it was killed, it crashed, or its node died"
