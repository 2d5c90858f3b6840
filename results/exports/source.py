"""What an export is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from results.ranking import Ranking
from results.records import Curve, JobRecord, TrialRecord


@dataclass(frozen=True)
class Source:
    """A job, its trials by number, their ranking, and what reads their curves.

    ``read_curves(every)`` yields the curves by trial, with the epochs 1, 1 + every, and so forth.
    """

    job: JobRecord
    trials: Sequence[TrialRecord]
    ranking: Ranking
    read_curves: Callable[[int], Iterator[Curve]]

    def with_curves(self, every: int = 1) -> Iterator[tuple[TrialRecord, Curve]]:
        """Yield each trial with its curve, an empty one where it has reported nothing.

        Curves of trials that have come since the trials were read are left out.
        """
        curves = self.read_curves(every)
        curve = next(curves, None)
        for trial in self.trials:
            while curve is not None and curve.trial < trial.number:
                curve = next(curves, None)
            is_own = curve is not None and curve.trial == trial.number
            yield trial, curve if is_own and curve else Curve(trial.number, (), {})
