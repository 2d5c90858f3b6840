"""A plot and its description are plain values; the drawing is called only for a picture."""

from __future__ import annotations

from dataclasses import asdict

from matplotlib.figure import Figure

from results.plots.plot import Plot, PlotInfo
from results.plots.style import render

INFO = PlotInfo("loss", "Loss", "Loss after each epoch.")


def test_the_description_is_plain_json() -> None:
    assert asdict(INFO) == {"name": "loss", "title": "Loss", "caption": "Loss after each epoch."}
    assert PlotInfo(**asdict(INFO)) == INFO


def test_a_plot_is_drawn_on_the_figure_that_it_is_given() -> None:
    figures: list[Figure] = []

    def draw(figure: Figure) -> None:
        figures.append(figure)
        figure.add_subplot().plot([1, 2], [3, 4])

    plot = Plot(INFO, draw)
    assert figures == []
    picture = render(plot.draw, plot.info.title, "svg")
    assert len(figures) == 1
    assert b"<title>Loss</title>" in picture
