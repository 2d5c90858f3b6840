from __future__ import annotations

import pytest

from results.analysis import JobResults
from results.confirmation import confirmed
from results.diagnosis.scores import few_trials, within_noise
from tests.results import fakes
from tests.results.diagnosis.spaces import RATE, SIZE, search, spread

CONFIGURATIONS = [{"rate": 10 ** (-4 + 4 * spread(n, 12))} for n in range(12)]


def test_too_few_trials_for_the_parameters() -> None:
    (found,) = few_trials(search(CONFIGURATIONS, lambda c: c["rate"], {"rate": RATE, "size": SIZE}))
    assert found.detail == (
        "12 configurations for 2 searched parameters: a rule of thumb asks for 10 each, 20 here."
    )
    assert list(few_trials(search(CONFIGURATIONS, lambda c: c["rate"], {"rate": RATE}))) == []
    assert list(few_trials(JobResults.of(*fakes.grid(2)))) == []


def test_differences_within_the_noise_of_seeds() -> None:
    # Noise: deviations 0.01 of two configurations. 1.96 * sqrt(2) * 0.01 = 0.0277.
    job = fakes.with_scores(0.90, 0.88, 0.86, 0.80, mode="max")
    confirmed = fakes.confirming(job, {0: [0.88, 0.89, 0.87], 1: [0.88, 0.89, 0.87]})
    (found,) = within_noise(JobResults.of(*confirmed))
    assert found.detail.startswith("The 2 best of 4 configurations differ by less than seeds")
    assert "0.0100" in found.detail
    assert found.hint == (
        "Confirm with more seeds or a larger top, or take the cheapest or simplest of them."
    )


def test_a_clear_winner_of_a_confirmation_ends_the_doubt() -> None:
    # The noise, 0.0173, is that of seeds, which the candidates share.
    job = fakes.with_scores(0.90, 0.88, 0.86, 0.80, mode="max")
    clear = fakes.confirming(job, {0: [0.90, 0.93, 0.87], 1: [0.88, 0.911, 0.849]})
    found = JobResults.of(*clear)
    verdict = confirmed(found)
    assert verdict is not None
    assert verdict.is_clear
    assert list(within_noise(found)) == []


def test_a_search_with_repeats_cannot_be_confirmed() -> None:
    scores = (0.90, 0.89, 0.91, 0.89, 0.88, 0.90, 0.50, 0.51, 0.49)
    (found,) = within_noise(
        JobResults.of(*fakes.repeated(fakes.with_scores(*scores, mode="max"), 3))
    )
    assert found.detail.startswith("The 2 best of 3 configurations")
    assert found.hint == "Raise repeats, or take the cheapest or simplest of them."


def test_differences_above_the_noise_are_no_finding() -> None:
    job = fakes.with_scores(0.90, 0.80, mode="max")
    quiet = fakes.confirming(job, {0: [0.9, 0.901, 0.902], 1: [0.8, 0.801, 0.802]})
    assert list(within_noise(JobResults.of(*quiet))) == []
    assert list(within_noise(JobResults.of(*job))) == []  # one seed each: noise is unknown


@pytest.mark.parametrize("mode", ["max", "min"])
def test_the_best_are_counted_in_either_mode(mode: str) -> None:
    job = fakes.with_scores(0.90, 0.89, 0.10, 0.11, 0.12, mode=mode)
    noisy = fakes.confirming(job, {0: [0.88, 0.89, 0.87]})
    (found,) = within_noise(JobResults.of(*noisy))
    assert found.detail.startswith(f"The {2 if mode == 'max' else 3} best")
