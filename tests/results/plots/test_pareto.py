"""The Pareto front of several objectives, and its growth."""

from __future__ import annotations

from dataclasses import replace

from results.analysis import JobResults
from results.plots import available, draw
from results.plots.pareto import draw_front, draw_growth, growth, objective_points
from tests.results import fakes
from tests.results.plots.helpers import drawn, results_of

SECONDS = (9.0, 5.0, 1.0, 9.0, 3.0)
SCORES = (4.0, 2.0, 1.0, 5.0, 3.0)


def with_objectives(*objectives: dict[str, str]) -> JobResults:
    """Five trials with a metric to maximize and the seconds that they took."""
    fake = fakes.with_scores(*SCORES, mode="max")
    trials = tuple(replace(t, seconds=s) for t, s in zip(fake.trials, SECONDS, strict=True))
    job = fakes.with_spec(fake.job, objectives=[{"metric": "m", "mode": "max"}, *objectives])
    return results_of(fake._replace(job=job, trials=trials))


TWO = with_objectives({"metric": "seconds", "mode": "min"})


def test_the_points_know_who_is_on_the_front() -> None:
    assert [tuple(point) for point in objective_points(TWO)] == [
        (0, 4.0, 9.0, False), (1, 2.0, 5.0, False), (2, 1.0, 1.0, True),
        (3, 5.0, 9.0, True), (4, 3.0, 3.0, True),
    ]  # fmt: skip
    assert objective_points(results_of(fakes.with_scores(1.0, 2.0))) == []


def test_the_front_grows_to_its_share_of_the_rectangle() -> None:
    # In units of the ranges: m from 1 to 5, seconds from 1 to 9. Trial 0 takes the most seconds and
    # trial 1 lies at (0.75, 0.5): a quarter by a half. Trial 2 has the least m and adds nothing;
    # trial 4 lies at (0.5, 0.25): a half by three quarters, which holds trial 1's.
    assert growth(TWO) == [(0, 0.0), (1, 0.125), (2, 0.125), (3, 0.125), (4, 0.375)]


def test_the_front_is_a_line_before_the_others() -> None:
    axes = drawn(lambda figure: draw_front(figure, TWO))
    *_, line = axes.get_lines()
    assert line.get_xydata().tolist() == [[1.0, 1.0], [3.0, 3.0], [9.0, 5.0]]
    assert line.get_label() == "Pareto front (3)"
    (stairs,) = drawn(lambda figure: draw_growth(figure, TWO)).get_lines()
    assert stairs.get_ydata().tolist()[-1] == 0.375


def test_which_plots_there_are() -> None:
    names = [plot.name for plot in available(TWO)]
    assert {"pareto_front", "hypervolume"} <= set(names)
    three = with_objectives(
        {"metric": "seconds", "mode": "min"}, {"metric": "model_bytes", "mode": "min"}
    )
    assert not {"pareto_front", "hypervolume"} & {plot.name for plot in available(three)}
    sized = replace(
        three, trials=tuple(replace(t, model_bytes=100 + t.number) for t in three.trials)
    )
    assert "hypervolume" not in [plot.name for plot in available(sized)]
    (front,) = [plot for plot in available(sized) if plot.name == "pareto_front"]
    assert "the first two of 3 objectives" in front.caption
    assert draw("pareto_front", sized, "png").startswith(b"\x89PNG")
    one = results_of(fakes.with_scores(1.0, 2.0))
    assert "pareto_front" not in [plot.name for plot in available(one)]
