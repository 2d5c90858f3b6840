"""Programs that end before the last epoch: their search ends, whoever promotes or stops trials."""

from __future__ import annotations

from typing import Any

import pytest

from results.states import TrialState
from tests.service.search.test_search import EPOCHS, RANGE, World


class EarlyWorld(World):
    """Lets the program of some trials end by itself after an epoch."""

    def __init__(self, ends: dict[int, int], **fields: Any) -> None:
        self.ends = ends
        super().__init__(**fields)

    def train(self, number: int) -> None:
        super().train(number)
        if number in self.running and self.trials[number].epochs >= self.ends.get(number, EPOCHS):
            self.end(number, TrialState.SUCCEEDED)


SCHEDULERS = [
    {"name": "asha"}, {"name": "asha", "stops": True}, {"name": "hyperband"}, {"name": "median"},
]  # fmt: skip


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("crash_after", [-1, 7, 23])
@pytest.mark.parametrize(
    "ends", [{0: 2, 3: 5, 4: 1, 7: 8}, dict.fromkeys(range(12), 2), dict.fromkeys(range(12), 4)]
)
def test_a_search_of_programs_that_end_early_ends(
    scheduler: dict[str, Any], crash_after: int, ends: dict[int, int]
) -> None:
    world = EarlyWorld(ends, strategy="random", trials=12, parameters=RANGE, scheduler=scheduler)
    world.run(crash_after=crash_after)
    assert len(world.trials) == 12
    assert all(state.is_finished for state in world.states()), world.states()
    assert TrialState.SUCCEEDED in world.states()
    for number, trial in world.trials.items():
        if trial.state is TrialState.SUCCEEDED:
            assert trial.epochs == min(EPOCHS, max(trial.epochs, ends.get(number, EPOCHS)))


def test_paused_trials_stay_where_they_are_once_programs_have_ended() -> None:
    """All but the first trials are paused at the first rung, and need not go on."""
    ends = dict.fromkeys(range(12), 2)
    world = EarlyWorld(
        ends, strategy="random", trials=12, parameters=RANGE,
        scheduler={"name": "asha", "reduction_factor": 3},
    )  # fmt: skip
    world.run()
    states = world.states()
    assert states.count(TrialState.SUCCEEDED) >= 1
    assert states.count(TrialState.STOPPED) >= 6
