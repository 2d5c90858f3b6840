"""Trials as Optuna's samplers are told them."""

from __future__ import annotations

from optuna.trial import FrozenTrial, TrialState, create_trial

from results.ranking import LARGEST
from service.search.levels import Values

#: What Optuna's names of the attributes begin with that hold a trial's constraints.
_EXCESS = "constraints:"
#: The attribute of a trial that failed.
_FAILED = "argbest:failed"


def complete(trial: FrozenTrial, values: Values, *, has_failed: bool = False) -> FrozenTrial:
    """Return an Optuna trial as one that is complete with these values.

    Models square what they are told, so that none is beyond :data:`results.ranking.LARGEST`. A
    trial that ``has_failed`` reported none of its values: :func:`is_failure` is true of it.
    """
    # Optuna writes the constraints among these attributes, each of them only once.
    kept = {n: v for n, v in trial.system_attrs.items() if not n.startswith(_EXCESS)}
    return create_trial(
        state=TrialState.COMPLETE,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs={**kept, _FAILED: True} if has_failed else kept,
        values=[_bounded(loss) for loss in values.losses],
        constraints={str(n): _bounded(value) for n, value in enumerate(values.excess)} or None,
    )


def is_failure(trial: FrozenTrial) -> bool:
    """Return whether the trial failed, so that its values are those of the worst of the others."""
    return _FAILED in trial.system_attrs


def _bounded(value: float) -> float:
    return max(-LARGEST, min(LARGEST, value))
