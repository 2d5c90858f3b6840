"""Problems name columns and cells printably."""

from __future__ import annotations

from trainables.own_data.problems import BadData, bad, of_column, shown


def test_cells_are_cut_and_escaped() -> None:
    assert shown("a" * 50) == "'" + "a" * 40 + "...'"
    assert shown("\x1b[31m").isprintable()


def test_a_problem_of_a_column_points_to_it() -> None:
    problem = of_column("a/b", "is empty", "empty", "fill it")
    assert (problem.pointer, problem.detail) == ("/columns/a~1b", "column 'a/b' is empty")
    assert str(BadData([problem])) == "/columns/a~1b: column 'a/b' is empty; fill it"
    assert bad("", "x", "y", "z").problems[0].code == "y"
