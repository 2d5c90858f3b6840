"""The verdict of a confirmation in plain words, and its figures as text."""

from __future__ import annotations

from collections.abc import Iterator

from results.analysis import JobResults
from results.comparison import name_of
from results.confirmation import Candidate, Confirmed, Lost, PairedDifference
from results.formatting import count, number
from results.intervals import Estimate
from results.racing import FEWEST_SEEDS
from results.ranking import LARGEST
from results.wording import capitalized, in_sentence, listing


def verdict(results: JobResults, found: Confirmed) -> str:
    """Return who wins and by how much, or which candidates cannot be told apart."""
    so_far = "" if found.is_over else "So far: "
    return so_far + " ".join(_verdict(results, found))


def _verdict(results: JobResults, found: Confirmed) -> Iterator[str]:
    by_number = {one.configuration: one for one in found.candidates}
    if found.winner is None:
        yield from _no_winner(results, found)
        return
    winner = by_number[found.winner]
    if found.is_clear:
        yield from _clear_winner(results, found, winner)
    else:
        yield from _no_clear_winner(results, found, winner)
    yield from _incomplete(found)
    best = results.best
    own = None if best is None else by_number.get(best.configuration)
    if best is None or own is None or own.configuration in found.together:
        return
    text = f"The search's best, trial {best.number},"
    if own.fall is None:
        yield f"{text} was ahead with the seed of the search only."
    else:
        yield f"{text} dropped out: it {fall_text(own)}."


def _no_winner(results: JobResults, found: Confirmed) -> Iterator[str]:
    falls = [
        candidate_name(results, one)
        + (" has no result yet" if one.is_left else f" {fall_text(one)}")
        for one in found.candidates
    ]
    if not all(one.is_left for one in found.candidates):
        yield f"No candidate is left with a result: {listing(falls)}."
    else:
        yield "No candidate has a result with further seeds."
    yield from _incomplete(found)


def _incomplete(found: Confirmed) -> Iterator[str]:
    if found.is_over and not found.is_complete:
        yield "The confirmation is incomplete: the job ended before all of its trials had run."


def fall_text(candidate: Candidate) -> str:
    """Return why a candidate dropped out, as in ``failed with seed 44``."""
    if candidate.fall is None:
        return "was clearly worse"
    seed, why = candidate.fall
    return _FALLS[why].format(seed)


_FALLS = {
    Lost.FAILED: "failed with seed {}",
    Lost.CONSTRAINT: "broke a constraint with seed {}",
    Lost.TOO_LARGE: "came with seed {} to a value further from 0 than "
    f"{LARGEST:g}, which counts as a failure",
    Lost.NO_VALUE: "reported no value with seed {}",
}


#: Why a trial gives no value, in a few words.
LOST_TEXT = {
    Lost.FAILED: "failed",
    Lost.ELSEWHERE: "failed for another reason",
    Lost.CONSTRAINT: "breaks a constraint",
    Lost.TOO_LARGE: f"further from 0 than {LARGEST:g}",
    Lost.NO_VALUE: "without a value",
}


def standing(one: Candidate, found: Confirmed) -> str:
    """Return what became of a candidate: ``wins``, ``clearly worse``, or why it dropped out."""
    if one.configuration in found.together:
        if one.value is None:
            return "no result"
        if len(found.together) > 1:
            return "cannot be told apart"
        return "wins" if found.is_clear else "ahead"
    if one.is_left and one.value is None:
        return "no result"
    return "clearly worse" if one.fall is None else LOST_TEXT[one.fall[1]]


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
        f"{candidate_name(results, one)} "
        + ("without a result" if one.value is None else f"with {metric} {mean_text(one.value)}")
        for one in (by_number[n] for n in found.together)
    ]
    if len(names) > 1:
        yield f"These {len(names)} cannot be told apart: {listing(names)}."
    else:
        yield f"Ahead is {names[0]}, but not all candidates have all their results."
    default = found.to_default
    if winner.is_default and len(names) > 1:
        yield "The defaults have the best mean of them."
    elif default is not None and default.other in found.together:
        yield "The search has found nothing that is clearly better than the defaults."
    elif default is not None:
        yield f"Trial {winner.configuration}'s is {_better(default)} that of the defaults."
    if not found.is_complete:
        return
    if any(Lost.ELSEWHERE in by_number[n].lost.values() for n in found.together):
        yield "Trials failed for reasons outside their configurations: retry the failed ones."
    elif found.is_over and len(found.seeds) < FEWEST_SEEDS:
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
