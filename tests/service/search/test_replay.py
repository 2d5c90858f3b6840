"""Replays of finished jobs: what they save and find, and which jobs cannot be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import search_spaces
from results.errors import NotReplayable
from results.records import Curve
from results.states import JobState, TrialState
from search_spaces import Scheduler
from service.search.replay import MOST_ORDERS, has_replay, replay
from tests.results import fakes

ASHA = Scheduler("asha")


def job(
    trials: int = 27,
    epochs: int = 9,
    *,
    crossing: bool = False,
    at_most: float | None = None,
    mode: str = "max",
    slots: int | None = 2,
    **more: Any,
) -> fakes.Fake:
    """Trial n ends with the score n; where curves cross, the epochs before say the opposite."""
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": epochs,
        "metric": "m", "mode": mode, "strategy": "grid", "seed": 42,
        "parameters": {"n": {"values": list(range(trials)), "default": 0}},
    }  # fmt: skip
    if at_most is not None:
        spec["constraints"] = [{"metric": "cost", "at_most": at_most}]

    def curve(parameters: Mapping[str, Any], epoch: int) -> dict[str, float]:
        n = parameters["n"]
        score = -n if crossing and epoch < epochs else n + epoch / 100
        return {"m": score if mode == "max" else -score, "cost": float(n)}

    found = fakes.make(spec, [{"n": n} for n in range(trials)], curve, {}, **more)
    return found._replace(job=fakes.with_spec(found.job, max_concurrent_trials=slots))


def replayed(fake: fakes.Fake, scheduler: Scheduler = ASHA, **more: Any) -> Any:
    return replay(fake.job, fake.trials, fake.curves, scheduler, **more)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_where_curves_do_not_cross_the_best_trial_wins_with_a_part_of_the_epochs(
    mode: str,
) -> None:
    found = replayed(job(mode=mode))
    assert (found.trials, found.epochs) == (27, 27 * 9)
    assert found.stopping.orders == MOST_ORDERS
    assert found.stopping.found_best >= MOST_ORDERS / 2
    assert found.stopping.worst_rank <= 3
    assert 27 < found.stopping.epochs < 27 * 9 / 2
    assert found.saved == 1 - found.stopping.epochs / (27 * 9)
    assert found.short_run.ranks == (1,)
    assert abs(found.short_run.epochs - found.stopping.epochs) < 9


def test_trials_that_violate_a_constraint_are_not_what_is_looked_for() -> None:
    """The better half does, so the best that may be chosen is in the middle."""
    found = replayed(job(at_most=13.0))
    assert len(found.stopping.ranks) == MOST_ORDERS
    assert found.stopping.worst_rank <= 3
    assert found.short_run.ranks == (1,)


def test_where_curves_cross_early_epochs_mislead_and_the_replay_says_so() -> None:
    found = replayed(job(crossing=True))
    assert found.stopping.found_best < MOST_ORDERS / 4
    assert found.stopping.median_rank > 5
    assert found.short_run.ranks[0] > 5


def test_by_hand() -> None:
    # Three trials on one slot, 1.5 s an epoch: after one epoch each the best, trial 2, goes on to
    # epoch 3 and then, since nothing else is left, to the end.
    found = replayed(job(3, slots=1), orders=1)
    assert (found.stopping.epochs, found.stopping.ranks) == (1 + 1 + 9, (1,))
    assert found.stopping.seconds == pytest.approx(11 * 1.5)
    assert (found.short_epochs, found.short_best) == (1, 1)
    assert (found.short_run.epochs, found.short_run.seconds) == (11, pytest.approx(11 * 1.5))


def test_the_slots_are_those_that_the_job_had() -> None:
    fake = job(4, slots=None)
    assert replayed(fake).slots == 4  # all of them ran at the same time
    trials = [
        replace(trial, started_at=fakes.START + timedelta(seconds=20 * trial.number),
                finished_at=fakes.START + timedelta(seconds=20 * trial.number + 30))
        for trial in fake.trials
    ]  # fmt: skip
    found = replayed(fake._replace(trials=tuple(trials)))
    assert found.slots == 2
    assert found.seconds == pytest.approx(4 * 9 * 1.5 / 2)
    assert found.stopping.seconds < found.seconds


@pytest.mark.parametrize(
    "scheduler",
    [
        Scheduler("asha", stops=True),
        Scheduler("hyperband"),
        Scheduler("hyperband", reduction_factor=2, stops=True),
        Scheduler("median", min_trials=3),
    ],
)
def test_every_scheduler_can_be_asked_for(scheduler: Scheduler) -> None:
    found = replayed(job(), scheduler)
    assert found.scheduler == scheduler
    assert found.epochs / 10 < found.stopping.epochs < found.epochs
    assert len(found.stopping.ranks) == MOST_ORDERS


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_trials_that_cannot_resume_are_stopped_not_promoted(name: str) -> None:
    found = replayed(job(), Scheduler(name), resumes=False)
    assert not found.resumes
    assert found.scheduler == Scheduler(name, stops=True)
    assert found.stopping == replayed(job(), Scheduler(name, stops=True)).stopping
    assert found.stopping.epochs > replayed(job(), Scheduler(name)).stopping.epochs


def test_the_best_of_a_short_run_that_cannot_resume_train_again_from_the_start() -> None:
    # One epoch each, 1.5 s on one slot, then the best for all 9 epochs rather than the other 8.
    found = replayed(job(slots=1), resumes=False)
    assert found.short_run.epochs == 27 + 9 * found.short_best
    assert found.short_run.seconds == pytest.approx(found.short_run.epochs * 1.5)
    assert abs(found.short_run.epochs - found.stopping.epochs) < 9
    going_on = replayed(job(slots=1), Scheduler("asha", stops=True))
    assert going_on.short_run.epochs == 27 + 8 * going_on.short_best
    assert going_on.short_best > found.short_best


def test_the_same_replay_gives_the_same_numbers() -> None:
    assert replayed(job()) == replayed(job())


def test_a_trial_that_failed_before_its_first_epoch_trains_nothing() -> None:
    fake = job(9)
    failed = replace(fake.trials[0], state=TrialState.FAILED, epochs=0, metrics={})
    curves = tuple(curve for curve in fake.curves if curve.trial != 0)
    found = replayed(fake._replace(trials=(failed, *fake.trials[1:]), curves=curves))
    assert found.epochs == 8 * 9
    assert found.short_run.ranks == (1,)


def test_trials_that_failed_fail_again_and_never_win() -> None:
    found = replayed(job(failed={26: fakes.DIVERGED, 25: fakes.DIVERGED}))
    assert found.epochs == 25 * 9 + 2 * 4
    assert found.stopping.found_best > 0
    assert found.short_run.ranks == (1,)


def test_trials_that_confirm_take_no_part() -> None:
    fake = job()
    assert replayed(fakes.confirming(fake, {26: [1.0, 2.0]})) == replayed(fake)


def unfinished() -> fakes.Fake:
    fake = job()
    stopped = replace(fake.trials[3], state=TrialState.STOPPED, epochs=2)
    return fake._replace(trials=(*fake.trials[:3], stopped, *fake.trials[4:]))


def without_a_value() -> fakes.Fake:
    fake = job()
    curve = Curve(3, fake.curves[3].epochs, {"m": (None, *fake.curves[3].metrics["m"][1:])})
    return fake._replace(curves=(*fake.curves[:3], curve, *fake.curves[4:]))


def with_space(**changes: Any) -> fakes.Fake:
    fake = job()
    space = replace(fake.job.spec.space, **changes)
    return fake._replace(job=replace(fake.job, spec=replace(fake.job.spec, space=space)))


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        (job(state=JobState.RUNNING), "it is running; wait for its end"),
        (job(epochs=1), "one epoch"),
        (job(3, failed=dict.fromkeys(range(3), fakes.DIVERGED)), "no trial has succeeded"),
        (unfinished(), "trial 3 was not trained to the last epoch"),
        (without_a_value(), "trial 3 has no m in some epochs"),
        (with_space(scheduler=ASHA), "already ended early, by asha"),
        (with_space(repeats=3), "several seeds"),
        (with_space(secondary=(search_spaces.Objective("seconds", "min"),)), "several objectives"),
    ],
)
def test_a_job_that_cannot_be_replayed_is_refused(fake: fakes.Fake, reason: str) -> None:
    with pytest.raises(NotReplayable, match=reason):
        replayed(fake)


def test_a_scheduler_that_the_job_could_not_have_had_is_refused() -> None:
    with pytest.raises(search_spaces.SearchSpaceError, match="use more than 9 epochs"):
        replayed(job(), Scheduler("asha", min_epochs=9))


def test_reports_have_a_replay_of_jobs_with_enough_trials_and_epochs_but_not_too_many() -> None:
    assert has_replay(job(8, 3).job, job(8, 3).trials)
    assert not has_replay(job(7, 3).job, job(7, 3).trials)
    assert not has_replay(job(8, 2).job, job(8, 2).trials)
    assert not has_replay(unfinished().job, unfinished().trials)
    large = job(8, 3)
    spec = replace(large.job.spec, space=replace(large.job.spec.space, epochs=100_000))
    assert not has_replay(replace(large.job, spec=spec), large.trials)


def test_the_work_is_bounded() -> None:
    found = replayed(job(), most_epochs=2 * 27 * 9)
    assert 2 < found.stopping.orders < MOST_ORDERS
    assert found.stopping.epochs * (found.stopping.orders - 1) < 2 * 27 * 9


def test_a_population_and_its_scheduler_cannot_be_replayed() -> None:
    with pytest.raises(NotReplayable, match="pbt changed the parameters of its trials"):
        replayed(fakes.population())
    with pytest.raises(NotReplayable, match="pbt cannot be replayed: it changes parameters"):
        replayed(job(), Scheduler("pbt"))
