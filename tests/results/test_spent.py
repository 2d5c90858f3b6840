from __future__ import annotations

from dataclasses import replace

from results.spent import Amount, spent
from results.states import TrialState
from tests.results import fakes


def test_each_trial_counts_once_by_how_it_ended() -> None:
    job = fakes.confirming(fakes.feedforward(4, {3: fakes.DIVERGED}), {1: [0.9, None]})
    trials = list(job.trials)
    trials[2] = replace(trials[2], state=TrialState.STOPPED, epochs=1, seconds=1.5)
    trials[4] = replace(trials[4], state=TrialState.CANCELLED, epochs=2, seconds=3.0)
    trials[5] = replace(trials[5], state=TrialState.QUEUED, epochs=0, seconds=0.0, attempt=0)
    trials[6] = replace(trials[6], state=TrialState.RUNNING)
    found = spent(trials, {1: (3, 4.5), 8: (2, 3.0)})
    assert found.useful == Amount(3, 12, 18.0)
    assert found.stopped == Amount(2, 3, 4.5)
    assert found.failed == Amount(1, 2, 3.0)
    assert found.confirming == Amount(2, 8, 12.0)
    assert found.repeated == Amount(2, 5, 7.5)
    assert found.total == Amount(8, 30, 45.0)


def test_nothing_has_been_spent_yet() -> None:
    assert spent(()).total == Amount(0, 0, 0.0)


def test_what_a_copy_did_not_train_itself_does_not_count() -> None:
    found = spent(fakes.population().trials)
    assert (found.useful.epochs, found.stopped.epochs) == (18, 6)
