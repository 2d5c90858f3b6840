"""What a job may do now, as its heartbeat learns it and its segment queue obeys it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """How many segments may run at once, and whether all are to end because the job pauses.

    One thread writes, another reads; each field by itself is whole.
    """

    slots: int = 1
    pausing: bool = False
