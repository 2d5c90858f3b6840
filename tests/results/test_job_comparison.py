"""Jobs side by side: courses, spreads, differences and repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from results.analysis import JobResults
from results.job_comparison import (
    MOST_POINTS,
    Course,
    band,
    compared,
    course_of,
    differences,
    repeats,
)
from results.records import Rest
from tests.results import fakes
from tests.results.fakes import START, Fake


def timed(fake: Fake, ends: Mapping[int, float]) -> JobResults:
    """The job with its trials ended so many seconds after its start."""
    trials = [
        replace(trial, finished_at=START + timedelta(seconds=ends[trial.number]))
        for trial in fake.trials
    ]
    return JobResults.of(*fake._replace(trials=tuple(trials)))


def test_the_course_has_each_improvement_in_the_order_in_which_trials_ended() -> None:
    fake = fakes.with_scores(3.0, 1.0, 2.0, 5.0)
    course = course_of(timed(fake, {0: 20.0, 1: 30.0, 2: 10.0, 3: 40.0}))
    assert course == Course((1, 3, 4), (1, 3, 4), (10.0, 30.0, 40.0), (2.0, 1.0, 1.0))


def test_the_seconds_are_without_those_in_which_the_job_rested() -> None:
    results = timed(fakes.with_scores(3.0, 2.0, 1.0), {0: 20.0, 1: 40.0, 2: 100.0})
    rests = tuple(
        Rest(START + timedelta(seconds=begin), START + timedelta(seconds=end))
        for begin, end in ((10, 15), (50, 90))
    )
    assert course_of(replace(results, rests=rests)).seconds == (15.0, 35.0, 55.0)


def test_a_configuration_counts_once_all_its_seeds_have_ended_and_failed_trials_count() -> None:
    fake = fakes.repeated(fakes.with_scores(1.0, 3.0, 4.0, 6.0), 2)
    course = course_of(timed(fake, {0: 1.0, 2: 2.0, 3: 3.0, 1: 4.0}))
    assert course.trials == (3, 4)
    assert course.best == (5.0, 2.0)
    nothing = course_of(JobResults.of(*fakes.sampled()._replace(trials=())))
    assert nothing == Course()


def test_long_courses_and_spreads_are_thinned() -> None:
    scores = [float(2000 - n) for n in range(2000)]
    found = compared(timed(fakes.ranged(scores), dict(enumerate(map(float, range(2000))))))
    assert len(found.course.best) == len(found.spread.values) == MOST_POINTS
    assert (found.course.best[0], found.course.best[-1]) == (2000.0, 1.0)
    assert (found.spread.values[-1], found.spread.shares[-1]) == (2000.0, 1.0)


def test_differences_name_members_of_the_specs() -> None:
    one = fakes.feedforward().job
    other = fakes.with_spec(
        one, seed=7, name="other", budget={"epochs": 3},
        parameters={"learning_rate": 0.5, "momentum": 0.9},
    )  # fmt: skip
    found = {each.pointer: each.values for each in differences([one, other])}
    assert found["/seed"] == (42, 7)
    assert found["/budget"] == (None, {"epochs": 3})
    assert found["/parameters/momentum"] == (None, 0.9)
    assert found["/parameters/learning_rate"][1] == 0.5
    assert "/name" not in found
    assert differences([one, one]) == []


def test_jobs_that_differ_only_in_their_seed_are_repeats() -> None:
    fakes_of = [fakes.with_scores(3.0, 1.0), fakes.with_scores(4.0, 2.0), fakes.with_scores(9.0)]
    found = []
    for number, fake in enumerate(fakes_of):
        job = replace(fakes.with_spec(fake.job, seed=number), id=f"j{number}", name=f"n{number}")
        ends = {0: 10.0, 1: 20.0 + number}
        found.append(compared(timed(fake._replace(job=job), ends)))
    (group,) = repeats(found)
    assert group.jobs == ("j0", "j1")  # the third has another parameter's values
    assert (group.final, group.deviation) == (1.5, pytest.approx(0.5**0.5))
    over = group.bands["seconds"]
    assert (over.x, over.mean) == ((10.0, 20.0), (3.5, 2.5))
    assert over.deviation == pytest.approx((0.5**0.5, 4.5**0.5))


def test_a_band_begins_and_ends_where_all_have_a_value() -> None:
    early = Course((1, 4), (1, 4), (1.0, 4.0), (3.0, 3.0))
    late = Course((2, 3, 9), (2, 3, 9), (2.0, 3.0, 9.0), (2.0, 1.0, 0.5))
    found = band([early, late], "trials")
    assert (found.x, found.mean) == ((2, 3, 4), (2.5, 2.0, 2.0))
    assert band([early, Course((5,), (5,), (5.0,), (1.0,))], "trials").x == ()


def test_the_mean_of_huge_values_does_not_overflow() -> None:
    course = Course((1, 2), (1, 2), (1.0, 2.0), (1.5e308, 1.5e308))
    assert band([course, course], "trials").mean == (1.5e308, 1.5e308)
