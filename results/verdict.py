"""The verdict of a confirmation in plain words, and its figures as text."""

from __future__ import annotations

from collections.abc import Iterator

from results.analysis import JobResults
from results.comparison import name_of
from results.confirmation import Candidate, Confirmed, PairedDifference
from results.formatting import count, number
from results.intervals import Estimate
from results.racing import FEWEST_SEEDS
from results.wording import capitalized, in_sentence, listing


def verdict(results: JobResults, found: Confirmed) -> str:
    """Return who wins and by how much, or which candidates cannot be told apart."""
    so_far = "" if found.is_over else "So far: "
    return so_far + " ".join(_verdict(results, found))


def _verdict(results: JobResults, found: Confirmed) -> Iterator[str]:
    by_number = {one.configuration: one for one in found.candidates}
    if found.winner is None:
        yield "No candidate has a result with further seeds."
        return
    winner = by_number[found.winner]
    if found.is_clear:
        yield from _clear_winner(results, found, winner)
    else:
        yield from _no_clear_winner(results, found, winner)
    best = results.best
    if best is not None and best.configuration not in found.together:
        yield (
            f"The search's best, trial {best.number}, was ahead with the seed of the search only."
        )


def _clear_winner(results: JobResults, found: Confirmed, winner: Candidate) -> Iterator[str]:
    metric = in_sentence(results.metric)
    name = capitalized(candidate_name(results, winner))
    wins = "win: their" if winner.is_default else "wins: its"
    text = f"{name} {wins} {metric} is {mean_text(winner.value)}"
    second = found.to_second
    if second is not None:
        text += f", {_better(second)} that of the second, {_other(results, found, second)}"
    yield f"{text}."
    default = found.to_default
    if default is not None and (second is None or default.other != second.other):
        yield f"It is {_better(default)} that of the defaults."


def _no_clear_winner(results: JobResults, found: Confirmed, winner: Candidate) -> Iterator[str]:
    by_number = {one.configuration: one for one in found.candidates}
    metric = in_sentence(results.metric)
    names = [
        f"{candidate_name(results, by_number[n])} with {metric} {mean_text(by_number[n].value)}"
        for n in found.together
    ]
    yield f"These {len(names)} cannot be told apart: {listing(names)}."
    default = found.to_default
    if winner.is_default:
        yield "The defaults have the best mean of them."
    elif default is not None and default.other in found.together:
        yield "The search has found nothing that is clearly better than the defaults."
    elif default is not None:
        yield f"Trial {winner.configuration}'s is {_better(default)} that of the defaults."
    if found.is_over and len(found.seeds) < FEWEST_SEEDS:
        ran = count(len(found.seeds), "seed")
        yield f"{capitalized(ran)} cannot tell them apart: confirm with {FEWEST_SEEDS} or more."
    elif found.is_over:
        yield "More seeds may tell them apart; otherwise take the cheapest."


def candidate_name(results: JobResults, candidate: Candidate) -> str:
    """Return ``trial 3 (dropout 0.3)``, or ``the defaults``."""
    if candidate.is_default:
        return f"the defaults (trial {candidate.configuration})"
    trial = results.trial(candidate.configuration)
    return f"trial {candidate.configuration}" if trial is None else name_of(results, trial)


def mean_text(value: Estimate | None) -> str:
    """Return ``0.8841 (mean of 5 seeds, standard deviation 0.0012)``."""
    if value is None:
        return number(None)
    if value.standard_deviation is None:
        return f"{number(value.mean)} (1 seed)"
    deviation = number(value.standard_deviation)
    return f"{number(value.mean)} (mean of {value.n} seeds, standard deviation {deviation})"


def interval_text(value: Estimate | None) -> str:
    """Return ``0.8830 to 0.8852``, "" where there is no interval."""
    if value is None or value.low is None or value.high is None:
        return ""
    return f"{number(value.low)} to {number(value.high)}"


def _better(pair: PairedDifference) -> str:
    side = "better than" if pair.difference.mean >= 0 else "worse than"
    interval = interval_text(pair.difference)
    basis = f"95 % interval {interval}, " if interval else ""
    seeds = count(pair.difference.n, "common seed")
    return f"{number(abs(pair.difference.mean))} ({basis}{seeds}) {side}"


def _other(results: JobResults, found: Confirmed, pair: PairedDifference) -> str:
    other = next(one for one in found.candidates if one.configuration == pair.other)
    return candidate_name(results, other)
