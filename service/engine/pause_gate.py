"""How a job is paused: trials that run go on to their end, no other one begins to train."""

from __future__ import annotations

from typing import Any

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from service.engine.allowance import Allowance
from service.engine.messages import Started, from_result


class PauseReached(Exception):
    """The gate is closed and the last trial that had passed it has ended."""


class PauseGate(FIFOScheduler):  # type: ignore[misc]  # Ray ships no types
    """Runs trials in order, and holds back those that begin once :attr:`closed` is set.

    Tune has no means to start no further trials. But a trial process waits in its first report
    until the scheduler lets it go on: one that is held back occupies its slot, does not train, and
    ends with the driver. The gate does not open again; whoever resumes the job starts a new driver.
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        super().__init__()
        self._allowance = allowance or Allowance()
        self._running: set[str] = set()
        self._held: set[str] = set()

    @property
    def closed(self) -> bool:
        """Whether the job is pausing."""
        return self._allowance.pausing

    @closed.setter
    def closed(self, closed: bool) -> None:
        self._allowance.pausing = closed

    @property
    def is_idle(self) -> bool:
        """Whether no trial that passed the gate is still running."""
        return not self._running

    def holds(self, trial: Trial) -> bool:
        """Whether the trial was held back when it began."""
        return trial.trial_id in self._held

    def on_trial_result(
        self,
        tune_controller: TuneController,  # noqa: ARG002 - Ray's signature
        trial: Trial,
        result: dict[str, Any],
    ) -> str:
        """Hold back a trial that begins while the gate is closed; let every other one go on.

        A trial that sends a result which is no message of ours is stopped.
        """
        message = from_result(result)
        if message is None:
            return str(TrialScheduler.STOP)
        if isinstance(message, Started) and not result.get("done"):
            if self.closed:
                self._held.add(trial.trial_id)
                return str(TrialScheduler.NOOP)
            self._running.add(trial.trial_id)
        return str(TrialScheduler.CONTINUE)

    def on_trial_complete(
        self,
        tune_controller: TuneController,  # noqa: ARG002 - Ray's signature
        trial: Trial,
        result: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Count the trial out."""
        self._running.discard(trial.trial_id)

    def on_trial_error(
        self,
        tune_controller: TuneController,  # noqa: ARG002 - Ray's signature
        trial: Trial,
    ) -> None:
        """Count the trial out; if Tune starts it again, it comes to the gate again."""
        self._running.discard(trial.trial_id)
