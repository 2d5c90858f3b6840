from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from results.analysis import JobResults
from results.confirmation import confirmed
from results.records import Failure
from results.states import FailureKind, JobState, Purpose, TrialState
from results.verdict import verdict
from search_spaces import Constraint
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
    assert words({1: [None], 2: [None]}) == (
        "No candidate is left with a result: trial 1 (learning rate 0.001) failed with seed 43 and"
        " trial 2 (learning rate 0.1) failed with seed 43."
    )


def ended(state: JobState, last: TrialState = TrialState.CANCELLED) -> str:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.88], 2: [0.85]})
    waiting = replace(job.trials[-1], state=last, metrics={}, attempt=0)
    results = JobResults.of(replace(job.job, state=state), [*job.trials[:-1], waiting], *job[2:])
    found = confirmed(results)
    assert found is not None
    return verdict(results, found)


def test_an_incomplete_confirmation_says_so_and_names_no_winner() -> None:
    running = ended(JobState.RUNNING, TrialState.QUEUED)
    assert running == (
        "So far: These 2 cannot be told apart: trial 1 (learning rate 0.001) with validation"
        " accuracy 0.8800 (1 seed) and trial 2 (learning rate 0.1) without a result."
    )
    for state in (JobState.CANCELLED, JobState.FAILED):
        text = ended(state)
        assert " wins" not in text
        assert text.endswith(
            "The confirmation is incomplete: the job ended before all of its trials had run."
        )


def test_one_candidate_alone_with_others_to_come_is_ahead() -> None:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.88]})
    progress = replace(job.job.progress, trials=len(job.trials) + 5)
    results = JobResults.of(replace(job.job, state=JobState.RUNNING, progress=progress), *job[1:])
    found = confirmed(results)
    assert found is not None
    assert verdict(results, found).startswith("So far: Ahead is trial 1 (learning rate 0.001)")


def test_a_best_that_dropped_out_is_not_called_lucky() -> None:
    failed = words({1: [0.95, None, 0.95], 2: [0.85, 0.86, 0.84]})
    assert failed.endswith("The search's best, trial 1, dropped out: it failed with seed 44.")
    huge = words({1: [0.95, 1e150], 2: [0.85, 0.86]})
    assert huge.endswith(
        "dropped out: it came with seed 44 to a value further from 0 than 1e+100, which counts as"
        " a failure."
    )
    for text in (failed, huge):
        assert "was ahead with" not in text


def test_a_best_that_broke_a_constraint_did_not_fail() -> None:
    job = fakes.confirming(fakes.feedforward(2), {1: [0.95, 0.9], 2: [0.85, 0.86]})
    limit = (Constraint("validation_accuracy", at_most=0.92),)
    spec = replace(job.job.spec, space=replace(job.job.spec.space, constraints=limit))
    results = JobResults.of(replace(job.job, spec=spec), *job[1:])
    found = confirmed(results)
    assert found is not None
    assert verdict(results, found).endswith("dropped out: it broke a constraint with seed 43.")


def test_when_all_dropped_out_their_reasons_are_named() -> None:
    assert words({1: [0.9, None], 2: [0.8, None]}) == (
        "No candidate is left with a result: trial 1 (learning rate 0.001) failed with seed 44 and"
        " trial 2 (learning rate 0.1) failed with seed 44."
    )


def test_one_that_dropped_out_behind_a_leader_that_failed_is_compared_with_the_winner() -> None:
    """Trial 2 was clearly worse than trial 1 alone, which failed later."""
    text = words({1: [0.90, 0.90, 0.90, None], 2: [0.89, 0.89, 0.89], 0: [0.95, 0.70, 0.85, 0.80]})
    assert text.startswith("These 2 cannot be told apart: the defaults (trial 0)")
    assert "win:" not in text


def with_a_full_disk(
    values: Mapping[int, Sequence[float | None]], lost: Mapping[int, Sequence[int]]
) -> str:
    """Return the verdict where trials failed with these seeds for no reason of their own."""
    job = fakes.confirming(fakes.feedforward(2), values)
    disk = Failure(FailureKind.INFEASIBLE, "the disk is full")
    trials = [
        replace(trial, state=TrialState.FAILED, metrics={}, error=disk)
        if trial.purpose is Purpose.CONFIRM and trial.seed in lost.get(trial.configuration, ())
        else trial
        for trial in job.trials
    ]
    results = JobResults.of(job.job, trials, *job[2:])
    found = confirmed(results)
    assert found is not None
    return verdict(results, found)


def test_seeds_that_a_full_disk_took_are_run_again_and_not_asked_for() -> None:
    text = with_a_full_disk({1: [0.9] * 5, 2: [0.88] * 5}, {1: (45, 46, 47), 2: (45, 46, 47)})
    assert text.endswith(
        "Trials failed for reasons outside their configurations: retry the failed ones."
    )
    assert "confirm with" not in text


def test_one_seed_that_is_left_of_a_candidate_does_not_win() -> None:
    values = {1: [0.97, 0.86, 0.88, 0.89, 0.90], 0: [0.95] * 5}
    text = with_a_full_disk(values, {0: (44, 45, 46, 47)})
    assert text.startswith("These 2 cannot be told apart: trial 1")


def test_a_candidate_that_waits_for_a_result_is_told_from_those_that_dropped_out() -> None:
    text = with_a_full_disk({1: [0.90, None], 2: [0.88, 0.88]}, {2: (43, 44)})
    assert text == (
        "No candidate is left with a result: trial 2 (learning rate 0.1) has no result yet and"
        " trial 1 (learning rate 0.001) failed with seed 44."
    )
