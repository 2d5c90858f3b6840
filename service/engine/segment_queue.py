"""Runs the steps of a job's search in segments: slots, retries, checkpoints and stops."""

from __future__ import annotations

import logging
import math
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

from results.ranking import MODEL_BYTES
from results.records import Checkpoint, EpochReport, Failure, NewTrial
from results.spec import JobSpec
from results.states import FailureKind, TrialState
from results.store import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    NoteUsage,
    PauseTrial,
    PlanTrials,
    RequeueTrial,
    StartTrial,
)
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
    Used,
)
from service.engine.origins import Origins
from service.engine.recorder import Recorder
from service.engine.trial_output import TrialOutput
from service.log_lines import log_state
from service.search.scheduler import Action
from service.search.search import Search, Step

logger = logging.getLogger("service.engine.driver")

#: Extra restarts for lost processes, on top of ``max_failures``, which counts only the failures
#: that trials report. A trial that has made a checkpoint since its last loss has them again.
LOST_RETRIES = 3
#: Checkpoints of an unfinished trial that are kept: the newest, and one in case that is damaged.
CHECKPOINTS_KEPT = 2
#: A segment that is later than this, and than another epoch, may hang: it is not the one to stop.
OVERDUE_SECONDS = 30.0
#: An idle process waits so long for trials that compare themselves with those that run.
IDLE_SECONDS = 2.0
FINISHED: Literal["finished"] = "finished"
#: The answer that ends a process which waits for another segment: its slot is another job's.
LEAVE: Literal["leave"] = "leave"


class Marks(Protocol):
    """Asks segments to stop; both return at once."""

    def stop(self, segment_id: str) -> None:
        """Ask a segment to stop at its next checkpoint."""

    def end(self, segment_id: str) -> None:
        """Ask a segment to end after its next epoch: its trial is stopped."""


@dataclass(order=True, slots=True)
class _Trial:
    """A trial that is on its way to the end of its ``step``; ``checkpoints`` newest first."""

    number: int
    step: Step = field(compare=False)
    epochs: int = field(default=0, compare=False)
    checkpoints: list[Checkpoint] = field(default_factory=list, compare=False)
    is_retry: bool = field(default=False, compare=False)
    losses: int = field(default=0, compare=False)


@dataclass(slots=True)
class _Segment:
    """A segment that runs or waits for its slot.

    ``is_to_end``: it is asked to end, and its trial with it. ``is_over``: the scheduler has stopped
    its trial, which has ended; whatever the segment still sends is too late. ``heard_at`` is when
    its last epoch ended, or itself began, and ``epoch_s`` how long that epoch took, in seconds.
    """

    id: str
    trial: _Trial
    has_started: bool = False
    is_to_stop: bool = False
    is_to_end: bool = False
    is_over: bool = False
    end: End | None = None
    heard_at: float = 0.0
    epoch_s: float = math.inf

    def epoch_ends(self, now: float) -> None:
        """Note the end of an epoch, so that the end of the next one can be expected."""
        self.heard_at, self.epoch_s = now, now - self.heard_at

    def next_epoch(self, now: float) -> float:
        """Return when the next epoch is expected to end; never, where it is far too late."""
        expected = self.heard_at + self.epoch_s
        return math.inf if now - expected > max(self.epoch_s, OVERDUE_SECONDS) else expected


class SegmentQueue:
    """The segments of one job: what its search decides is run here, as far as slots allow."""

    def __init__(
        self,
        job_id: str,
        spec: JobSpec,
        search: Search,
        checkpoints: Iterable[Checkpoint],
        *,
        allowance: Allowance,
        recorder: Recorder,
        marks: Marks,
        output: TrialOutput,
        failures: Mapping[int, int] = MappingProxyType({}),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job_id, self._spec, self._search = job_id, spec, search
        self._allowance, self._recorder, self._marks = allowance, recorder, marks
        self._output = output
        self._clock, self._idle_since = clock, clock()
        #: Trials that a segment has left before the end of their step.
        self._waiting: list[_Trial] = []
        #: Checkpoints of trials that have none of their segments here, newest first.
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._checkpoints.setdefault(checkpoint.trial, []).append(checkpoint)
        #: How often trials have failed, also under a driver before.
        self._failures = Counter(failures)
        self._origins = Origins(recorder)
        self._planned = (search.planned, search.ended_by, search.at_once)
        #: Whether the run is over because the job pauses.
        self.has_paused = False
        #: Whether the run is over because the job has no slot now.
        self.has_no_slot = False
        #: Whether a process waits for a segment; where several do, Tune ends all but one.
        self._has_idle = False
        self._running: dict[str, _Segment] = {}

    def next(self, segment_id: str) -> Assignment | Literal["finished", "leave"] | None:
        """Return the segment to run next, under this id; None to wait.

        The run is over when nothing runs and nothing is to begin, also because the job pauses or
        has no slot now. Tune keeps the process of a segment that has ended for the next one, and
        with it the slot: where there is no next one, the process is to leave.
        """
        may_begin = not self._allowance.pausing and len(self._running) < self._most
        trial = self._next_trial() if may_begin else None
        if trial is None:
            if self._running:
                return self._leave(may_begin=may_begin)
            self._has_idle = False  # it is the next job's, or Tune ends it with its run
            self.has_paused = self._allowance.pausing
            self.has_no_slot = not (may_begin or self.has_paused)
            return FINISHED
        self._has_idle = False
        self._running[segment_id] = _Segment(segment_id, trial)
        step = trial.step
        return Assignment(
            segment_id, step.number, step.parameters, step.seed, step.until,
            (*trial.checkpoints, *self._origins.of(step.number)), step.start_epoch,
        )  # fmt: skip

    def take(self, segment_id: str, messages: Iterable[Message]) -> None:
        """Take what a running segment has sent."""
        segment = self._running[segment_id]
        for message in messages:
            self._take(segment, message)

    def end(self, segment_id: str, *, is_gone: bool = False, lost: Failure | None = None) -> None:
        """Take the end of a segment.

        ``is_gone`` says that its process has gone with it, ``lost`` why if that is known.
        """
        segment = self._running.pop(segment_id)
        trial = segment.trial
        self._has_idle = self._has_idle or not is_gone
        self._idle_since = self._clock()
        if segment.is_over:
            return
        match segment.end:
            case Finished():
                self._finish(trial, TrialState.SUCCEEDED)
            case Stopped() if segment.is_to_end:
                self._finish(trial, TrialState.STOPPED)
            case Stopped() if not segment.has_started:  # it was asked to before it had a slot
                insort(self._waiting, trial)
            case Stopped() if trial.epochs >= trial.step.until:
                self._pause(trial)
            case Stopped():
                self._put_back(trial, f"goes on after epoch {trial.epochs}")
            case Failed(failure):
                self._fail(segment, failure)
            case None if lost and _has_caused(segment, lost):
                self._fail(segment, lost)
            case None:
                report = lost.traceback if lost else None
                self._fail(segment, Failure(FailureKind.WORKER_LOST, _LOST, report))

    def stop_surplus(self) -> None:
        """Ask segments to stop where more run than the job may run now.

        Those come first that have not begun, then those whose next epoch, at which they can stop,
        is expected to end first, and of those that have not told one the last trials. Where the
        search's budget is spent, all end.
        """
        if self._search.is_spent:
            for segment in self._running.values():
                self._ask_to_end(segment)
        running = self._running.values()
        staying = [one for one in running if not (one.is_to_stop or one.is_to_end)]
        surplus = len(staying) - (0 if self._allowance.pausing else self._most)
        now = self._clock()
        staying.sort(key=lambda one: (one.has_started, one.next_epoch(now), -one.trial.number))
        for segment in staying[: max(0, surplus)]:
            segment.is_to_stop = True
            self._marks.stop(segment.id)

    def _ask_to_end(self, segment: _Segment) -> None:
        if not segment.is_to_end:
            segment.is_to_end = True
            self._marks.end(segment.id)

    def _leave(self, *, may_begin: bool) -> Literal["leave"] | None:
        """Let an idle process leave, with its slot.

        Where what runs soon decides what is next, it stays a little: another takes long to start.
        """
        if not self._has_idle:
            return None
        if may_begin and self._search.expects_more:
            is_new = self._clock() - self._idle_since < IDLE_SECONDS
            if is_new or self._search.is_drawing:
                return None
        self._has_idle = False
        return LEAVE

    @property
    def is_full(self) -> bool:
        """Whether a segment trains in each of the job's slots; any thread may ask."""
        running = list(self._running.values())
        return len(running) >= self._most and all(segment.has_started for segment in running)

    @property
    def _most(self) -> int:
        limit = self._spec.max_concurrent_trials
        slots = self._allowance.slots
        return slots if limit is None else min(slots, limit)

    def _next_trial(self) -> _Trial | None:
        if self._search.is_spent:
            self._checkpoints |= {trial.number: trial.checkpoints for trial in self._waiting}
            self._waiting.clear()
        if self._waiting:
            return self._waiting.pop(0)
        step = self._search.next(nothing_runs=not self._running)
        self._note_copies()
        self._note_what_ended()
        if step is None:
            return None
        number = step.number
        if step.is_new:
            new = NewTrial(number, step.parameters, step.seed, step.purpose, step.configuration)
            self._recorder.add(AddTrial(new))
        return _Trial(number, step, checkpoints=self._checkpoints.pop(number, []))

    def _note_copies(self) -> None:
        """Record the trials that are to go on from others' states, and keep these."""
        for copy in self._search.take_copies():
            new = NewTrial(
                copy.number, copy.parameters, copy.seed, copy.purpose, copy.configuration,
                copy.parent, copy.start_epoch,
            )  # fmt: skip
            self._recorder.add(AddTrial(new))
            if self._checkpoints.get(copy.number) or copy.parent is None:
                continue
            for checkpoint in self._checkpoints.get(copy.parent, []):
                if checkpoint.epoch == copy.start_epoch:
                    self._origins.keep(copy.number, checkpoint)

    def _note_what_ended(self) -> None:
        """Record the trials that the search has stopped, how many there will be, and at a time."""
        for stopped in self._search.take_stopped():
            number, reason = stopped.number, stopped.reason
            self._recorder.add(FinishTrial(number, TrialState.STOPPED, detail=reason))
            self._origins.drop(self._checkpoints.pop(number, []))
            self._origins.forget(number)
            log_state(logger, self._job_id, TrialState.STOPPED, trial=number)
            if reason:
                logger.info("trial %d: %s", number, reason)
        planned = (self._search.planned, self._search.ended_by, self._search.at_once)
        if planned != self._planned:
            self._planned = planned
            self._recorder.add(PlanTrials(*planned))

    def _take(self, segment: _Segment, message: Message) -> None:
        trial, number = segment.trial, segment.trial.number
        if segment.is_over and isinstance(message, Epoch | Checkpointed | Used):
            if isinstance(message, Checkpointed):
                self._recorder.drop([message.checkpoint])
            return
        match message:
            case Started(node, resumed_from, note):
                self._start(segment, node, resumed_from, note)
            case Epoch(epoch, metrics, seconds, engine):
                # Attempt 0 is the current one, which the store has by then.
                report = EpochReport(number, 0, epoch, metrics, seconds, engine)
                self._recorder.report(report)
                trial.epochs = epoch
                segment.epoch_ends(self._clock())
                if self._search.report(number, epoch, metrics, seconds) is Action.STOP:
                    self._stop(segment)
            case Checkpointed(checkpoint):
                self._recorder.add(AddCheckpoint(checkpoint))
                trial.checkpoints.insert(0, checkpoint)
                trial.losses = 0
                self._origins.forget(number)
                self._keep(trial, CHECKPOINTS_KEPT)
            case Output(text):
                self._output.write(number, text)
            case Used(usage):
                self._recorder.add(NoteUsage(number, usage))
            case Finished() | Stopped() | Failed():
                segment.end = message

    def _stop(self, segment: _Segment) -> None:
        """End a trial that the scheduler has stopped.

        The end is written with the report that decided it, and not when the segment has ended: by
        then others may have reported, and a driver that takes over would decide otherwise.
        """
        segment.is_over = True
        self._ask_to_end(segment)
        self._finish(segment.trial, TrialState.STOPPED)

    def _keep(self, trial: _Trial, most: int) -> None:
        """Drop all but the newest checkpoints of a trial."""
        self._origins.drop(trial.checkpoints[most:])
        del trial.checkpoints[most:]

    def _start(self, segment: _Segment, node: str | None, resumed_from: int, note: str) -> None:
        trial, segment.has_started = segment.trial, True
        segment.heard_at = self._clock()
        trial.epochs = resumed_from
        self._recorder.add(StartTrial(trial.number, node, resumed_from, trial.is_retry))
        if trial.is_retry or resumed_from:
            since = f"goes on after epoch {resumed_from}" if resumed_from else "begins again"
            if resumed_from == trial.step.start_epoch > 0:
                since += f" of trial {trial.step.parent}"
            self._output.note(trial.number, f"--- {since} on {node}\n")
        trial.is_retry = False
        log_state(logger, self._job_id, TrialState.RUNNING, trial=trial.number)
        if note:
            where = f"after epoch {resumed_from}" if resumed_from else "from epoch 1"
            logger.warning("trial %d goes on %s: %s", trial.number, where, note)
            # What could not be read this time is not tried again.
            left = [found for found in trial.checkpoints if found.epoch <= resumed_from]
            self._origins.drop(found for found in trial.checkpoints if found not in left)
            trial.checkpoints = left
        elif resumed_from:
            logger.info("trial %d goes on after epoch %d", trial.number, resumed_from)

    def _fail(self, segment: _Segment, failure: Failure) -> None:
        trial = segment.trial
        if failure.kind is FailureKind.WORKER_LOST:
            trial.losses += 1
        else:
            self._failures[trial.number] += 1
        failures, most = self._failures[trial.number], self._spec.max_failures
        spent = failures > most or failures + trial.losses > most + LOST_RETRIES
        if failure.kind.is_retried and not spent:
            if segment.is_to_end and trial.epochs < self._spec.space.epochs:
                self._finish(trial, TrialState.STOPPED)  # nothing of it is wanted any more
                return
            logger.warning("trial %d is started again: %s", trial.number, failure.message)
            trial.is_retry = True
            self._put_back(trial, failure.kind)
            return
        if not segment.has_started:  # its process died before it could say that it had begun
            self._start(segment, None, trial.step.start_epoch, "")
        self._finish(trial, TrialState.FAILED, failure)

    def _put_back(self, trial: _Trial, detail: str) -> None:
        self._recorder.add(RequeueTrial(trial.number, detail))
        insort(self._waiting, trial)

    def _pause(self, trial: _Trial) -> None:
        """Let a trial wait until it is promoted; the newest checkpoint is enough for that."""
        self._recorder.add(PauseTrial(trial.number))
        self._keep(trial, 1)
        self._checkpoints[trial.number] = trial.checkpoints
        self._search.end(trial.number, TrialState.PAUSED, _size(trial))

    def _finish(self, trial: _Trial, state: TrialState, error: Failure | None = None) -> None:
        self._recorder.add(FinishTrial(trial.number, state, error))
        # The model of a trial that has succeeded stays until others are known to be better.
        has_model = state is TrialState.SUCCEEDED
        lasts = {self._spec.space.epochs, trial.epochs} if has_model else set()
        self._origins.drop(found for found in trial.checkpoints if found.epoch not in lasts)
        self._origins.forget(trial.number)
        log_state(logger, self._job_id, state, trial=trial.number)
        self._search.end(trial.number, state, _size(trial), error.kind if error else None)


def _has_caused(segment: _Segment, lost: Failure) -> bool:
    """Whether a segment has ended its process; one that has not begun has taken no memory."""
    return segment.has_started or lost.kind is not FailureKind.OUT_OF_MEMORY


def _size(trial: _Trial) -> dict[str, float]:
    """Return the size of a trial's newest checkpoint, which is a metric of every trial."""
    return {MODEL_BYTES: float(trial.checkpoints[0].size)} if trial.checkpoints else {}


_LOST = "the trial's process was lost: it was killed, it crashed, or its node died"
