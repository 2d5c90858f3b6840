"""Trials as Optuna's samplers are told them."""

from __future__ import annotations

from optuna.trial import FrozenTrial, TrialState, create_trial

from results.ranking import LARGEST
from service.search.levels import Values

#: What Optuna's names of the attributes begin with that hold a trial's constraints.
_EXCESS = "constraints:"


def complete(trial: FrozenTrial, values: Values) -> FrozenTrial:
    """Return an Optuna trial as one that is complete with these values.

    Models square what they are told, so that none is beyond :data:`results.ranking.LARGEST`.
    """
    return create_trial(
        state=TrialState.COMPLETE,
        params=trial.params,
        distributions=trial.distributions,
        # Optuna writes the constraints among these attributes, each of them only once.
        system_attrs={n: v for n, v in trial.system_attrs.items() if not n.startswith(_EXCESS)},
        values=[_bounded(loss) for loss in values.losses],
        constraints={str(n): _bounded(value) for n, value in enumerate(values.excess)} or None,
    )


def _bounded(value: float) -> float:
    return max(-LARGEST, min(LARGEST, value))
