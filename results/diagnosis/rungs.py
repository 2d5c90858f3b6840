"""The rule about the rungs of a scheduler: whether they order the trials as the last epoch does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from results.analysis import JobResults
from results.curve_shape import curve_points
from results.diagnosis.finding import Finding
from results.formatting import number
from search_spaces import Scheduler, rung_epochs

#: Trials' order at a rung with a lower rank correlation to their order at the end misleads.
LEAST_CORRELATION = 0.5
_FEWEST_TRIALS = 8
_ASHA = Scheduler("asha")


def compared_epochs(results: JobResults) -> tuple[int, ...]:
    """Return the epochs at which ASHA, as it is by default, would compare the trials of a job.

    None for a search that has a scheduler: it keeps the best at a rung alone, which hides how well
    rungs order. None either for one that cannot have one: of several objectives, or with repeats.
    """
    space = results.space
    if not space.scheduler.is_none or space.repeats > 1 or space.secondary:
        return ()
    return rung_epochs(_ASHA.min_epochs, _ASHA.reduction_factor, space.epochs)[:-1]


def rungs_mislead(results: JobResults) -> Iterator[Finding]:
    """Find that the trials' order at ASHA's first rungs says little about their order at the end.

    By Spearman's rank correlation over the trials trained to the end. The finding names the first
    rung from which on all order them well, if there is one.
    """
    epochs = compared_epochs(results)
    if not epochs:
        return
    known = [
        (values, score)
        for trial, score in results.ranked
        if (values := _values(results, trial.number)).keys() >= set(epochs)
    ]
    if len(known) < max(_FEWEST_TRIALS, len(results.ranked) / 2):
        return
    if len({score for _, score in known}) < 2:
        return
    correlations = {epoch: _correlation(known, epoch) for epoch in epochs}
    bad = [epoch for epoch, found in correlations.items() if found < LEAST_CORRELATION]
    if bad:
        which = "" if len(known) == len(results.ranked) else f"{len(known)} of "
        yield _finding(results, f"{which}the {len(results.ranked)} trials", bad[-1], correlations)


def _values(results: JobResults, number: int) -> Mapping[int, float]:
    """Return the declared metric's finite values of a trial by epoch, those that are known."""
    curve = results.curves.get(number)
    if curve is not None:
        return dict(curve_points(curve, results.metric.name))
    early = results.early.get(number, {})
    return {epoch: value for epoch, value in early.items() if math.isfinite(value)}


def _correlation(known: Sequence[tuple[Mapping[int, float], float]], epoch: int) -> float:
    """Return Spearman's rank correlation of values at an epoch and at the end, 0 for equal ones."""
    early, late = [values[epoch] for values, _ in known], [score for _, score in known]
    if len(set(early)) < 2:
        return 0.0
    from scipy import stats

    return float(stats.spearmanr(early, late).statistic)


def _finding(
    results: JobResults, trials: str, bad: int, correlations: Mapping[int, float]
) -> Finding:
    """Return the finding for the last rung that misleads."""
    good = next((epoch for epoch in correlations if epoch > bad), None)
    detail = (
        f"The order of {trials} after epoch {bad} says little about the one after epoch"
        f" {results.space.epochs} (Spearman's rank correlation {number(correlations[bad], 2)})"
    )
    hint = "A scheduler that compares trials early would mislead here: use none."
    if good is not None:
        detail += f"; the one after epoch {good} says more ({number(correlations[good], 2)})"
        hint = f"A scheduler that compares trials earlier would mislead: set min_epochs to {good}."
    return Finding("rungs_mislead", "", f"{detail}.", hint)
