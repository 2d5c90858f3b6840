"""The Pareto front as a figure."""

from __future__ import annotations

from results.analysis import JobResults
from results.figures.objectives import pareto_front
from tests.results import fakes


def test_the_front_is_that_of_the_ranking() -> None:
    fake = fakes.with_scores(3.0, 1.0, 2.0)
    objectives = [{"metric": "m", "mode": "min"}, {"metric": "seconds", "mode": "min"}]
    job = fakes.with_spec(fake.job, objectives=objectives)
    results = JobResults.of(*fake._replace(job=job))
    others, front = pareto_front(results, ())["data"]
    members = {one.trial.number for one in results.ranking.front}
    assert set(front["customdata"]) == members
    assert set(front["customdata"]) | set(others["customdata"]) == {0, 1, 2}
    points = {
        number: (x, y)
        for trace in (others, front)
        for number, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
    }
    assert points == {t.number: (t.seconds, t.metrics["m"]) for t in results.trials}
    assert front["mode"] == "lines+markers"
