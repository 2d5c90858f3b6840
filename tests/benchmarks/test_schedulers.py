"""The benchmark of decisions, small: every configuration is decided on, to the end."""

from __future__ import annotations

from benchmarks.schedulers import measure, of_scheduler, of_search


def test_scheduler_and_search_take_the_same_decisions() -> None:
    decisions = sum(1 for _ in of_scheduler(90))
    assert decisions == sum(1 for _ in of_search(90))
    assert 90 < decisions < 180


def test_figures_have_values() -> None:
    figures = measure(quick=True, configurations=30)
    assert [figure.unit for figure in figures] == ["", "µs", "µs", "MB"] * 2
    assert all(value > 0 for figure in figures for value in figure.values)
    assert all("30 configurations" in figure.name for figure in figures)
