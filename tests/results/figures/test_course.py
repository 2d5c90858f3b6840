"""Figures of how a search went: their numbers are the store's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from results.analysis import JobResults
from results.figures.course import curves, distribution, history, started, timeline
from results.figures.figure import MOST_MARKS
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import START


def test_the_history_has_every_score_and_the_best_so_far_at_each_improvement() -> None:
    results = JobResults.of(*fakes.with_scores(3.0, 4.0, 2.0, 2.5, 1.0, 1.5))
    dots, line = history(results, ())["data"]
    assert (dots["x"], dots["y"]) == ([0, 1, 2, 3, 4, 5], [3.0, 4.0, 2.0, 2.5, 1.0, 1.5])
    assert dots["customdata"] == dots["x"]
    assert (line["x"], line["y"]) == ([0, 2, 4, 5], [3.0, 2.0, 1.0, 1.0])
    upwards = JobResults.of(*fakes.with_scores(3.0, 2.0, 4.0, mode="max"))
    assert history(upwards, ())["data"][1]["y"] == [3.0, 4.0, 4.0]


def test_the_history_of_very_many_trials_has_few_marks_and_the_whole_line() -> None:
    scores = [float(1500 - n % 1499) for n in range(1500)]
    results = JobResults.of(*fakes.ranged(scores))
    dots, line = history(results, ())["data"]
    assert len(dots["x"]) == MOST_MARKS
    assert line["y"] == [*scores[:1499], 2.0]
    assert history(results, ())["layout"]["yaxis"]["type"] == "log"


def test_the_distribution_is_the_share_at_or_below_each_value() -> None:
    results = JobResults.of(*fakes.with_scores(3.0, 1.0, 2.0, 2.0))
    (line,) = distribution(results, ())["data"]
    assert (line["x"], line["y"]) == ([1.0, 2.0, 2.0, 3.0], [0.25, 0.5, 0.75, 1.0])


def test_curves_are_those_of_the_store_and_stopped_ones_are_dotted() -> None:
    fake = fakes.stopped(fakes.feedforward(), 2, epochs=4)
    results = JobResults.of(*fake)
    drawn = {trace["meta"]["trial"]: trace for trace in curves(results, ())["data"]}
    assert sorted(drawn) == [trial.number for trial in fake.trials]
    for curve in fake.curves:
        assert drawn[curve.trial]["x"] == list(curve.epochs)
        assert drawn[curve.trial]["y"] == list(curve.metrics["validation_accuracy"])
    assert {n for n, trace in drawn.items() if trace["line"]["dash"] == "dot"} == {2}
    assert drawn[2]["name"] == "trial 2, stopped"


def test_the_timeline_has_a_bar_from_each_start_to_its_end() -> None:
    fake = fakes.with_scores(3.0, 1.0, 2.0)
    waiting = replace(fake.trials[2], state=TrialState.QUEUED, started_at=None, finished_at=None)
    running = replace(
        fake.trials[1], state=TrialState.RUNNING, finished_at=None,
        started_at=START + timedelta(seconds=1),
    )  # fmt: skip
    ended = replace(fake.trials[0], finished_at=START + timedelta(seconds=3))
    results = JobResults.of(*fake._replace(trials=(ended, running, waiting)))
    assert [trial.number for trial in started(results)] == [0, 1]
    now, done = timeline(results, ())["data"]
    assert (done["name"], done["y"], done["x"]) == ("succeeded", [0], [3000.0])
    assert done["base"] == ["2026-03-01 12:00:00.000"]
    # One that runs reaches to the last thing that is known.
    assert (now["name"], now["customdata"], now["x"]) == ("running", [1], [2000.0])
    assert now["meta"] == {"color": "--state-running"}


def test_the_history_has_hollow_marks_for_trials_that_ended_early() -> None:
    results = JobResults.of(*fakes.ended_early(fakes.sampled(12, 5), 7))
    early, dots, line = history(results, ())["data"]
    assert (len(early["x"]), early["marker"]) == (10, {"symbol": "circle-open"})
    assert (dots["x"], line["x"]) == ([7], [7, 11])
    nothing = JobResults.of(*fakes.ended_early(fakes.sampled(12, 5)))
    (early,) = history(nothing, ())["data"]
    assert len(early["x"]) == 11
