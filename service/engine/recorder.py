"""Ray Tune's callback that writes everything a job's trials do into the store, under the lease."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ray.tune import Callback
from ray.tune.experiment import Trial

from results.errors import StoreUnavailable
from results.records import EpochReport, Failure, Lease, NewTrial, TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, TrialState
from results.store import Store
from service.engine.memory_kills import KILLED_FOR_MEMORY
from service.engine.pause_gate import PauseGate, PauseReached
from service.engine.search import Numbering
from service.engine.trial import LISTED
from service.log_lines import log_state

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Reports are written in batches: at the latest this many seconds after they came.
FLUSH_SECONDS = 0.2
#: An unreachable database is asked again this often; the heartbeat ends the driver if it lasts.
RETRY_SECONDS = 0.5
#: An attempt that fails this short a time before its limit counts as ended by it.
TIME_LIMIT_MARGIN_SECONDS = 0.5


class Recorder(Callback):  # type: ignore[misc]  # Ray ships no types
    """Writes starts, reports and ends of trials. Used by one thread, Tune's event loop.

    One of Tune's trials is one stack of ours: what happens to it happens to all its members, but
    for those that have diverged before. These have finished, and stay so if the stack is started
    again, whatever it tells of them.

    Raises :class:`results.errors.LeaseLost` out of Tune's loop when the job was taken over, but for
    :meth:`on_trial_complete`: what that raises Tune logs, and takes for a failure of the trial; the
    next write raises it again. And :class:`PauseReached` when the job is to
    pause and no trial runs any more.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        records: Sequence[TrialRecord],
        *,
        spec: JobSpec,
        gate: PauseGate,
    ) -> None:
        self._store = store
        self._gate = gate
        self._lease = lease
        self._seed = spec.seed
        self._time_limit_s = spec.time_limit_s
        self._max_failures = spec.max_failures
        self._told: Counter[str] = Counter()
        self._numbering = Numbering(records)
        self._numbers: dict[str, list[int]] = {}
        self._attempts: dict[int, int] = {}
        self._finished: set[int] = set()
        self._started: dict[str, float] = {}
        self._failures: dict[str, Failure] = {}
        self._buffer: list[EpochReport] = []
        self._flushed = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything behind: Tune pickles callbacks for a snapshot that we never restore."""
        return {}

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Give the stack its numbers."""
        self._number(trial)

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Trial],
        trial: Trial,
        result: dict[str, Any],
        **info: Any,
    ) -> None:
        """Take one message of a trial process."""
        match result["event"]:
            case "started" if self._gate.holds(trial):
                logger.info("trial %s waits: the job is pausing", trial.trial_id)
            case "started":
                self._start_attempt(trial, node=result["hostname"])
            case "epoch":
                self._take_epoch(self._numbers[trial.trial_id], result)
            case "failed":
                failure = Failure(**result["failure"])
                failure = Failure(FailureKind(failure.kind), failure.message, failure.traceback)
                self._failures[trial.trial_id] = failure
                self._told[trial.trial_id] += 1
                spent = self._told[trial.trial_id] > self._max_failures
                if spent or not failure.kind.is_retried:
                    trial.max_failures = 0

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Write what has gathered, at most every :data:`FLUSH_SECONDS`; end a pausing job's run."""
        self._forbid_retries(trials)
        if self._gate.closed and self._gate.is_idle:
            self.flush()
            raise PauseReached
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def _forbid_retries(self, trials: Sequence[Trial]) -> None:
        """Let Tune start no trial again that is about to be ended at its time limit.

        Another attempt of the same work takes as long. Tune decides on a retry before it tells.
        """
        if self._time_limit_s is None:
            return
        for trial in trials:
            if trial.status == Trial.RUNNING and self._is_at_limit(trial):
                trial.max_failures = 0

    def _is_at_limit(self, trial: Trial) -> bool:
        started = self._started.get(trial.trial_id)
        if self._time_limit_s is None or started is None:
            return False
        return time.monotonic() - started >= self._time_limit_s - TIME_LIMIT_MARGIN_SECONDS

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Forget the attempt that failed: Tune, which has decided so before, begins another."""
        self._started.pop(trial.trial_id, None)
        self._failures.pop(trial.trial_id, None)

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Mark its trials succeeded, after their last report."""
        self._finish_all(trial, TrialState.SUCCEEDED, None)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Mark its trials failed, with the reason that was given or that its death shows.

        A process that died before it was there has begun no attempt, and may have no number.
        """
        if trial.trial_id not in self._started:
            self._number(trial)
            self._start_attempt(trial, node=None)
        self._finish_all(trial, TrialState.FAILED, self._reason(trial))

    def flush(self) -> None:
        """Write the reports that have gathered."""
        if self._buffer:
            self._write(lambda: self._store.write_reports(self._lease, self._buffer))
            self._buffer = []
        self._flushed = time.monotonic()

    def _number(self, trial: Trial) -> None:
        """Give the stack its numbers, unless it has them; a sampler's new trial joins the job."""
        if trial.trial_id in self._numbers:
            return
        listed = trial.config.get(LISTED)
        if listed is not None:
            self._numbers[trial.trial_id] = [one["number"] for one in listed]
            return
        number, is_new = self._numbering.take(trial.config)
        self._numbers[trial.trial_id] = [number]
        if is_new:
            new = NewTrial(number, dict(trial.config), self._seed)
            self._write(lambda: self._store.add_trial(self._lease, new))

    def _start_attempt(self, trial: Trial, *, node: str | None) -> None:
        self.flush()
        for number in self._unfinished(trial):
            start = partial(self._store.start_trial, self._lease, number, node=node)
            self._attempts[number] = self._write(start)
            log_state(logger, self._lease.job_id, TrialState.RUNNING, trial=number)
        self._started[trial.trial_id] = time.monotonic()

    def _unfinished(self, trial: Trial) -> list[int]:
        return [n for n in self._numbers[trial.trial_id] if n not in self._finished]

    def _take_epoch(self, numbers: Sequence[int], result: dict[str, Any]) -> None:
        epoch, seconds = result["epoch"], result["seconds"]
        for member, metrics in result["reports"]:
            number = numbers[member]
            if number not in self._finished:
                report = EpochReport(number, self._attempts[number], epoch, metrics, seconds)
                self._buffer.append(report)
        for member, message in result["diverged"]:
            failure = Failure(FailureKind.DIVERGED, message)
            self._finish(numbers[member], TrialState.FAILED, failure)

    def _finish_all(self, trial: Trial, state: TrialState, error: Failure | None) -> None:
        for number in self._unfinished(trial):
            self._finish(number, state, error)

    def _finish(self, number: int, state: TrialState, error: Failure | None) -> None:
        if number in self._finished:
            return
        self.flush()
        self._write(lambda: self._store.finish_trial(self._lease, number, state, error))
        self._finished.add(number)
        log_state(logger, self._lease.job_id, state, trial=number)

    def _reason(self, trial: Trial) -> Failure:
        told = self._failures.get(trial.trial_id)
        if told is not None:
            return told
        text = _last_error(trial)
        if self._is_at_limit(trial):
            message = (
                f"the trial was ended at its time limit of {self._time_limit_s:g} s "
                "(time_limit_s): raise it, or train fewer epochs"
            )
            return Failure(FailureKind.TIME_LIMIT, message)
        if KILLED_FOR_MEMORY in text:
            message = (
                "the machine ran out of memory and Ray ended the trial's process: use a smaller "
                "model, or fewer trials at once (max_concurrent_trials, stack)"
            )
            return Failure(FailureKind.OUT_OF_MEMORY, message, text)
        message = "the trial's process was lost: it was killed, it crashed, or its node died"
        return Failure(FailureKind.WORKER_LOST, message, text or None)

    def _write(self, write: Callable[[], T]) -> T:
        """Write, waiting for a database that is away; nothing that a trial reported is dropped."""
        while True:
            try:
                return write()
            except StoreUnavailable as error:
                logger.warning("the store cannot be written, trying again: %s", error)
                time.sleep(RETRY_SECONDS)


def _last_error(trial: Trial) -> str:
    """Return what Tune wrote of the trial's last failure: its file has one under the other."""
    if not trial.error_file:
        return ""
    text = Path(trial.error_file).read_text(encoding="utf-8")
    return text.rpartition("Failure # ")[2].partition("\n")[2]
