"""A job's configurations as a study of Optuna's. Optuna is imported only when one is made."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import search_spaces
from results.ranking import Ranked
from search_spaces import SearchSpace

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FixedTrial, FrozenTrial

    from results.records import JsonObject


def make_study(space: SearchSpace, configurations: Iterable[Ranked]) -> Study:
    """Return an in-memory study with ranked configurations as complete trials, in their order.

    A trial's value is the mean of the first objective over the configuration's trials. Optuna
    numbers the trials of a study from 0; :func:`numbers_of` gives ours. A configuration that the
    space cannot have drawn is left out.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = "maximize" if space.mode == "max" else "minimize"
    study = optuna.create_study(direction=direction)
    for one in configurations:
        with suppress(ValueError):
            study.add_trial(_complete(space, one))
    return study


def numbers_of(study: Study) -> list[int]:
    """Return the number of the first trial of each configuration, in the order of the study."""
    return [trial.user_attrs["number"] for trial in study.get_trials(deepcopy=False)]


def drawn_again(space: SearchSpace, configuration: JsonObject) -> FixedTrial:
    """Draw a configuration again, which shows which parameters were sampled, and from what.

    Raises ``ValueError`` for a configuration that the space cannot have drawn.
    """
    from optuna.trial import FixedTrial

    trial = FixedTrial(search_spaces.suggested(space, configuration))
    search_spaces.suggest(space, trial)
    return trial


def _complete(space: SearchSpace, one: Ranked) -> FrozenTrial:
    from optuna.trial import create_trial

    fixed = drawn_again(space, one.trial.parameters)
    return create_trial(
        params=fixed.params,
        distributions=fixed.distributions,
        value=one.value,
        user_attrs={"number": one.trial.number},
    )
