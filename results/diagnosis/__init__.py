"""What may be wrong with a search, in plain words: each rule is a function that finds it or not.

The rules look at trials of the search and speak only once the job has finished. They are rules of
thumb: each says what it saw, in numbers, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from results.analysis import JobResults
from results.diagnosis.divergence import diverges_beyond
from results.diagnosis.finding import Finding
from results.diagnosis.parameters import best_on_bound, no_effect
from results.diagnosis.rungs import compared_epochs, rungs_mislead
from results.diagnosis.scores import few_trials, within_noise

__all__ = ["RULES", "Finding", "compared_epochs", "diagnose"]

Rule = Callable[[JobResults], Iterator[Finding]]
#: Every rule, in the order in which their findings are listed.
RULES: tuple[Rule, ...] = (
    best_on_bound,
    diverges_beyond,
    no_effect,
    few_trials,
    within_noise,
    rungs_mislead,
)


def diagnose(results: JobResults) -> tuple[Finding, ...]:
    """Return what all rules find, none of a job that has not finished."""
    if not results.job.state.is_finished:
        return ()
    return tuple(finding for rule in RULES for finding in rule(results))
