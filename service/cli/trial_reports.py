"""Takes the reports of one trial, shows each as it was understood, and finds what is wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from results.formatting import count, number
from search_spaces import RESERVED_METRICS, SearchSpace
from search_spaces.errors import did_you_mean
from service.cli.text import pairs, size


@dataclass
class Reports:
    """The ``report`` of a train function, for people. ``say`` prints a line.

    ``checked`` is the first epoch whose state was taken, 0 if there was none.
    """

    space: SearchSpace
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    curve: dict[int, Mapping[str, float]] = field(default_factory=dict)
    checked: int = 0

    def __call__(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",  # noqa: ARG002 - of the contract
        state: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        """Show one epoch; take its state if it is the first that has one."""
        self.curve[epoch] = dict(metrics)
        self.say(f"epoch {epoch}: {pairs(metrics, number)}")
        if state is not None and not self.checked:
            self.checked = epoch
            began = self.clock()
            taken = sum(getattr(value, "nbytes", 0) for value in state().values())
            self.say(f"  checkpoint of {size(taken)}, taken in {self.clock() - began:.2f} s")

    @property
    def last(self) -> Mapping[str, float]:
        """The metrics of the last epoch, none where there is no report."""
        return self.curve[max(self.curve)] if self.curve else {}

    def problems(self, *, has_failed: bool = False) -> Iterator[str]:
        """Yield what would fail this trial in a search, with what to do.

        The error of a trial that ``has_failed`` already says which epochs are missing.
        """
        yield from self._diverged()
        space, last = self.space, max(self.curve, default=0)
        compared = [objective.metric for objective in space.objectives]
        compared += [constraint.metric for constraint in space.constraints]
        for metric in dict.fromkeys(compared):
            if self.curve and metric not in self.last and metric not in RESERVED_METRICS:
                yield (
                    f"epoch {last}, the last one, has no {metric}, which trials are compared by: "
                    f"{self._instead_of(metric)}"
                )
        early = space.program is not None and space.program.early_end
        if self.curve and last < space.epochs and not early and not has_failed:
            yield (
                f"{last} of {count(space.epochs, 'epoch')} reported: write epochs: {last}, or "
                "early_end: true if programs may end earlier, or pass {epochs} to the program"
            )

    def _instead_of(self, metric: str) -> str:
        seen = sorted({name for metrics in self.curve.values() for name in metrics})
        if metric in seen:
            return "let the program report it there"
        return f"of the metrics reported, {did_you_mean(metric, seen)}"

    def _diverged(self) -> Iterator[str]:
        for epoch, metrics in self.curve.items():
            wrong = [name for name, value in metrics.items() if not math.isfinite(value)]
            if wrong:
                yield (
                    f"epoch {epoch}: {', '.join(wrong)} is no finite number, so the trial counts "
                    "as diverged; a search goes on with the other trials"
                )
                return

    def advice(self, *, resumes: bool) -> Iterator[str]:
        """Yield what may be missing although the trial went well."""
        if self.checked and not resumes:
            yield (
                "the program writes checkpoints: if it also goes on from ARGBEST_CHECKPOINT_DIR, "
                "say resumes: true, and killed trials go on from there"
            )
        if resumes and not self.checked and self.curve:
            yield (
                "resumes: true, but no checkpoint was in ARGBEST_CHECKPOINT_DIR when an epoch was "
                "reported: write it there, then report"
            )
