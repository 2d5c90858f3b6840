"""Rules about how the trials' scores are spread: too few, within noise."""

from __future__ import annotations

import math
from collections.abc import Iterator

from results.analysis import JobResults
from results.confirmation import confirmed
from results.diagnosis.finding import Finding
from results.formatting import count, number
from results.ranking import LARGEST
from results.wording import in_sentence
from search_spaces import Choice, Range

#: Trials per searched parameter that a model of the search needs to begin with: Jones, Schonlau and
#: Welch, "Efficient global optimization", 1998, and Loeppky, Sacks and Welch, "Choosing the sample
#: size of a computer experiment", 2009.
TRIALS_PER_PARAMETER = 10


def within_noise(results: JobResults) -> Iterator[Finding]:
    """Find that the best configurations differ by less than seeds of one configuration do.

    The noise is the standard deviation within configurations, pooled over those that ran with
    several seeds. Two means of n seeds each differ by chance by up to 1.96 sqrt(2 / n) of it.
    Nothing is said where a confirmation has found one winner.
    """
    noise = _noise(results)
    # With several objectives, the ranking does not follow the first one alone.
    means = sorted((mean for _, mean in results.ranked), reverse=results.metric.mode == "max")
    if noise is None or len(means) < 2 or _has_clear_winner(results):
        return
    best, width = means[0], 1.96 * math.sqrt(2 / results.space.repeats) * noise
    near = sum(abs(mean - best) < width for mean in means)
    if near > 1:
        # A search with repeats cannot be confirmed; one without has been, or its noise is unknown.
        is_repeated = results.space.repeats > 1
        more = "Raise repeats" if is_repeated else "Confirm with more seeds or a larger top"
        yield Finding(
            "within_noise",
            "",
            f"The {near} best of {len(means)} configurations differ by less than seeds of one"
            f" configuration do (standard deviation of {in_sentence(results.metric)}"
            f" {number(noise)}): their order may be chance.",
            f"{more}, or take the cheapest or simplest of them.",
        )


def _has_clear_winner(results: JobResults) -> bool:
    """Whether a confirmation of several candidates has found one that is better than the others."""
    found = confirmed(results)
    return found is not None and found.is_clear and len(found.candidates) > 1


def _noise(results: JobResults) -> float | None:
    """Return the pooled standard deviation within configurations, None for single seeds."""
    groups: dict[tuple[str, int], list[float]] = {}
    for trial in (*results.trials, *results.confirming):
        score = results.score(trial)
        if score is not None and abs(score) < LARGEST:
            groups.setdefault((trial.purpose, trial.configuration), []).append(score)
    squares, freedom = 0.0, 0
    for group in groups.values():
        if len(group) < 2:
            continue
        mean = math.fsum(group) / len(group)
        squares += math.fsum((value - mean) ** 2 for value in group)
        freedom += len(group) - 1
    return math.sqrt(squares / freedom) if freedom else None


def few_trials(results: JobResults) -> Iterator[Finding]:
    """Find a sampled search with fewer than ten configurations per searched parameter."""
    if not results.space.is_sampled:
        return
    domains = results.space.parameters.values()
    searched = sum(isinstance(domain, Choice | Range) and domain.size != 1 for domain in domains)
    ran = len({trial.configuration for trial in results.trials if trial.attempt > 0})
    needed = TRIALS_PER_PARAMETER * searched
    if 0 < ran < needed:
        yield Finding(
            "few_trials",
            "",
            f"{count(ran, 'configuration')} for {count(searched, 'searched parameter')}: a rule of"
            f" thumb asks for {TRIALS_PER_PARAMETER} each, {needed} here.",
            "Extend the search, or fix some parameters.",
        )
