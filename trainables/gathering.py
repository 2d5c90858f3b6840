"""Gathers what a program reports, line by line, into one report for each epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.errors import did_you_mean
from trainables.printed import Found
from trainables.program_errors import NoMetricSeen, WrongReport

_COUNTED = "or leave epoch out: then argbest counts the reports"


@dataclass(slots=True)
class Gatherer:
    """Calls ``emit(epoch, metrics)`` once for each epoch, in order.

    ``compared`` are the metrics that the space compares. An epoch is complete when it
    has these and the metrics ``patterns``, when the next one begins, and at the end. The last of
    ``epochs`` is kept open until the end, for what is measured after the training. Up to the epoch
    ``resumed`` everything is done already, and ignored.

    Where the program names no epochs, they are counted: the next one begins with a compared metric
    that the epoch has already. A program that goes on from checkpoints ``must_name`` them.
    """

    emit: Callable[[int, Mapping[str, float]], None]
    note: Callable[[str, str], None]
    compared: frozenset[str]
    patterns: frozenset[str]
    epochs: int
    resumed: int = 0
    must_name: bool = False
    done: int = field(init=False)
    seen: set[str] = field(default_factory=set)
    _open: dict[str, float] | None = None
    _last: Mapping[str, float] = field(default_factory=dict)
    _is_named: bool = False
    _is_skipping: bool = False

    def __post_init__(self) -> None:
        """Begin after the epoch that is done."""
        self.done = self.resumed

    def take(self, found: Found) -> None:
        """Take what one line reports; raise :class:`WrongReport` where it has no place."""
        self.seen |= found.metrics.keys()
        if found.epoch is not None:
            is_next = self._turn_to(self._whole(found.epoch))
        elif self._is_skipping:
            return
        elif self._is_named:
            is_next = self._open is not None
        else:
            self._check_unnamed(found.metrics)
            is_next = True
            if self._open is not None and self._open.keys() & found.metrics.keys() & self.compared:
                self._begin(self.done + 2)
        if not is_next:
            self._take_late(found.metrics)
            return
        if self._open is None:
            self._open = {}
        self._open.update(found.metrics)
        is_complete = self.compared | self.patterns <= self._open.keys()
        if is_complete and self.done + 1 < self.epochs:
            self._close()

    def finish(self, *, may_end_early: bool) -> None:
        """Report the last epoch; the program has ended well.

        Raises :class:`NoMetricSeen` if nothing was ever reported, and :class:`WrongReport` where
        epochs are missing.
        """
        if self.compared and not self.seen & self.compared and self.done == 0:
            raise NoMetricSeen(_nothing_seen(self.compared, self.seen))
        if self._open is not None:
            if self._is_named or not self.compared or self._open.keys() & self.compared:
                self._close()
            else:
                self._note_late(self._open)

        if self.done < self.epochs and not may_end_early:
            raise WrongReport(
                f"the program ended after it had reported {self.done} of {self.epochs} epochs: "
                "report each of them, set epochs to the number of reports that a whole run makes, "
                "or, if it may end before, early_end: true"
            )

    def go_on(self) -> None:
        """Begin with what a resumed program reports; what is done it may report again."""
        self.resumed = self.done

    def _check_unnamed(self, metrics: Mapping[str, float]) -> None:
        if self.must_name and self.compared & metrics.keys():
            raise WrongReport(
                "the program reported no epoch, and goes on from its checkpoints (resumes: true): "
                'report "epoch" too, so that each report finds its place after that'
            )

    def _turn_to(self, epoch: int) -> bool:
        """Turn to a named epoch; return whether it is open, and not one that is done."""
        self._is_skipping = epoch <= self.resumed
        self._is_named = True
        if self._is_skipping or epoch == self.done:
            return False
        if self._open is not None and epoch == self.done + 1:
            return True
        self._begin(epoch)
        return True

    def _begin(self, epoch: int) -> None:
        """Close the open epoch, if there is one, and begin ``epoch``, which must be the next."""
        following = self.done + (1 if self._open is None else 2)
        if epoch > self.epochs:
            raise WrongReport(
                f"the program reported epoch {epoch}, and the space has epochs: {self.epochs}; "
                "set epochs to the number of reports that a whole run makes"
            )
        if self._open is None and 0 < self.resumed == self.done:
            self._pass_over(epoch)
        elif epoch != following:
            raise WrongReport(
                f"the program reported epoch {epoch} where epoch {following} is next: report each "
                f"epoch once, in order, {_COUNTED}"
            )
        if self._open is not None:
            self._close()
        self._open = {}

    def _pass_over(self, epoch: int) -> None:
        """Report without metrics what the checkpoint of a resumed program was past already."""
        for passed in range(self.done + 1, epoch):
            self.note("passed", f"epoch {passed} was not reported: the checkpoint was past it")
            self.done = passed
            self.emit(passed, {})

    def _close(self) -> None:
        self._last = self._open or {}
        self._open = None
        self.done += 1
        self.emit(self.done, self._last)

    def _take_late(self, metrics: Mapping[str, float]) -> None:
        """Take metrics of an epoch that is done: what the space compares must not change."""
        if self._is_skipping:
            return
        for name in self.compared & metrics.keys():
            if metrics[name] != self._last.get(name):
                raise WrongReport(
                    f"the program reported {name} of epoch {self.done} twice, with different "
                    f"values: report what the space compares once an epoch, {_COUNTED}"
                )
        self._note_late(metrics)

    def _note_late(self, metrics: Iterable[str]) -> None:
        late = ", ".join(sorted(set(metrics) - self.compared))
        if late:
            after = f"came after the report of epoch {self.done} was complete, and are left out"
            self.note("late", f"{late} {after}: report them before what the space compares")

    def _whole(self, epoch: Any) -> int:
        is_number = isinstance(epoch, int | float) and not isinstance(epoch, bool)
        if not (is_number and epoch >= 1 and math.isfinite(epoch) and epoch == int(epoch)):
            raise WrongReport(
                f"the program reported epoch {epoch!r}: epochs are whole numbers from 1; add 1 "
                f"where it counts from 0, {_COUNTED}"
            )
        return int(epoch)


def _nothing_seen(compared: frozenset[str], seen: set[str]) -> str:
    wanted = ", ".join(sorted(compared))
    first = min(compared)
    hint = f'print a line such as {{"{first}": 0.5}} after each epoch'
    if seen:
        return (
            f"no metric seen: the program reported {', '.join(sorted(seen)[:10])}, and the space "
            f"compares {wanted}: {did_you_mean(first, sorted(seen))}"
        )
    return (
        f"no metric seen: the program ended well, but printed no {wanted}: {hint}, call "
        "argbest.report, or add patterns to the space"
    )
