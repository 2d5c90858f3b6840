"""A job's trials as a study of Optuna's. Optuna is imported only when a study is made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import search_spaces
from results.ranking import score_of, value_of
from results.records import TrialRecord
from results.states import TrialState
from search_spaces import SearchSpace

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FixedTrial, FrozenTrial


def make_study(
    space: SearchSpace, trials: Iterable[TrialRecord], sampler: BaseSampler | None = None
) -> Study:
    """Return an in-memory study with the trials that have ended or are paused, others enqueued.

    A trial that succeeded with a finite value of the space's metric is complete. A stopped one is
    pruned and a paused one running, with the value at its last epoch as an intermediate one. Any
    other finished trial has failed. Enqueued trials carry their ``number`` and ``seed`` as user
    attributes. One that has ended or is paused and whose parameters the space cannot have drawn is
    left out; another one raises ``ValueError``.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = "maximize" if space.mode == "max" else "minimize"
    study = optuna.create_study(sampler=sampler, direction=direction)
    for trial in trials:
        if trial.state.is_finished or trial.state is TrialState.PAUSED:
            with suppress(ValueError):
                study.add_trial(_frozen(space, trial))
        else:
            attributes = {"number": trial.number, "seed": trial.seed}
            study.enqueue_trial(dict(_draw_again(space, trial).params), user_attrs=attributes)
    return study


def _draw_again(space: SearchSpace, trial: TrialRecord) -> FixedTrial:
    """Draw a trial's parameters again, which shows which were sampled, and from what."""
    from optuna.trial import FixedTrial

    drawn = FixedTrial(search_spaces.suggested(space, trial.parameters))
    search_spaces.suggest(space, drawn)
    return drawn


def _frozen(space: SearchSpace, trial: TrialRecord) -> FrozenTrial:
    from optuna.trial import TrialState as State
    from optuna.trial import create_trial

    drawn, score = _draw_again(space, trial), score_of(trial, space.metric)
    early = {TrialState.STOPPED: State.PRUNED, TrialState.PAUSED: State.RUNNING}
    ended = State.FAIL if score is None else State.COMPLETE
    last = value_of(trial, space.metric)
    return create_trial(
        state=early.get(trial.state, ended),
        params=drawn.params,
        distributions=drawn.distributions,
        value=score,
        intermediate_values={trial.epochs: last}
        if trial.state in early and last is not None
        else None,
    )
