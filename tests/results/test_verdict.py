from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from results.analysis import JobResults
from results.confirmation import confirmed
from results.states import JobState
from results.verdict import verdict
from tests.results import fakes


def words(
    values: Mapping[int, Sequence[float | None]], state: JobState = JobState.SUCCEEDED
) -> str:
    job = fakes.confirming(fakes.feedforward(2), values)
    results = JobResults.of(replace(job.job, state=state), *job[1:])
    found = confirmed(results)
    assert found is not None
    return verdict(results, found)


def test_a_clear_winner() -> None:
    text = words({1: [0.88, 0.89, 0.87], 2: [0.85, 0.87, 0.84], 0: [0.82, 0.83, 0.80]})
    assert text == (
        "Trial 1 (learning rate 0.001) wins: its validation accuracy is 0.8800 (mean of 3 seeds,"
        " standard deviation 0.0100), 0.0267 (95 % interval 0.0123 to 0.0410, 3 common seeds)"
        " better than that of the second, trial 2 (learning rate 0.1). It is 0.0633 (95 % interval"
        " 0.0490 to 0.0777, 3 common seeds) better than that of the defaults."
    )


def test_candidates_that_cannot_be_told_apart() -> None:
    text = words({1: [0.88, 0.89, 0.87], 2: [0.87, 0.90, 0.86], 0: [0.80, 0.81, 0.79]})
    assert text.startswith("These 2 cannot be told apart: trial 1 (learning rate 0.001) with")
    assert "Trial 1's is 0.0800 (95 % interval" in text
    assert text.endswith("More seeds may tell them apart; otherwise take the cheapest.")


def test_two_seeds_tell_nothing_apart() -> None:
    text = words({1: [0.88, 0.89], 2: [0.85, 0.86]})
    assert text.endswith("2 seeds cannot tell them apart: confirm with 3 or more.")


def test_defaults_that_are_as_good() -> None:
    text = words({1: [0.88, 0.89, 0.87], 0: [0.87, 0.90, 0.86]})
    assert "the defaults (trial 0) with" in text
    assert "nothing that is clearly better than the defaults" in text
    assert "The defaults have the best mean" in words({1: [0.88, 0.86, 0.87], 0: [0.87, 0.9, 0.86]})


def test_a_search_that_was_lucky() -> None:
    text = words({1: [0.80, 0.81, 0.79], 2: [0.85, 0.86, 0.84]})
    assert text.startswith("Trial 2 (learning rate 0.1) wins")
    assert text.endswith("The search's best, trial 1, was ahead with the seed of the search only.")


def test_a_job_that_runs_and_one_without_a_value() -> None:
    running = words({1: [0.88], 2: [0.85]}, JobState.RUNNING)
    assert running.startswith("So far: These 2 cannot be told apart")
    assert "(1 seed)" in running
    assert "More seeds" not in running
    assert words({1: [None], 2: [None]}) == "No candidate has a result with further seeds."
