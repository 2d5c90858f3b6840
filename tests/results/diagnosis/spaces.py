"""Searches made for one rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from results.analysis import JobResults
from results.records import Failure
from tests.results import fakes

RATE = {"low": 1e-4, "high": 1.0, "log": True, "default": 0.01}
SIZE = {"low": 10, "high": 100, "type": "int", "default": 20}


def search(
    configurations: Sequence[Mapping[str, Any]],
    score: Callable[[Mapping[str, Any]], float],
    parameters: Mapping[str, Any],
    *,
    failed: Mapping[int, Failure] | None = None,
    early: Callable[[Mapping[str, Any]], float] | None = None,
    until: int = 3,
    **members: Any,
) -> JobResults:
    """A search of 6 epochs; ``early`` is the score up to epoch ``until``."""
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 6, "metric": "m",
        "mode": "max", "strategy": "random", "seed": 42, "parameters": parameters, **members,
    }  # fmt: skip

    def curve(values: Mapping[str, Any], epoch: int) -> dict[str, float]:
        return {"m": (early or score)(values) if epoch <= until else score(values)}

    return JobResults.of(*fakes.make(spec, configurations, curve, {}, failed))


def spread(number: int, of: int) -> float:
    """The number-th of so many evenly spread shares between 0 and 1, in a mixed order."""
    return ((number * 7) % of + 0.5) / of
