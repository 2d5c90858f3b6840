"""What the tests of plots share."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results import plots
from results.analysis import JobResults
from results.plots.plot import Draw
from tests.results import fakes
from tests.results.fakes import Fake


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def names_of(fake: Fake) -> list[str]:
    return [info.name for info in plots.available(results_of(fake))]


def captions_of(fake: Fake) -> dict[str, str]:
    return {info.name: info.caption for info in plots.available(results_of(fake))}


def drawn(draw: Draw) -> Axes:
    """Return the first axes that a function draws on a new figure."""
    figure = Figure(layout="constrained")
    draw(figure)
    return figure.axes[0]


def collapsing() -> Fake:
    """Trials 2 and 6 of seven end at the accuracy of a guess."""
    fake = fakes.feedforward(4)
    low = {n: replace(fake.curves[n], metrics={"validation_accuracy": (0.1,) * 4}) for n in (2, 6)}
    guess = {"validation_accuracy": 0.1}
    return fake._replace(
        curves=tuple(low.get(curve.trial, curve) for curve in fake.curves),
        trials=tuple(replace(t, metrics=guess) if t.number in low else t for t in fake.trials),
    )
