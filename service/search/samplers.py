"""Samplers draw the configurations of new trials. All of them are Optuna's, by ask and add.

A sampler's model is told the values of one epoch (:mod:`service.search.levels`), of paused trials
too. Trials of which nothing is known yet are running ones for the model, so that it does not draw
near them again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna import Study
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

import search_spaces
from results.records import TrialRecord
from search_spaces import SearchSpace
from service.search.levels import ENOUGH, Levels, Values

Configuration = dict[str, Any]

#: Of the configurations of a sampler with a model, this part is drawn at random.
RANDOM_FRACTION = 0.25
#: Random draws of configurations that the job has already, after which an unknown one is looked up.
_MOST_DRAWS = 100


class Sampler(Protocol):
    """Draws the configurations of a job's new trials and takes what comes of all its trials."""

    def draw(self, number: int) -> Configuration:
        """Return the configuration of the new trial ``number``, one that the job has not yet."""

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...]
    ) -> None:
        """Take a trial's values at an epoch at which trials are compared.

        ``losses``: one for each objective, lower is better; ``excess``: one for each constraint,
        met at 0 and below. A second call for the same trial and epoch replaces the first.
        """

    def end(self, number: int, *, succeeded: bool) -> None:
        """Take a trial's end. What was observed of one that failed is forgotten."""

    def is_ready(self) -> bool:
        """Whether :meth:`draw` would return at once; if not, the next draw is being prepared."""

    def close(self) -> None:
        """End what runs in the background."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one of Optuna's samplers is used.

    ``make(seed)`` makes one. ``has_model``: whether it uses what was observed. ``mixes``: whether
    random configurations are mixed in. ``draws``: how often it is asked for a new configuration
    before random ones are tried.
    """

    make: Callable[[int], BaseSampler]
    has_model: bool = True
    mixes: bool = False
    draws: int = _MOST_DRAWS


_KINDS: Mapping[str, _Kind] = {
    "random": _Kind(lambda seed: RandomSampler(seed=seed), has_model=False),
    "tpe": _Kind(lambda seed: TPESampler(seed=seed, n_startup_trials=ENOUGH), mixes=True),
}


def make_sampler(space: SearchSpace, *, seed: int, records: Sequence[TrialRecord] = ()) -> Sampler:
    """Return the sampler of a space whose strategy is one of ``search_spaces.SAMPLERS``.

    ``records`` are the trials that the job has already. Their configurations are known; what came
    of them is then told by :meth:`Sampler.observe` and :meth:`Sampler.end`, in order of number.
    With the same seed, the same records and the same calls in the same order, it draws the same.
    """
    return OptunaSampler(space, seed=seed, records=records)


class OptunaSampler:
    """Draws by one of Optuna's samplers, in the thread that calls it."""

    def __init__(
        self, space: SearchSpace, *, seed: int, records: Sequence[TrialRecord] = ()
    ) -> None:
        self._space, self._kind = space, _KINDS[space.strategy]
        # A sampler that starts again with its first seed would repeat its first draws.
        self._seed = seed + len(records)
        self._random = RandomSampler(seed=(self._seed + 2**31) % 2**32)
        self._levels = Levels()
        self._known = {_key(record.parameters) for record in records}
        self._draws = len(self._known)
        #: The job's trials as Optuna's, by number, and those of which nothing is known yet.
        self._trials: dict[int, FrozenTrial] = {}
        self._pending: set[int] = set()
        #: Numbers of trials of which the study has still to be told.
        self._news: dict[int, None] = {}
        #: The study's numbers of the trials that are running in it.
        self._running: dict[int, int] = {}
        self._epoch: int | None = None
        self._study: Study | None = None
        for record in records:
            self._take(record)

    def _take(self, record: TrialRecord) -> None:
        """Take a trial of the job; one that the space cannot have drawn is no help to a model."""
        try:
            drawn = FixedTrial(search_spaces.suggested(self._space, record.parameters))
        except ValueError:
            return
        search_spaces.suggest(self._space, drawn)
        self._trials[record.number] = create_trial(
            state=TrialState.RUNNING, params=drawn.params, distributions=drawn.distributions
        )
        self._pending.add(record.number)

    def draw(self, number: int) -> Configuration:
        """Return a configuration, asked now."""
        study = self._told_study()
        trial, configuration = self._new(study)
        self._known.add(_key(configuration))
        self._draws += 1
        self._pending.add(number)
        self._running[number] = trial
        self._trials[number] = study.get_trials(deepcopy=False)[trial]
        return configuration

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...] = ()
    ) -> None:
        """Keep the values until the next draw."""
        if not all(map(math.isfinite, (*losses, *excess))):
            raise ValueError(f"values of trial {number} are not finite: {losses}, {excess}")
        if self._kind.has_model and number in self._trials:
            if self._levels.add(number, epoch, Values(losses, excess)):
                self._study = None
            self._note(number)

    def end(self, number: int, *, succeeded: bool) -> None:
        """Forget the values of a trial that failed."""
        if not succeeded and self._levels.remove(number):
            self._study = None
        self._note(number)

    def is_ready(self) -> bool:
        """Return True: drawing takes milliseconds."""
        return True

    def close(self) -> None:
        """Do nothing: nothing runs in the background."""

    def _note(self, number: int) -> None:
        self._pending.discard(number)
        self._news[number] = None

    def _told_study(self) -> Study:
        """Return the study, told all that is known."""
        epoch = self._levels.epoch
        if self._study is None or epoch != self._epoch:
            self._epoch = epoch
            self._study = self._new_study()
        else:
            self._tell_news(self._study)
        self._news.clear()
        return self._study

    def _new_study(self) -> Study:
        sampler = self._kind.make((self._seed + self._draws) % 2**32)
        study = _empty_study(sampler, objectives=1)
        self._running.clear()
        told = self._levels.at(self._epoch)
        for number, trial in self._trials.items():
            if number in told:
                study.add_trial(_complete(trial, told[number]))
            elif number in self._pending:
                self._running[number] = len(study.get_trials(deepcopy=False))
                study.add_trial(trial)
        return study

    def _tell_news(self, study: Study) -> None:
        told = self._levels.at(self._epoch)
        for number in self._news:
            if number in self._running:
                study.tell(self._running.pop(number), state=TrialState.FAIL)
            if number in told:
                study.add_trial(_complete(self._trials[number], told[number]))

    def _new(self, study: Study) -> tuple[int, Configuration]:
        """Return the study's number of a new trial, and its configuration, unknown to the job.

        With the same seed the same configuration would only repeat its numbers. Repeated ones stay
        in the study as running until one is found, which keeps models away from them.
        """
        repeated: list[int] = []
        found = self._unknown(study, self._kind.draws, repeated) if not self._is_random else None
        if found is None:
            sampler, study.sampler = study.sampler, self._random
            found = self._unknown(study, _MOST_DRAWS, repeated) or self._listed(study)
            study.sampler = sampler
        for trial in repeated:
            study.tell(trial, state=TrialState.FAIL)
        return found

    @property
    def _is_random(self) -> bool:
        """Whether the next configuration is one of those that are mixed in, evenly spread."""
        before, after = self._draws * RANDOM_FRACTION, (self._draws + 1) * RANDOM_FRACTION
        return self._kind.mixes and math.floor(after) > math.floor(before)

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
                    study.enqueue_trial(search_spaces.suggested(self._space, configuration))
                    break
        trial = study.ask()
        return trial.number, search_spaces.suggest(self._space, trial)


def _empty_study(sampler: BaseSampler, *, objectives: int) -> Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)


def _complete(trial: FrozenTrial, values: Values) -> FrozenTrial:
    """Return a trial as one that is complete with these values."""
    return create_trial(
        state=TrialState.COMPLETE,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=trial.system_attrs,
        values=values.losses,
        constraints={str(n): value for n, value in enumerate(values.excess)} or None,
    )


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)
