"""What an experiment found, and how it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: The promise; a take-over that takes longer is a violation.
PROMISED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one experiment, by name, and each promise that was seen broken."""

    name: str
    figures: Mapping[str, str | int | float]
    violations: Sequence[str] = field(default_factory=tuple)

    def __str__(self) -> str:
        lines = [f"{self.name}: {'broken' if self.violations else 'kept'}"]
        lines += [f"  {name:<34} {_text(value):>12}" for name, value in self.figures.items()]
        lines += [f"  violation: {text}" for text in self.violations[:20]]
        return "\n".join(lines)


def _text(value: str | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def nothing_done(what: str, done: int, asked: int) -> list[str]:
    """Return a violation where nothing was tried: that shows no promise kept."""
    return [f"{what}: none of {asked} within the time"] if asked and not done else []


def slow(take_overs: Sequence[float]) -> list[str]:
    """Return a violation for each take-over that took longer than promised (seconds)."""
    return [f"a take-over took {t:.1f} s" for t in take_overs if t > PROMISED_SECONDS]


def spread(name: str, seconds: Sequence[float]) -> dict[str, str | int | float]:
    """Return median and maximum of durations as figures."""
    if not seconds:
        return {f"{name}, median": "-", f"{name}, maximum": "-"}
    return {
        f"{name}, median (s)": statistics.median(seconds),
        f"{name}, maximum (s)": max(seconds),
    }
