"""Ray Tune's callback that writes everything a job's trials do into the store, under the lease."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ray.tune import Callback
from ray.tune.experiment import Trial

from results.errors import StoreUnavailable
from results.records import EpochReport, Failure, Lease, NewTrial, TrialRecord
from results.states import FailureKind, TrialState
from results.store import Store
from service.engine.memory_kills import KILLED_FOR_MEMORY
from service.engine.messages import Assignment, Epoch, Failed, Output, Started, from_result
from service.engine.pause_gate import PauseGate, PauseReached
from service.log_lines import log_state

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Reports are written in batches: at the latest this many seconds after they came.
FLUSH_SECONDS = 0.2
#: An unreachable database is asked again this often; the heartbeat ends the driver if it lasts.
RETRY_SECONDS = 0.5


class Recorder(Callback):  # type: ignore[misc]  # Ray ships no types
    """Writes starts, reports and ends of trials. Used by one thread, Tune's event loop.

    Raises :class:`results.errors.LeaseLost` out of Tune's loop when the job was taken over, except
    from :meth:`on_trial_complete`, whose exceptions Tune logs and takes for a failure of the trial;
    the next write raises it again. Raises :class:`PauseReached` when the job is to pause and no
    trial runs any more.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        records: Sequence[TrialRecord],
        *,
        max_failures: int,
        gate: PauseGate,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._lease, self._gate = store, lease, gate
        self._clock, self._sleep = clock, sleep
        self._max_failures = max_failures
        self._recorded = {record.number for record in records}
        #: The current attempt of each trial that has begun.
        self._attempts: dict[int, int] = {}
        #: Why each trial's current attempt failed, as the trial itself reported.
        self._failures: dict[int, Failure] = {}
        self._failed_attempts: Counter[int] = Counter()
        self._buffer: list[EpochReport] = []
        self._flushed = clock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Record a configuration that a sampler has just made."""
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
        number = self._number(trial)
        match from_result(result):
            case Started() if self._gate.holds(trial):
                logger.info("trial %d waits: the job is pausing", number)
            case Started(node):
                self._start_attempt(number, node)
            case Epoch(epoch, metrics, _, seconds, engine):
                attempt = self._attempts[number]
                self._buffer.append(EpochReport(number, attempt, epoch, metrics, seconds, engine))
            case Output(text):
                sys.stdout.write(text)
                sys.stdout.flush()
            case Failed(failure):
                self._failures[number] = failure
                # A lost process is started again more often, as Tune itself counts.
                self._failed_attempts[number] += failure.kind is not FailureKind.WORKER_LOST
                spent = self._failed_attempts[number] > self._max_failures
                if spent or not failure.kind.is_retried:
                    trial.max_failures = 0
            case None:  # the gate lets Tune stop the trial
                self._failures[number] = Failure(FailureKind.USER_ERROR, _FOREIGN_RESULT)

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Write the gathered reports every :data:`FLUSH_SECONDS`; end the run of a pausing job."""
        if self._gate.closed and self._gate.is_idle:
            self.flush()
            raise PauseReached
        if self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Queue the trial again; Tune has already decided to begin another attempt."""
        number = self._number(trial)
        self._attempts.pop(number, None)
        self._failures.pop(number, None)
        self.flush()
        # Until another attempt starts, nobody may see it running on a node that has gone.
        self._write(lambda: self._store.requeue_trial(self._lease, number))

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Mark the trial succeeded, or failed if Tune stopped it for a result that is not ours."""
        number = self._number(trial)
        failure = self._failures.get(number)
        self._finish(number, TrialState.FAILED if failure else TrialState.SUCCEEDED, failure)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Mark the trial failed, for the reason that it reported or that its death shows."""
        number = self._number(trial)
        if number not in self._attempts:  # its process died before it could report its start
            self._start_attempt(number, None)
        failure = self._failures.get(number) or _failure_of_process(trial)
        self._finish(number, TrialState.FAILED, failure)

    def flush(self) -> None:
        """Write the reports that have gathered."""
        if self._buffer:
            self._write(lambda: self._store.write_reports(self._lease, self._buffer))
            self._buffer = []
        self._flushed = self._clock()

    def _number(self, trial: Trial) -> int:
        """Return the trial's number in the job, and add it to the job if it is new."""
        assignment = Assignment.of(trial.config)
        number = assignment.number
        if number not in self._recorded:
            new = NewTrial(number, assignment.parameters, assignment.seed)
            self._write(lambda: self._store.add_trial(self._lease, new))
            self._recorded.add(number)
        return number

    def _start_attempt(self, number: int, node: str | None) -> None:
        self.flush()
        self._attempts[number] = self._write(
            lambda: self._store.start_trial(self._lease, number, node=node)
        )
        log_state(logger, self._lease.job_id, TrialState.RUNNING, trial=number)

    def _finish(self, number: int, state: TrialState, error: Failure | None) -> None:
        self.flush()
        self._write(lambda: self._store.finish_trial(self._lease, number, state, error))
        log_state(logger, self._lease.job_id, state, trial=number)

    def _write(self, write: Callable[[], T]) -> T:
        """Write, waiting for a database that is away; nothing that a trial reported is dropped."""
        while True:
            try:
                return write()
            except StoreUnavailable as error:
                logger.warning("the store cannot be written, trying again: %s", error)
                self._sleep(RETRY_SECONDS)


_FOREIGN_RESULT = (
    "the trainable called ray.tune.report (or train.report) itself: report each epoch's metrics "
    "with the report function that the trainable is given"
)


def _failure_of_process(trial: Trial) -> Failure:
    """Return why a trial's process ended, from the last failure in Tune's file of them."""
    text = ""
    if trial.error_file:
        failures = Path(trial.error_file).read_text(encoding="utf-8")
        text = failures.rpartition("Failure # ")[2].partition("\n")[2]
    if KILLED_FOR_MEMORY in text:
        message = (
            "the machine ran out of memory and Ray ended the trial's process: use a smaller "
            "model, or fewer trials at once (max_concurrent_trials)"
        )
        return Failure(FailureKind.OUT_OF_MEMORY, message, text)
    message = "the trial's process was lost: it was killed, it crashed, or its node died"
    return Failure(FailureKind.WORKER_LOST, message, text or None)
