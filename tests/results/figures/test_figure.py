"""The parts of a figure."""

from __future__ import annotations

from itertools import pairwise

from results.figures.figure import axis, figure, marks, steps, thinned
from results.plots.scales import Scale


def test_of_many_items_some_are_kept_with_the_first_and_the_last() -> None:
    assert thinned([1, 2, 3], 3) == [1, 2, 3]
    kept = thinned(range(10_000), 100)
    assert (len(set(kept)), kept[0], kept[-1]) == (100, 0, 9999)
    assert {later - earlier for earlier, later in pairwise(kept)} == {101}


def test_a_mark_names_its_trial_and_a_trace_the_color_of_the_page() -> None:
    drawn = figure([marks([1], [2.0], [7], "one", "--series-1"), steps([1], [2], "s", "--bad")],
                   axis("Rate", Scale(1, 100, log=True)), axis("Loss"))  # fmt: skip
    dots, line = drawn["data"]
    assert (dots["customdata"], dots["meta"]) == ([7], {"color": "--series-1"})
    assert (line["line"], "customdata" in line) == ({"shape": "hv"}, False)
    assert drawn["layout"] == {
        "xaxis": {"title": {"text": "Rate"}, "type": "log"}, "yaxis": {"title": {"text": "Loss"}},
    }  # fmt: skip
