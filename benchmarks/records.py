"""Measurements as plain values, to be written as JSON and drawn as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


class BenchmarkError(Exception):
    """A measurement failed; the message says which and why."""


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine against the plain loop: medians over ``repeats`` turns, in µs per step.

    ``ratio`` is how many times faster than the plain loop the engine is, the median over the turns;
    ``ratio_low`` and ``ratio_high`` are the extremes.
    """

    workload: str
    engine: str
    plain_us_per_step: float
    us_per_step: float
    ratio: float
    ratio_low: float
    ratio_high: float
    repeats: int

    @classmethod
    def of(
        cls, workload: str, engine: str, plain_us: Sequence[float], engine_us: Sequence[float]
    ) -> Self:
        """Summarize turns in µs per step; turns of the same index ran one after the other."""
        ratios = [slow / fast for slow, fast in zip(plain_us, engine_us, strict=True)]
        return cls(
            workload,
            engine,
            statistics.median(plain_us),
            statistics.median(engine_us),
            statistics.median(ratios),
            min(ratios),
            max(ratios),
            len(ratios),
        )

    @property
    def steps_per_s(self) -> float:
        """Updates per second of the engine."""
        return 1e6 / self.us_per_step


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once or several times; ``unit`` is "" for a ratio."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that the tables show."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Part:
    """The measurements of one part; ``stamp`` is from :func:`benchmarks.machine.stamp`."""

    name: str
    stamp: Mapping[str, Any]
    engines: tuple[EngineRow, ...]
    figures: tuple[Figure, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the part as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the JSON of :meth:`to_json`."""
        engines = tuple(EngineRow(**row) for row in values["engines"])
        figures = (Figure(f["name"], f["unit"], tuple(f["values"])) for f in values["figures"])
        return cls(values["name"], values["stamp"], engines, tuple(figures))
