"""Decides which trial of a job trains next and how far: what the engine and simulations follow."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from results.ranking import MODEL_BYTES, SECONDS
from results.records import TrialRecord
from results.spec import JobSpec
from results.states import FailureKind, Purpose, TrialState
from service.search.budget import BudgetTracker
from service.search.drawing import Drawing
from service.search.pbt import Pbt
from service.search.population import Population, Replaced
from service.search.scheduler import FORBIDDEN, Action, Scheduler
from service.search.trials import Trial, compared_loss, mean_loss, trials_of, values_of
from service.search.winner import Winner

if TYPE_CHECKING:
    from service.search.samplers import Sampler

#: What a trial reported, by epoch and by the metrics' names.
Values = Mapping[int, Mapping[str, float]]
_NOT_ENDED = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """A trial to train up to and including epoch ``until``.

    ``is_new`` says that it is in no record yet. ``configuration`` is the number of the first trial
    with these ``parameters``. One with a ``parent`` begins with that trial's state after
    ``start_epoch``.
    """

    number: int
    parameters: Mapping[str, Any]
    seed: int
    until: int
    configuration: int
    purpose: Purpose
    is_new: bool
    parent: int | None = None
    start_epoch: int = 0


class Search:
    """The decisions of one search, and of the confirmation that may follow it.

    ``records`` are the job's trials, those of a former run included. ``values`` hold what trials of
    a former run reported at the epochs where they are compared, with ``seconds`` among the metrics.
    ``ended_by`` says why a former run ended the search early: then only what was queued again since
    is run, whatever the budget says. ``planned`` is how many trials the job is to have as far as is
    known, those of its specification if that is None. The same calls give the same answers.
    """

    def __init__(
        self,
        spec: JobSpec,
        records: Sequence[TrialRecord],
        values: Mapping[int, Values],
        *,
        scheduler: Scheduler,
        sampler: Sampler | None,
        budget: BudgetTracker,
        ended_by: str = "",
        planned: int | None = None,
    ) -> None:
        self._spec, self._space = spec, spec.space
        self._scheduler, self._sampler, self._budget = scheduler, sampler, budget
        self._trials = trials_of(records)
        #: Why the search ended before all its trials had, "" if it did not or has not yet. Until
        #: what runs has ended too, a driver that takes over finds the budget spent by itself.
        self.ended_by = ended_by
        self._spent = ""
        #: How many trials the job will have; less than was planned once that is known.
        self.planned = spec.planned if planned is None else planned
        self._winner = Winner(spec, self._trials)
        self._population: Population | None = None
        if isinstance(scheduler, Pbt):
            self._population = Population(spec, self._trials, scheduler)
        self._was_ended, self._has_ended = bool(ended_by), False
        for record in records:
            self._trials[record.number].was_on_its_way = self._is_on_its_way(record)
        #: Trials that were stopped, and why, and copies to begin, since the engine last asked.
        self._stopped: list[Replaced] = []
        self._copies = [
            trial
            for trial in self._trials.values()
            if trial.parent is not None and not trial.state.is_finished
        ]
        #: How far trials are to train that were promoted before they had paused, by number.
        self._promotions: dict[int, int] = {}
        #: The trials of the search that train, or wait for a slot to go on.
        self._on_their_way: set[int] = set()
        #: Whether the last step was not given only because the sampler is still drawing.
        self.is_drawing = False
        drawn_by = None if self._was_ended else sampler
        #: Draws the trials that are not known yet.
        self._drawing = Drawing(spec, self._trials, drawn_by)
        #: How many trials of each configuration have ended.
        self._ended: Counter[int] = Counter()
        self._restore(values, {r.number: r.finished_at for r in records})

    def _restore(
        self, values: Mapping[int, Values], ended_at: Mapping[int, datetime | None]
    ) -> None:
        """Take the trials of a former run, those that have ended in the order of their ends."""
        former = [trial for trial in self._trials.values() if trial.purpose is Purpose.SEARCH]
        self._scheduler.restore(
            {
                t.number: self._losses_by_epoch(values.get(t.number, {}))
                for t in former
                if t.state is not TrialState.FAILED
            },
            running={t.number for t in former if t.was_on_its_way},
        )
        #: Numbers of trials that a former run left on their way, and of those never begun.
        self._interrupted: list[int] = []
        self._unstarted: deque[int] = deque()
        for trial in sorted(former, key=lambda t: (ended_at[t.number] or _NOT_ENDED, t.number)):
            self._restore_trial(trial, values.get(trial.number, {}))
        # No budget ends a search of which nothing is left.
        is_complete = all(trial.state.is_finished for trial in former)
        self._has_ended = is_complete and self._drawing.is_over

    def _restore_trial(self, trial: Trial, values: Values) -> None:
        self._budget.trained(trial.trained)
        for epoch in sorted(values):
            if epoch < self._space.epochs:
                metrics = values[epoch]
                if self._space.scheduler.promotes:
                    metrics = {**metrics, **_size_in(trial.metrics)}
                    self._budget.had_paused(trial.number, epoch, self._allowed(metrics))
                self._observe(trial.number, epoch, [metrics])
        if trial.state.is_finished:
            self._take_end(trial)
        elif trial.epochs == 0:
            self._unstarted.append(trial.number)
        elif self._scheduler.begin(trial.number) > trial.epochs or self._is_last(trial.epochs):
            heapq.heappush(self._interrupted, trial.number)
        elif self._population is not None and not trial.has_state:
            # It was lost before its state was stored, from which copies of it are to go on.
            heapq.heappush(self._interrupted, trial.number)
        else:
            trial.state = TrialState.PAUSED

    def _allowed(self, metrics: Mapping[str, float]) -> float | None:
        """Return the loss by which a trial is compared, None where it violates a constraint."""
        loss = compared_loss(self._space, metrics)
        return None if loss is None or loss >= FORBIDDEN else loss

    def _is_last(self, epoch: int) -> bool:
        """Whether a trial has trained all its epochs: only its end has still to be recorded."""
        return epoch >= self._space.epochs

    def _is_on_its_way(self, record: TrialRecord) -> bool:
        """Whether a former run was training a trial, which had not just come to a rung."""
        if record.state.is_finished or record.state is TrialState.PAUSED or not record.epochs:
            return False
        return not self._is_rung(record.epochs) or record.resumed_from == record.epochs

    def _losses_by_epoch(self, values: Values) -> dict[int, float]:
        found = {epoch: compared_loss(self._space, metrics) for epoch, metrics in values.items()}
        return {epoch: loss for epoch, loss in found.items() if loss is not None}

    def next(self, *, nothing_runs: bool) -> Step | None:
        """Return what to train next, None if nothing can begin now.

        ``nothing_runs`` says that no trial trains: then None says that the job is over, and a
        sampler's suggestion is waited for.
        """
        step, self.is_drawing = None, False
        if not self._has_ended:
            step = self._next_of_search(nothing_runs=nothing_runs)
            if step is not None:
                self._on_their_way.add(step.number)
            elif nothing_runs:
                self._end_search()
        if self._has_ended and step is None:
            step = self._next_of_confirmation()
            if step is None and nothing_runs:
                # Of a former confirmation: now others are among the best, or have dropped out.
                self._stop_all(Purpose.CONFIRM)
        if step is not None:
            self._trials[step.number].state = TrialState.RUNNING
        return step

    @property
    def is_spent(self) -> bool:
        """Whether the budget is spent: what runs of the search is to end."""
        if self._was_ended or self._has_ended:
            return False
        self._spent = self._spent or self._budget.spent()
        return bool(self._spent)

    @property
    def at_once(self) -> int | None:
        """How many of the trials that are left could run at the same time, None for all."""
        return self._winner.at_once

    @property
    def expects_more(self) -> bool:
        """Whether what runs now may bring another step: a suggestion, a promotion or a round."""
        if self._has_ended:
            return not self._winner.is_over
        waits = not self._space.scheduler.is_none or self._space.confirm is not None
        return self.is_drawing or waits

    def _next_of_search(self, *, nothing_runs: bool) -> Step | None:
        if self.is_spent:
            return None
        self._renew_population()
        if self._interrupted:
            return self._step(heapq.heappop(self._interrupted))
        step = self._promoted()
        if step is not None:
            return step
        if self._scheduler.can_begin():
            if self._unstarted:
                return self._step(self._unstarted.popleft())
            if not self._drawing.is_over:
                return self._drawn(wait=nothing_runs)
        return self._promoted(running=() if nothing_runs else self._on_their_way)

    def _renew_population(self) -> None:
        if self._population is not None:
            copies, replaced = self._population.renew()
            self._copies += copies
            for copy in copies:
                self._drawing.add(copy)
                self._unstarted.append(copy.number)
            self._stopped += replaced

    def _promoted(self, *, running: Collection[int] | None = None) -> Step | None:
        for number, until in list(self._promotions.items()):
            if self._trials[number].state is not TrialState.RUNNING:
                del self._promotions[number]
                if not self._trials[number].state.is_finished:
                    return self._step(number, until)
        while (found := self._scheduler.promote(running=running)) is not None:
            state = self._trials[found.number].state
            if state is TrialState.RUNNING:  # it has reported, and is still storing its state
                self._promotions[found.number] = found.until
            # One that was stopped at the end of a search that is extended now has no state left; a
            # program may have ended early at a rung.
            elif not state.is_finished:
                return self._step(found.number, found.until)
        return None

    def _drawn(self, *, wait: bool) -> Step | None:
        trial = self._drawing.draw(wait=wait)
        self.is_drawing = trial is None
        if trial is None:
            return None
        self._trials[trial.number] = trial
        return self._step(trial.number, is_new=True)

    def _step(self, number: int, until: int = 0, *, is_new: bool = False) -> Step:
        trial = self._trials[number]
        if trial.purpose is Purpose.CONFIRM:
            until = self._space.epochs
        elif self._sampler is not None and not is_new:
            self._sampler.begin(number)
        return Step(
            number, trial.parameters, trial.seed, until or self._scheduler.begin(number),
            trial.configuration, trial.purpose, is_new, trial.parent, trial.start_epoch,
        )  # fmt: skip

    def report(
        self, number: int, epoch: int, metrics: Mapping[str, float], seconds: float
    ) -> Action:
        """Take what a running trial reported after an epoch, ``seconds`` of training in all.

        Epochs that are trained again count in the budget alone.
        """
        trial = self._trials[number]
        self._budget.trained(1)
        if epoch <= trial.epochs:
            return Action.CONTINUE
        trial.epochs = epoch
        trial.metrics |= {**metrics, SECONDS: seconds}
        loss = compared_loss(self._space, {**metrics, SECONDS: seconds})
        if trial.purpose is Purpose.CONFIRM or loss is None:
            return Action.CONTINUE
        action = self._scheduler.report(number, epoch, loss)
        # Of one that pauses the size of its model is known at the end of its segment; of others it
        # may be, from a former segment.
        if action is not Action.PAUSE and self._is_rung(epoch):
            self._observe(number, epoch, [_without_size(trial.metrics)])
        return action

    def _is_rung(self, epoch: int) -> bool:
        """Whether trials are compared after this epoch, which is not the last."""
        return epoch < self._space.epochs and epoch in self._scheduler.rungs()

    def end(
        self,
        number: int,
        state: TrialState,
        metrics: Mapping[str, float],
        failure: FailureKind | None = None,
    ) -> None:
        """Take that a trial has paused, or has ended; ``metrics`` are those it did not report.

        ``failure`` is why it failed, if it did. One that goes back to the queue, because it was
        lost or gave its slot away, has not ended.
        """
        trial = self._trials[number]
        trial.state, trial.failure = state, failure
        self._on_their_way.discard(number)
        trial.metrics |= metrics
        if trial.purpose is Purpose.CONFIRM:
            self._winner.end(trial)
        elif state is TrialState.PAUSED:
            self._budget.paused(number, trial.epochs, self._allowed(trial.metrics))
            self._observe(number, trial.epochs, [trial.metrics])
        else:
            # What a program that ended early came to at the rungs that it passed still counts.
            if state is TrialState.FAILED:
                self._scheduler.remove(number)
            self._take_end(trial)

    def _take_end(self, trial: Trial) -> None:
        if trial.state is TrialState.FAILED:
            self._budget.failed()
        loss = compared_loss(self._space, trial.metrics)
        if trial.state is TrialState.SUCCEEDED and loss is not None:
            self._scheduler.end(trial.number, loss)
        self._ended[trial.configuration] += 1
        trials = self._drawing.alike(trial.configuration)
        if self._ended[trial.configuration] < max(len(trials), self._space.repeats):
            return
        loss = mean_loss(self._space, trials)
        self._budget.ended(trial.configuration, loss, len(trials))
        if all(found.state is TrialState.SUCCEEDED for found in trials):
            self._observe(trial.configuration, self._space.epochs, [t.metrics for t in trials])
        if self._sampler is not None:
            self._tell_end(self._sampler, trial.configuration, trials)

    def _tell_end(self, sampler: Sampler, configuration: int, trials: Sequence[Trial]) -> None:
        """Tell the sampler that all trials of a configuration have ended."""
        if any(trial.has_failed_by_itself for trial in trials):
            sampler.end(configuration, succeeded=False)
        elif any(trial.state in (TrialState.FAILED, TrialState.CANCELLED) for trial in trials):
            sampler.leave_out(configuration)
        else:
            # What was observed of trials that were stopped still tells the sampler something.
            sampler.end(configuration, succeeded=True)

    def _observe(
        self, configuration: int, epoch: int, metrics: Sequence[Mapping[str, float]]
    ) -> None:
        """Tell the sampler what the repeats of a configuration had come to after an epoch."""
        if self._sampler is None:
            return
        values = values_of(self._space, metrics, has_ended=self._is_last(epoch))
        if values is not None:
            self._sampler.observe(configuration, epoch, values.losses, values.excess)

    def _end_search(self) -> None:
        """End the search: trials that have not been trained to the end are stopped."""
        self._has_ended = True
        self.ended_by = self.ended_by or self._spent
        self._stop_all(Purpose.SEARCH)
        self._drawing.end()

    def _stop_all(self, purpose: Purpose) -> None:
        for trial in self._trials.values():
            if trial.purpose is purpose and not trial.state.is_finished:
                trial.state = TrialState.STOPPED
                self._stopped.append(Replaced(trial.number, ""))

    def close(self) -> None:
        """End what runs in the background."""
        if self._sampler is not None:
            self._sampler.close()

    def take_stopped(self) -> list[Replaced]:
        """Return the trials that were stopped since the last call, and why, "" at the end."""
        stopped, self._stopped = self._stopped, []
        return stopped

    def take_copies(self) -> list[Trial]:
        """Return the trials that are to go on from others' states and are new since the last call.

        The first time, those of a former run that have not ended are among them.
        """
        copies, self._copies = self._copies, []
        return copies

    def _next_of_confirmation(self) -> Step | None:
        trial = self._winner.next()
        self.planned = self._winner.planned
        if trial is None:
            return None
        is_new = trial.number not in self._trials
        self._trials[trial.number] = trial
        return self._step(trial.number, is_new=is_new)


def _without_size(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name != MODEL_BYTES}


def _size_in(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name == MODEL_BYTES}
