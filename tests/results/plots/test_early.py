"""Trials that ended before the last epoch, in the plots over trials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.plots.early import ended_early, said
from results.states import TrialState
from tests.results import fakes
from tests.results.plots.helpers import captions_of, results_of


@pytest.mark.parametrize("state", [TrialState.STOPPED, TrialState.PAUSED])
def test_trials_that_ended_early_have_the_value_of_their_last_epoch(state: TrialState) -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7, state=state)
    found = ended_early(results_of(fake))
    # Trial 7 trained to the end, trial 8 failed.
    assert [trial.number for trial, _ in found.trials] == [0, 1, 2, 3, 4, 5, 6, 9, 10, 11]
    firsts = {c.trial: c.metrics["validation_accuracy"][0] for c in fake.curves}
    assert found.values == [firsts[trial.number] for trial, _ in found.trials]
    assert said(found) == (" Light, hollow marks are trials that ended early, at their last epoch.")


def test_where_all_trials_trained_to_the_end_nothing_is_said() -> None:
    assert said(ended_early(results_of(fakes.sampled(12, 5)))) == ""


def test_a_value_far_off_is_counted_and_does_not_flatten_the_others() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7)
    low = replace(fake.trials[3], metrics={"validation_accuracy": -50.0})
    fake = fake._replace(trials=(*fake.trials[:3], low, *fake.trials[4:]))
    found = ended_early(results_of(fake))
    assert found.far == 1
    assert 3 not in [trial.number for trial, _ in found.trials]
    caption = captions_of(fake)["history"]
    assert caption.endswith(" 1 trial that ended early lies far outside the axis.")
