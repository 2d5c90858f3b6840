"""Chooses one configuration of a space, for a trial without a service."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from search_spaces import SearchSpace, configurations, count, defaults, suggest


@dataclass(frozen=True)
class RandomSuggester:
    """Draws each value evenly, as :class:`search_spaces.Suggester` asks for."""

    source: random.Random

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:  # noqa: ARG002
        """Return one of ``choices``."""
        return self.source.choice(choices)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number from ``low`` to ``high``, a multiple of ``step`` above ``low``."""
        if step is not None:
            return low + step * self.suggest_int(name, 0, round((high - low) / step))
        if log:
            return float(low * (high / low) ** self.source.random())
        return self.source.uniform(low, high)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return a whole number from ``low`` to ``high``."""
        if log:
            return min(high, int(self.suggest_float(name, low, high + 1, log=True)))
        return self.source.randrange(low, high + 1, step)


def configuration(space: SearchSpace, number: int | None, seed: int) -> Mapping[str, Any]:
    """Return the defaults, or the ``number``-th configuration that the strategy lists.

    A sampler's are drawn evenly here. Raises ``IndexError``, with a message, beyond the last one.
    """
    if number is None:
        return defaults(space)
    if space.is_sampled:
        suggester = RandomSuggester(random.Random(f"{seed}/{number}"))  # noqa: S311 - no secret
        return suggest(space, suggester)
    found = next(islice(configurations(space), number, None), None)
    if found is None:
        raise IndexError(f"the search has {count(space)} trials, from 0 on")
    return found
