"""Prepares a slow sampler's next configuration in a background thread, while trials run."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.search.samplers import Configuration, Sampler


class AskAhead:
    """A sampler of which each configuration is drawn ahead, right after the one before is taken.

    One thread makes all calls of the sampler within, in the order of the calls here. So the same
    calls in the same order draw the same, however long each takes. A configuration is drawn from
    what was known when the one before was taken: what is observed in between counts one draw later,
    as if one more trial were running. What a call raises is raised by the next draw.

    ``first`` is a number above those of all trials that the sampler within knows. At most ``most``
    configurations are drawn: one that nobody takes would keep the processor from those that train.
    """

    def __init__(self, sampler: Sampler, *, most: int, first: int = 0) -> None:
        self._sampler, self._count, self._left = sampler, first, most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sampler")
        self._next: Future[Configuration] | None = None
        self._calls: deque[Future[Any]] = deque()
        #: The numbers under which the sampler within knows the trials that were drawn here.
        self._inner: dict[int, int] = {}

    def draw(self, number: int) -> Configuration:
        """Return the configuration that was drawn ahead, and have the next one drawn."""
        prepared = self._prepared()
        configuration = prepared.result()
        self._raise()
        self._inner[number] = self._count
        self._count += 1
        self._next = None
        self._left -= 1
        if self._left > 0:
            self._prepared()
        return configuration

    def begin(self, number: int) -> None:
        """Pass on that a trial trains again."""
        inner = self._inner.get(number, number)
        self._calls.append(self._thread.submit(self._sampler.begin, inner))

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...]
    ) -> None:
        """Pass the values on."""
        inner = self._inner.get(number, number)
        self._calls.append(self._thread.submit(self._sampler.observe, inner, epoch, losses, excess))

    def end(self, number: int, *, succeeded: bool) -> None:
        """Pass the end on."""
        inner = self._inner.get(number, number)
        self._calls.append(self._thread.submit(self._sampler.end, inner, succeeded=succeeded))

    def leave_out(self, number: int) -> None:
        """Pass on that the trial's end says nothing of its configuration."""
        inner = self._inner.get(number, number)
        self._calls.append(self._thread.submit(self._sampler.leave_out, inner))

    def is_ready(self) -> bool:
        """Whether the next configuration is drawn; if not, the thread is at it."""
        return self._prepared().done()

    def close(self) -> None:
        """End the thread after the call that it is making; draw nothing any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _prepared(self) -> Future[Configuration]:
        if self._next is None:
            self._next = self._thread.submit(self._sampler.draw, self._count)
        return self._next

    def _raise(self) -> None:
        """Raise what a call that has ended has raised."""
        while self._calls and self._calls[0].done():
            self._calls.popleft().result()
