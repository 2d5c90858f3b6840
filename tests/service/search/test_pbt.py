"""How far the trials of a population train, and who is replaced."""

from __future__ import annotations

import math

import pytest

import search_spaces
from service.search.pbt import Pbt, Selection
from service.search.scheduler import Action, Promotion

DECLARED = search_spaces.Scheduler("pbt", population=4, interval=2, quantile=0.25)


def at_first_stop(losses: dict[int, float], declared: search_spaces.Scheduler = DECLARED) -> Pbt:
    """Return the scheduler of trials that have all come to epoch 2."""
    pbt = Pbt(declared, epochs=5)
    for number, loss in losses.items():
        assert pbt.begin(number) == 2
        assert pbt.report(number, 1, 9.0) is Action.CONTINUE
        assert pbt.report(number, 2, loss) is Action.PAUSE
    return pbt


def test_all_pause_at_every_interval_and_train_to_the_end_after_the_last() -> None:
    pbt = at_first_stop({0: 0.4, 1: 0.1, 2: 0.3, 3: 0.2})
    assert sorted(pbt.rungs()) == [2, 4, 5]
    assert pbt.promote() is None
    assert pbt.promote(running=()) is None
    assert pbt.select([0, 1, 2, 3], 2, done=0) == Selection(2, [0], [1], 1)
    assert [pbt.promote() for _ in range(4)] == [Promotion(n, 4) for n in (1, 2, 3)] + [None]
    pbt.join(4, 2)
    assert pbt.begin(4) == 4
    for number in (1, 2, 3, 4):
        assert pbt.report(number, 4, 0.1 * number) is Action.PAUSE
    assert pbt.select([1, 2, 3, 4], 4, done=0) == Selection(4, [4], [1], 1)
    assert pbt.promote() == Promotion(1, 5)
    assert pbt.report(1, 5, 0.1) is Action.CONTINUE
    assert pbt.rungs()[5] == {1: 0.1}


@pytest.mark.parametrize(
    ("losses", "done", "expected"),
    [
        ({0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1}, 0, Selection(2, [3], [0], 1)),  # ties by number
        ({0: 0.3, 1: 0.1, 2: 0.2}, 0, Selection(2, [], [1], 1)),  # one has failed
        ({0: 0.3, 1: 0.1, 2: 0.2}, 1, Selection(2, [0], [1], 1)),  # one has ended well
        ({1: 0.1}, 0, Selection(2, [], [1], 1)),
        ({0: math.inf, 1: 0.2, 2: math.inf, 3: 0.3}, 0, Selection(2, [2], [1], 1)),
        ({0: math.inf, 1: math.inf}, 0, Selection(2, [], [], 0)),
    ],
)
def test_who_is_replaced(losses: dict[int, float], done: int, expected: Selection) -> None:
    assert at_first_stop(losses).select(list(losses), 2, done=done) == expected


def test_never_more_than_half_of_the_population_is_replaced() -> None:
    half = search_spaces.Scheduler("pbt", population=3, quantile=0.5)
    found = at_first_stop({0: 0.1, 1: 0.2, 2: 0.3}, half).select([0, 1, 2], 2, done=0)
    assert found == Selection(2, [2], [0], 1)


def test_a_trial_that_is_started_again_passes_where_it_had_been() -> None:
    pbt = at_first_stop({0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4})
    pbt.select([0, 1, 2, 3], 2, done=0)
    assert pbt.report(0, 2, 0.5) is Action.CONTINUE
    assert pbt.rungs()[2][0] == 0.1
    pbt.remove(0)
    assert 0 not in pbt.rungs()[2]


def test_a_restored_trial_waits_only_where_it_was_not_decided_yet() -> None:
    former = {0: {2: 0.1}, 1: {2: 0.2}, 2: {2: 0.3}, 3: {2: 0.4}}

    def restored(*, copy: bool = False, running: set[int] | None = None) -> list[int]:
        pbt = Pbt(DECLARED, epochs=5)
        if copy:
            pbt.join(4, 2)
        pbt.restore(former, running=running or ())
        return [pbt.begin(number) for number in range(4)]

    assert restored() == [2, 2, 2, 2]
    assert restored(copy=True) == restored(running={1}) == [4, 4, 4, 4]


def test_trials_have_an_epoch() -> None:
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        Pbt(DECLARED, epochs=0)
