"""What a job's results amount to, as JSON: its confirmation, its diagnosis, what it spent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from results.analysis import JobResults
from results.confirmation import Candidate, Confirmed, confirmed
from results.diagnosis import diagnose
from results.intervals import LEVEL
from results.spent import spent
from results.verdict import standing, verdict

#: How the intervals of a confirmation are made.
METHOD = (
    "Student's t-intervals of means, and of paired differences on common seeds, at"
    f" {LEVEL:.0%}, without a correction for several comparisons"
)


def conclusion(results: JobResults) -> dict[str, Any]:
    """Return ``confirmation`` (None where none has begun), ``diagnosis`` and ``spent``.

    ``diagnosis`` is empty until the job has finished. Differences are in the metric's unit and
    positive where the winner is better.
    """
    found, amounts = (
        confirmed(results),
        spent((*results.trials, *results.confirming), results.repeated),
    )
    return {
        "confirmation": None if found is None else _confirmation(results, found),
        "diagnosis": [asdict(finding) for finding in diagnose(results)],
        "spent": {**asdict(amounts), "total": asdict(amounts.total)},
    }


def _confirmation(results: JobResults, found: Confirmed) -> dict[str, Any]:
    pairs = {"to_second": found.to_second, "to_default": found.to_default}
    return {
        "verdict": verdict(results, found),
        "method": METHOD,
        "metric": found.metric,
        "mode": found.mode,
        "seeds": found.seeds,
        "winner": found.winner,
        "together": found.together,
        "is_clear": found.is_clear,
        "is_over": found.is_over,
        "is_complete": found.is_complete,
        "candidates": [_candidate(one, found) for one in found.candidates],
        **{
            name: pair and {"other": pair.other, **asdict(pair.difference)}
            for name, pair in pairs.items()
        },
        "test": {name: asdict(value) for name, value in found.test.items()},
    }


def _candidate(candidate: Candidate, found: Confirmed) -> dict[str, Any]:
    shown = {**asdict(candidate), "standing": standing(candidate, found)}
    for name in ("values", "lost"):
        shown[name] = {str(seed): value for seed, value in shown[name].items()}
    return shown
