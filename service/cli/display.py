"""Progress on stderr: bars by rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from results.formatting import duration
from service.cli.estimate import Total
from service.cli.output import note
from service.cli.text import clean

if TYPE_CHECKING:
    from rich.progress import TaskID

#: Between two plain lines of progress.
PLAIN_INTERVAL_S = 10.0


class Display(AbstractContextManager["Display"]):
    """Lines of text: everything said, and the total when it changed, not too often.

    ``now`` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._printed: tuple[float, int] | None = None

    def __exit__(self, *error: object) -> None:
        """Leave what was printed."""

    def say(self, line: str) -> None:
        """Print a line that stays."""
        note(line)

    def bar(self, key: str, label: str, done: int, total: int, text: str = "") -> None:
        """Show the bar ``key``: ``done`` of ``total`` epochs, a text beside it; not in plain text.

        One line per epoch and trial would bury the others.
        """

    def drop(self, key: str) -> None:
        """Remove the bar ``key`` if it is there."""

    def total(
        self, label: str, done: int, total: int, left: float | None, *, word: str = ""
    ) -> None:
        """Show the total, with the seconds left where they are known.

        ``word`` says how sure ``total`` is, as in :class:`service.cli.estimate.Total`.
        """
        now = self._now()
        if self._printed and (
            now - self._printed[0] < PLAIN_INTERVAL_S or self._printed[1] == done
        ):
            return
        self._printed = (now, done)
        epochs = f"{Total(total, word).text(done)} epochs"
        note(", ".join(filter(None, [f"{label}: {epochs}", left_text(left, word=word)])))


class LiveDisplay(Display):
    """Bars that are drawn over, by rich; lines scroll above them."""

    def __init__(self, now: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__(now)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[epochs]} epochs"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=Console(file=sys.stderr, highlight=False, markup=False),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Display:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(clean(line), soft_wrap=True)

    def bar(self, key: str, label: str, done: int, total: int, text: str = "") -> None:
        """Show or update a bar."""
        self._draw(key, label, Total(total), done, text)

    def drop(self, key: str) -> None:
        """Remove a bar if it is there."""
        if key in self._tasks:
            self._bars.remove_task(self._tasks.pop(key))

    def total(
        self, label: str, done: int, total: int, left: float | None, *, word: str = ""
    ) -> None:
        """Show or update the total's bar."""
        self._draw("", label, Total(total, word), done, left_text(left, word=word))

    def _draw(self, key: str, label: str, total: Total, done: int, text: str) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(clean(label), text="", epochs="")
        self._bars.update(
            self._tasks[key],
            description=clean(label),
            completed=done,
            total=total.epochs,
            epochs=total.text(done),
            text=clean(text),
        )


def left_text(left: float | None, *, word: str = "") -> str:
    """Return ``about 3 min 05 s left``, "" where nothing is left or that is not known.

    Where ``word`` is ``at most``, it is ``at most about 3 min 05 s left``.
    """
    return f"{'at most ' if word == 'at most' else ''}about {duration(left)} left" if left else ""


def display(now: Callable[[], float]) -> Display:
    """Return the display that fits stderr; ``now`` is a monotonic clock in seconds."""
    return LiveDisplay(now) if sys.stderr.isatty() else Display(now)
