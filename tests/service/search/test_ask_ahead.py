"""A sampler that is asked ahead: one thread, the order of the calls, and what is raised."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from service.search.ask_ahead import AskAhead


class Slow:
    """A sampler that draws when it is let, and keeps the calls and their threads."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: set[int] = set()
        self.may_draw = threading.Semaphore(0)

    def draw(self, number: int) -> dict[str, Any]:
        assert self.may_draw.acquire(timeout=60)
        self._note("draw", number)
        return {"x": number}

    def observe(
        self, number: int, epoch: int, losses: tuple[float, ...], excess: tuple[float, ...]
    ) -> None:
        self._note("observe", number, epoch, losses)
        if losses == (-1.0,):
            raise ValueError("a loss that it does not take")

    def end(self, number: int, *, succeeded: bool) -> None:
        self._note("end", number, succeeded)

    def leave_out(self, number: int) -> None:
        self._note("leave_out", number)

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def ahead(slow: Slow) -> Iterator[AskAhead]:
    ahead = AskAhead(slow, most=100, first=3)
    yield ahead
    slow.may_draw.release(100)
    ahead.close()


def test_calls_reach_the_sampler_in_order_each_draw_right_after_the_one_before(
    slow: Slow, ahead: AskAhead
) -> None:
    ahead.observe(1, 2, (0.5,), ())
    slow.may_draw.release()
    assert ahead.draw(7) == {"x": 3}
    ahead.observe(7, 2, (0.25,), ())
    ahead.end(7, succeeded=True)
    ahead.end(1, succeeded=False)
    ahead.leave_out(7)
    slow.may_draw.release()
    assert ahead.draw(9) == {"x": 4}
    ahead.end(9, succeeded=True)
    slow.may_draw.release()
    ahead.draw(10)
    assert slow.calls[:8] == [
        ("observe", 1, 2, (0.5,)), ("draw", 3), ("draw", 4), ("observe", 3, 2, (0.25,)),
        ("end", 3, True), ("end", 1, False), ("leave_out", 3), ("draw", 5),
    ]  # fmt: skip
    assert len(slow.threads) == 1
    assert threading.get_ident() not in slow.threads


def test_it_says_when_a_configuration_is_there_and_does_not_wait_for_it(
    slow: Slow, ahead: AskAhead
) -> None:
    assert not ahead.is_ready()
    assert not ahead.is_ready()
    slow.may_draw.release()
    prepared = ahead._next
    assert prepared is not None
    prepared.result(timeout=60)
    assert ahead.is_ready()
    ahead.draw(3)
    assert not ahead.is_ready()


def test_what_the_thread_raises_is_raised_by_the_next_draw(slow: Slow, ahead: AskAhead) -> None:
    ahead.observe(0, 1, (-1.0,), ())
    slow.may_draw.release()
    with pytest.raises(ValueError, match="a loss that it does not take"):
        ahead.draw(3)


def test_closing_ends_the_thread(slow: Slow) -> None:
    ahead = AskAhead(slow, most=100)
    assert not ahead.is_ready()
    ahead.close()
    slow.may_draw.release()
    threads = [t for t in threading.enumerate() if t.name.startswith("sampler")]
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert slow.calls == [("draw", 0)]


def test_nothing_is_drawn_ahead_that_nobody_takes(slow: Slow) -> None:
    slow.may_draw.release(100)
    ahead = AskAhead(slow, most=2)
    assert [ahead.draw(0), ahead.draw(1)] == [{"x": 0}, {"x": 1}]
    ahead.end(1, succeeded=True)
    while len(slow.calls) < 3:
        time.sleep(0.01)
    ahead.close()
    assert [call[0] for call in slow.calls] == ["draw", "draw", "end"]
