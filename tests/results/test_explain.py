"""The paragraphs quote the job's numbers and claim no more than they show."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from results.analysis import JobResults
from results.explain import explain, explain_selected
from results.records import Progress
from results.states import JobState, Purpose, TrialState
from search_spaces import Confirm
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake


def text_of(fake: Fake) -> str:
    return "\n".join(explain(JobResults.of(*fake)))


def test_selection_and_runner_up() -> None:
    text = text_of(fakes.feedforward())
    assert (
        "Trial 1 (learning rate 0.001) ended with validation accuracy 0.8892, the highest of 7."
        " Next is trial 0 (defaults) with 0.8812, 0.0080 lower. Trial 1 has test accuracy 0.8822;"
        " test data took no part in the selection."
    ) in text


def test_repeats_are_described_by_their_mean() -> None:
    text = text_of(fakes.repeated(fakes.with_scores(1.0, 2.0, 1.0, 3.0), 2))
    assert (
        "Trial 0 (lr 1) ended with M 1.5000 ± 0.7071 (n = 2), the lowest of 2."
        " Next is trial 2 (lr 3) with 2.0000, 0.5000 higher."
    ) in text
    assert "different configuration" not in text
    assert "same seed" not in text


def test_trials_that_ended_early_or_broke_a_constraint_are_told() -> None:
    fake = fakes.stopped(fakes.with_scores(1.0, 2.0, 3.0, 4.0), 2, 3)
    limited = fakes.with_spec(fake.job, constraints=[{"metric": "m", "at_least": 1.5}])
    text = text_of(fake._replace(job=limited))
    assert (
        "2 trials ended early, after 1 of 1 epochs: only trials that trained to the end are ranked."
        " 1 trial broke a constraint and is not ranked, trial 0 for example: m is 1.0000, and must"
        " be at least 1.5000."
    ) in text


def test_of_several_objectives_the_front_is_named() -> None:
    fake = fakes.with_scores(1.0, 2.0, 3.0)
    trials = [replace(t, seconds=s) for t, s in zip(fake.trials, (9.0, 1.0, 5.0), strict=True)]
    objectives = [{"metric": "m", "mode": "min"}, {"metric": "seconds", "mode": "min"}]
    job = fakes.with_spec(fake.job, objectives=objectives)
    assert (
        "By M and training time together, no other configuration beats trials 0 and 1: they are the"
        " Pareto front, listed by the first objective."
    ) in text_of(fake._replace(job=job, trials=tuple(trials)))


def test_effects_one_at_a_time() -> None:
    text = text_of(fakes.feedforward())
    assert (
        "Learning rate, the other parameters at their defaults: highest validation accuracy with"
        " 0.001 (0.8892), lowest with 0.1 (0.8612, 0.0280 lower)."
    ) in text
    assert (
        "Hidden size, the other parameters at their defaults: highest validation accuracy with 200"
        " (0.8812), lowest with 100 (0.8712, 0.0100 lower)."
    ) in text
    assert text.endswith("All trials had the same seed, so a small difference may be chance.")


def test_effects_in_a_grid_are_means_and_in_a_sample_not_controlled() -> None:
    grid = text_of(fakes.grid(1))
    assert "Optimizer, mean over 72 combinations of the other parameters: highest" in grid
    assert "default" not in grid
    sampled = text_of(fakes.sampled())
    drawn = "over the trials sampled, which is no controlled comparison"
    assert f"Optimizer, {drawn}: highest validation accuracy with sgd" in sampled
    assert "Learning rate, " not in sampled


def test_failures_are_named_with_what_they_share() -> None:
    text = text_of(fakes.feedforward(failed={2: DIVERGED}))
    assert (
        "The job succeeded. Trials: 6 succeeded, 1 failed. It took 1 min 30 s, with 3 min 15 s of"
        " training." in text
    )
    assert "Failed: 1 diverged. Exactly the trials with learning rate 0.1 failed." in text
    assert "lowest with 0.01 (0.8812, 0.0080 lower)." in text


def test_many_failures_are_counted() -> None:
    text = text_of(fakes.grid(1, failed=dict.fromkeys(range(96, 144), DIVERGED)))
    assert "Failed: 48 diverged." in text


def test_no_success() -> None:
    text = text_of(fakes.feedforward(failed=dict.fromkeys(range(7), DIVERGED)))
    assert text == (
        "The job succeeded. Trials: 7 failed. It took 1 min 30 s, with 1 min 45 s of training.\n"
        "Failed: 7 diverged."
    )


def test_one_epoch_and_one_trial() -> None:
    text = text_of(fakes.regression(1))
    # 0.11 + 0.2 exp(-1 / 20); 0.195 + 0.043 (70 / 79)^2
    assert text == (
        "The job succeeded. Trials: 1 succeeded. It took 1 min 30 s, with 1.5 s of training.\n"
        "Trial 0 ended with training RMSE 0.3002. Trial 0 has test RMSE 0.2288."
    )


def test_equal_trials_are_called_equal() -> None:
    def flat(_: Any, epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 0.5}

    spec = fakes.feedforward(2).job.spec
    configurations = [trial.parameters for trial in fakes.feedforward(2).trials]
    text = text_of(fakes.make(spec, configurations, flat, fakes.CLASSIFICATION))
    assert "Next is trial 1 (learning rate 0.001) with 0.5000, equal as written." in text
    rates = "Learning rate, the other parameters at their defaults"
    assert f"{rates}: validation accuracy 0.5000 with each value." in text


def test_a_job_that_still_runs_or_has_not_begun() -> None:
    fake = fakes.feedforward(2)
    job = replace(fake.job, state=JobState.RUNNING, finished_at=None)
    assert "The job is running: 7 of 7 trials have ended." in text_of(fake._replace(job=job))
    queued = replace(
        job, state=JobState.QUEUED, started_at=None, best=None, progress=Progress(7, 0, 0, 0, 0, 14)
    )
    assert explain(JobResults.of(queued, (), (), {})) == [
        "The job is queued: 0 of 7 trials have ended."
    ]


def test_a_cancelled_job_reads_well() -> None:
    fake = fakes.feedforward(2)
    job = replace(fake.job, state=JobState.CANCELLED)
    assert text_of(fake._replace(job=job)).startswith(
        "The job was cancelled. Trials: 7 succeeded. It took"
    )
    planned = replace(job, progress=replace(job.progress, trials=20))
    assert text_of(fake._replace(job=planned)).startswith(
        "The job was cancelled. Trials: 13 not run, 7 succeeded. It took"
    )
    waiting = replace(fake.trials[6], state=TrialState.CANCELLED, attempt=0)
    stopped = replace(fake.trials[5], state=TrialState.CANCELLED)
    trials = (*fake.trials[:5], stopped, waiting)
    assert text_of(fake._replace(job=job, trials=trials)).startswith(
        "The job was cancelled. Trials: 5 succeeded, 1 cancelled, 1 not run. It took"
    )


def test_the_selected_trial_alone() -> None:
    fake = fakes.feedforward()
    first, *others = explain_selected(JobResults.of(*fake))
    assert first.startswith("Trial 1 (learning rate 0.001) ended with")
    assert not any(" with 0.1 " in text or "seed" in text for text in others)
    outcome, failures, *_ = explain_selected(
        JobResults.of(*fakes.feedforward(failed={2: DIVERGED}))
    )
    assert "6 succeeded, 1 failed" in outcome
    assert failures.startswith("Failed: 1 diverged.")


def test_trials_that_confirm_the_winner_are_no_trials_of_the_search_that_did_not_run() -> None:
    fake = fakes.feedforward()
    confirming = [
        replace(fake.trials[1], number=7 + again, seed=43 + again, purpose=Purpose.CONFIRM,
                configuration=1)
        for again in range(2)
    ]  # fmt: skip
    job = replace(fake.job, progress=replace(fake.job.progress, trials=9))
    confirmed = JobResults.of(*fake._replace(job=job, trials=(*fake.trials, *confirming)))
    assert explain_selected(confirmed) == explain_selected(JobResults.of(*fake))


def test_sampled_duplicates_are_counted() -> None:
    fake = fakes.sampled(8)
    configurations = [{"learning_rate": 0.01, "optimizer": name} for name in ("sgd", "adam") * 4]
    drawn = fakes.make(
        fake.job.spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION
    )
    assert explain(JobResults.of(*drawn))[-1] == (
        "The 8 trials have only 2 different configurations. All trials had the same seed, so a"
        " small difference may be chance."
    )
    seeds = [replace(trial, seed=trial.number) for trial in drawn.trials]
    assert explain(JobResults.of(*drawn._replace(trials=tuple(seeds))))[-1] == (
        "The 8 trials have only 2 different configurations."
    )


def test_trials_of_a_single_configuration_are_counted_too() -> None:
    fake = fakes.sampled(8)
    drawn = fakes.make(
        fake.job.spec, [{"learning_rate": 0.01}] * 8, fakes.classification_curve,
        fakes.CLASSIFICATION,
    )  # fmt: skip
    assert "The 8 trials have only 1 different configuration." in text_of(drawn)


@pytest.mark.parametrize("split", ["test", "none"])
def test_a_selection_by_another_split_is_not_called_free_of_test_data(
    split: Literal["test", "none"],
) -> None:
    fake = fakes.feedforward(2)
    declared = replace(fake.metrics["validation_accuracy"], split=split)
    text = text_of(fake._replace(metrics={**fake.metrics, "validation_accuracy": declared}))
    assert "Trial 1 has test accuracy" in text
    assert "took no part" not in text


def test_null_and_absent_make_different_configurations() -> None:
    fake = fakes.feedforward(1)
    configurations = [{"learning_rate": 0.01, "clip": None}, {"learning_rate": 0.01}]
    text = text_of(
        fakes.make(fake.job.spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION)
    )
    assert "different configuration" not in text


def test_different_engines_are_named() -> None:
    fake = fakes.feedforward(1)
    engines = ["numba", "eager", "", "eager", "eager", "eager", "eager"]
    trials = [replace(t, engine=engine) for t, engine in zip(fake.trials, engines, strict=True)]
    assert explain(JobResults.of(*fake._replace(trials=tuple(trials))))[-1] == (
        "Different engines trained the trials: numba (1 trial) and eager (5 trials). They round"
        " numbers differently."
    )
    same = [replace(trial, engine="eager") for trial in trials]
    assert "engine" not in text_of(fake._replace(trials=tuple(same)))


VALUES = st.floats(-1e100, 1e100) | st.sampled_from([0.0, 0.5, 0.50001, math.nan, math.inf])


@settings(max_examples=40, deadline=None, phases=[Phase.generate], derandomize=True)
@given(
    values=st.lists(VALUES, min_size=5, max_size=5),
    epochs=st.integers(1, 4),
    failed=st.sets(st.integers(0, 6)),
)
def test_any_numbers_make_text_without_nan(
    values: list[float], epochs: int, failed: set[int]
) -> None:
    endless = itertools.cycle(values)
    spec = {**fakes.feedforward(epochs).job.spec.to_json(), "metric": "train_rmse", "mode": "min"}
    fake = fakes.make(
        spec,
        [trial.parameters for trial in fakes.feedforward(1).trials],
        lambda parameters, epoch: {name: next(endless) for name in fakes.REGRESSION},
        fakes.REGRESSION,
        dict.fromkeys(failed, DIVERGED),
    )
    words = set(text_of(fake).replace("(", " ").replace(")", " ").replace(",", " ").split())
    assert not words & {"nan", "inf", "-inf", "n/a", "None"}


def test_copies_in_a_population_are_explained_with_the_whole_curve() -> None:
    text = text_of(fakes.population())
    assert "2 trials went on from the state of a better one, with other values" in text
    assert "2 trials ended early, after 2 and 4 of 6 epochs" in text
    assert "The M was lowest at epoch 6 (0.9260), the last one." in text
    assert "all else equal" not in text


def test_the_training_is_what_was_spent_with_the_confirmation() -> None:
    fake = fakes.confirming(fakes.with_scores(1.0, 2.0), {0: [1.0, 1.5]})
    # Two trials of the search and two that confirm, 1.5 s each.
    (text, *_) = explain(JobResults.of(*fake, repeated={0: (1, 2.0)}))
    assert text.endswith("It took 1 min 30 s, with 8.0 s of training.")


def test_where_no_trial_meets_the_constraints_that_is_said() -> None:
    fake = fakes.ended_early(fakes.sampled(12, 5), 7, 3)
    limits = [{"metric": "train_loss", "at_most": 0.0001}]
    job = replace(fakes.with_spec(fake.job, constraints=limits), best=None)
    text = " ".join(explain(JobResults.of(*fake._replace(job=job))))
    assert (
        "No trial that trained to the end meets the constraints, so none is the best one. Nearest"
        " is trial 7: train_loss is"
    ) in text
    assert "mean over" not in text


@pytest.mark.parametrize("state", list(JobState))
def test_trials_to_come_of_a_confirmation_are_not_counted_as_the_searchs(state: JobState) -> None:
    plain = fakes.feedforward()
    space = replace(plain.job.spec.space, confirm=Confirm(top=3, seeds=5))
    progress = replace(plain.job.progress, trials=7 + 20)
    job = replace(
        plain.job, state=state, progress=progress, spec=replace(plain.job.spec, space=space)
    )
    begun = fakes.confirming(plain, {1: [0.88, None]})
    waiting = replace(begun.trials[-1], number=9, state=TrialState.CANCELLED, attempt=0, error=None)
    trials = (*begun.trials, waiting)
    searched = text_of(plain._replace(job=job))
    confirming = text_of(plain._replace(job=job, trials=trials))
    if state.is_finished:
        assert "Trials: 7 succeeded." in searched
        assert "Trials: 7 succeeded." in confirming
        assert "to confirm the winner: 18 not run, 1 succeeded, 1 failed." in confirming
    else:
        assert "7 of 7 trials have ended." in searched
        assert "7 of 7 trials have ended." in confirming
        assert "Of at most 20 trials to confirm the winner, 3 ended." in confirming


def test_an_extension_that_was_cancelled_early_counts_what_the_search_lacks() -> None:
    plain = fakes.feedforward()
    space = replace(plain.job.spec.space, confirm=Confirm(top=3, seeds=5))
    begun = fakes.confirming(plain, {1: [0.88, 0.87]})
    spec = replace(plain.job.spec, space=space, trials=17)
    progress = replace(plain.job.progress, trials=17 + 20)
    job = replace(plain.job, state=JobState.CANCELLED, spec=spec, progress=progress)
    text = text_of(begun._replace(job=job))
    assert "Trials: 10 not run, 7 succeeded." in text
    assert "to confirm the winner: 18 not run, 2 succeeded." in text
