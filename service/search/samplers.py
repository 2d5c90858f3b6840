"""Samplers draw the configurations of new trials. All of them are Optuna's, driven by ask.

A sampler's model is told the values of one epoch (:mod:`service.search.levels`), of paused trials
too. Trials that have none there, yet or for good, are running ones for the model, so that it does
not draw near them again.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import optuna
from optuna import Study
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

import search_spaces
from results.records import TrialRecord
from results.states import Purpose
from results.study import drawn_again
from search_spaces import SearchSpace
from service.search.ask_ahead import AskAhead
from service.search.kinds import KINDS, MOST_DRAWS
from service.search.levels import Levels, Past, Values, worst
from service.search.told import complete

Configuration = dict[str, Any]

#: Of the trials that have paused or ended before the epoch of the model's values, so many of the
#: newest are running ones for it: it computes with each of them.
MOST_BEHIND = 20


class Sampler(Protocol):
    """Draws the configurations of a job's new trials and takes what comes of all its trials."""

    def draw(self, number: int) -> Configuration:
        """Return the configuration of the new trial ``number``, one that the job has not yet."""

    def begin(self, number: int) -> None:
        """Take that a trial which is known already trains again, or is going to."""

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...]
    ) -> None:
        """Take a trial's values at an epoch at which trials are compared.

        ``losses``: one for each objective, lower is better; ``excess``: one for each constraint,
        met at 0 and below. A second call for the same trial and epoch replaces the first.
        """

    def end(self, number: int, *, succeeded: bool) -> None:
        """Take a trial's end. One that failed counts as the worst that the model is told."""

    def leave_out(self, number: int) -> None:
        """Take a trial's end that says nothing of its configuration: the disk was full, say.

        The model is told what was observed of it before, and nothing else.
        """

    def is_ready(self) -> bool:
        """Whether :meth:`draw` would return at once; if not, the next draw is being prepared."""

    def close(self) -> None:
        """End what runs in the background."""


def make_sampler(
    space: SearchSpace,
    *,
    seed: int,
    records: Sequence[TrialRecord] = (),
    history: Sequence[Past] = (),
) -> Sampler:
    """Return the sampler of a space whose strategy is one of ``search_spaces.SAMPLERS`` but auto.

    ``records`` are the trials that the job has already. Their configurations are known; what came
    of them is then told by :meth:`Sampler.observe` and :meth:`Sampler.end`, the first end first.
    ``history`` counts as observed at the last epoch; its configurations may be drawn again.
    With the same seed, records, history and calls in the same order, it draws the same.
    ``random`` draws the same however often it has been made again amid the job.
    """
    sampler = OptunaSampler(space, seed=seed, records=records, history=history)
    if not KINDS[space.strategy].is_slow:
        return sampler
    drawn = sum(r.purpose is Purpose.SEARCH and r.configuration == r.number for r in records)
    first = 1 + max((record.number for record in records), default=-1)
    return AskAhead(sampler, most=(space.trials or 0) - drawn, first=first)


class OptunaSampler:
    """Draws by one of Optuna's samplers, in the thread that calls it."""

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int,
        records: Sequence[TrialRecord] = (),
        history: Sequence[Past] = (),
    ) -> None:
        self._space, self._kind = space, KINDS[space.strategy]
        # One that starts again with its first seed would repeat its first draws.
        self._seed = seed if self._kind.goes_on else seed + len(records)
        self._random = RandomSampler(seed=(self._seed + 2**31) % 2**32)
        self._levels = Levels()
        # Repeats and confirmations have the configurations of others.
        drawn = [r for r in records if r.purpose is Purpose.SEARCH and r.configuration == r.number]
        self._known = {_key(record.parameters) for record in drawn}
        self._draws = len(self._known)
        #: The job's trials as Optuna's, by number, those that have failed, those whose end says
        #: nothing of them, and the others of which something is known, the newest last.
        self._trials: dict[int, FrozenTrial] = {}
        self._failed: set[int] = set()
        self._left_out: set[int] = set()
        self._seen: dict[int, None] = {}
        #: Numbers of trials of which the study has still to be told.
        self._news: dict[int, None] = {}
        #: The study's numbers of the trials that are running in it, those of them that are seen,
        #: the newest last, and the trials that are complete in it.
        self._running: dict[int, int] = {}
        self._behind: deque[int] = deque()
        self._told: set[int] = set()
        self._epoch: int | None = None
        #: What failed trials count as, None where there is none or nothing is known.
        self._worst: Values | None = None
        self._study: Study | None = None
        #: The numbers of trials that this sampler did not draw.
        self._former: set[int] = set()
        if self._kind.goes_on:
            self._draw_again()
        else:
            self._take_all(drawn, history)

    def _take_all(self, drawn: Iterable[TrialRecord], history: Iterable[Past]) -> None:
        for index, past in enumerate(history, start=1):
            if self._take(-index, past.configuration):
                epochs = self._space.epochs
                self.observe(-index, epochs, past.values.losses, past.values.excess)
        for record in drawn:
            self._take(record.number, record.parameters)

    def _draw_again(self) -> None:
        """Draw as often as the job has, so that those follow that would have followed then."""
        known, draws = self._known, self._draws
        self._known, self._draws = set(), 0
        while self._draws < draws:
            self.draw(self._draws)
        self._known = known

    def _take(self, number: int, configuration: Mapping[str, Any]) -> bool:
        """Take a former trial; return whether the space can have drawn it, so that models may."""
        try:
            drawn = drawn_again(self._space, configuration)
        except ValueError:
            return False
        self._trials[number] = create_trial(
            state=TrialState.RUNNING,
            params=drawn.params,
            distributions=drawn.distributions,
            system_attrs=self._kind.attributes(self._space, len(self._former)),
        )
        self._former.add(number)
        return True

    def draw(self, number: int) -> Configuration:
        """Return a configuration, asked now."""
        study = self._told_study()
        trial, configuration = self._new(study)
        self._known.add(_key(configuration))
        self._draws += 1
        if not self._kind.has_model:
            # Whatever comes of it does not matter, but Sobol points need a finished trial.
            study.tell(trial, [0.0] * len(self._space.objectives))
            return configuration
        self._running[number] = trial
        self._trials[number] = study.get_trials(deepcopy=False)[trial]
        return configuration

    def begin(self, number: int) -> None:
        """Let a trial run for the model until something more is known of it."""
        self._note(number, is_seen=False)

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...] = ()
    ) -> None:
        """Keep the values until the next draw."""
        if not all(map(math.isfinite, losses)) or any(map(math.isnan, excess)):
            raise ValueError(f"values of trial {number} are not finite: {losses}, {excess}")
        if self._kind.has_model and number in self._trials:
            if self._levels.add(number, epoch, Values(losses, excess)):
                self._study = None
            self._note(number)

    def end(self, number: int, *, succeeded: bool) -> None:
        """Let a trial that failed count as the worst; its own values are forgotten."""
        if not succeeded and number in self._trials:
            self._failed.add(number)
            if self._levels.remove(number):
                self._study = None
        self._note(number)

    def leave_out(self, number: int) -> None:
        """Keep only what was observed: without that, the trial no longer runs for the model."""
        self._left_out.add(number)
        self._note(number)

    def is_ready(self) -> bool:
        """Return True: drawing takes milliseconds."""
        return True

    def close(self) -> None:
        """Do nothing: nothing runs in the background."""

    def _note(self, number: int, *, is_seen: bool = True) -> None:
        if number not in self._trials:
            return
        self._seen.pop(number, None)
        if is_seen and number not in self._failed | self._left_out:
            self._seen[number] = None
        self._news.pop(number, None)
        self._news[number] = None

    def _told_study(self) -> Study:
        """Return the study, told all that is known."""
        epoch = self._levels.epoch
        known = self._levels.at(epoch).values()
        lowest = worst(known) if known and self._failed else None
        # What the study was told of a trial stays: of another epoch, or a worst that no longer is.
        if self._study is None or (epoch, lowest) != (self._epoch, self._worst):
            self._epoch, self._worst = epoch, lowest
            self._study = self._new_study()
        else:
            self._tell_news(self._study)
        self._news.clear()
        return self._study

    def _values(self) -> Mapping[int, Values]:
        """Return what the model is told, by trial.

        A trial that failed counts as the worst of the others: it diverged, or took too much memory
        or time, mostly for its configuration, and without it the model would draw there again
        (SMAC3, Lindauer et al., 2022, counts crashes as a cost too). Failures with other reasons
        (:attr:`results.states.FailureKind.is_of_configuration`) are left out.
        """
        values = self._levels.at(self._epoch)
        if self._worst is None:
            return values
        return {**values, **dict.fromkeys(self._failed, self._worst)}

    def _new_study(self) -> Study:
        values = self._values()
        former = [complete(self._trials[n], values[n]) for n in values if n in self._former]
        sampler = self._kind.make(self._space, (self._seed + self._draws) % 2**32, former)
        study = _empty_study(sampler, objectives=len(self._space.objectives))
        behind = [number for number in self._seen if number not in values][-MOST_BEHIND:]
        ended = self._failed | self._left_out
        running = self._trials.keys() - self._seen.keys() - ended | set(behind)
        self._running.clear()
        self._behind, self._told = deque(behind), set(values)
        for number in self._trials:
            if number in values:
                study.add_trial(self._complete(number, values[number]))
            elif number in running:
                self._run(study, number)
        return study

    def _tell_news(self, study: Study) -> None:
        values = self._values()
        for number in [one for one in self._news if one not in self._told]:
            if number in self._behind:
                self._behind.remove(number)
            if number in values:
                self._leave(study, number)
                study.add_trial(self._complete(number, values[number]))
                self._told.add(number)
            elif number in self._failed or number in self._left_out:
                self._leave(study, number)
            else:
                self._run(study, number)
                self._behind.extend([number] if number in self._seen else [])
        while len(self._behind) > MOST_BEHIND:
            self._leave(study, self._behind.popleft())

    def _complete(self, number: int, values: Values) -> FrozenTrial:
        return complete(self._trials[number], values, has_failed=number in self._failed)

    def _run(self, study: Study, number: int) -> None:
        """Let a trial run in the study."""
        if number not in self._running:
            self._running[number] = len(study.get_trials(deepcopy=False))
            study.add_trial(self._trials[number])

    def _leave(self, study: Study, number: int) -> None:
        """Let a trial run no longer in the study."""
        if number in self._running:
            study.tell(self._running.pop(number), state=TrialState.FAIL)

    def _new(self, study: Study) -> tuple[int, Configuration]:
        """Return the study's number of a new trial, and its configuration, unknown to the job.

        With the same seed the same configuration would only repeat its numbers. Repeated ones stay
        in the study as running until one is found, which keeps models away from them.
        """
        repeated: list[int] = []
        if self._draws < len(self._space.enqueue):
            return self._enqueued(study, self._space.enqueue[self._draws])
        found = self._unknown(study, self._kind.draws, repeated) if not self._is_random else None
        if found is None:
            sampler, study.sampler = study.sampler, self._random
            found = self._unknown(study, MOST_DRAWS, repeated) or self._listed(study)
            study.sampler = sampler
        for trial in repeated:
            study.tell(trial, state=TrialState.FAIL)
        return found

    @property
    def _is_random(self) -> bool:
        """Whether the next configuration is one of those that are mixed in, evenly spread."""
        part = 0.0 if self._space.scheduler.is_none else self._kind.random_part
        return math.floor((self._draws + 1) * part) > math.floor(self._draws * part)

    def _unknown(
        self, study: Study, draws: int, repeated: list[int]
    ) -> tuple[int, Configuration] | None:
        for _ in range(draws):
            trial = study.ask()
            configuration = search_spaces.suggest(self._space, trial)
            if _key(configuration) not in self._known:
                return trial.number, configuration
            repeated.append(trial.number)
        return None

    def _listed(self, study: Study) -> tuple[int, Configuration]:
        """Return the first unknown one of a space so small that random draws find none.

        Where all are known, one of them is repeated.
        """
        if search_spaces.count_distinct(self._space) is not None:
            for configuration in search_spaces.every_configuration(self._space):
                if _key(configuration) not in self._known:
                    return self._enqueued(study, configuration)
        trial = study.ask()
        return trial.number, search_spaces.suggest(self._space, trial)

    def _enqueued(
        self, study: Study, configuration: Mapping[str, Any]
    ) -> tuple[int, Configuration]:
        """Return this configuration; what it leaves out has been completed."""
        study.enqueue_trial(search_spaces.suggested(self._space, configuration))
        trial = study.ask()
        return trial.number, search_spaces.suggest(self._space, trial)


def _empty_study(sampler: BaseSampler, *, objectives: int) -> Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)
