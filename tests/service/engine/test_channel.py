"""The channel between a controller and a driver that waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from results.records import Lease
from service.engine import channel
from service.engine.channel import BEGUN, IDLE, READY, Orders, to_line

LEASE = Lease("0123456789abcdef", "host:1:2.5:gone", 7)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Orders]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Orders(theirs.fileno())


def test_each_line_is_a_job(ends: tuple[socket.socket, Orders]) -> None:
    controller, orders = ends
    other = Lease("fedcba9876543210", "host:1:2.5:gone", 8)
    controller.sendall(to_line(LEASE) + to_line(other)[:10])
    assert orders.next(lambda: False) == LEASE
    controller.sendall(to_line(other)[10:])
    assert orders.next(lambda: False) == other


def test_a_driver_says_that_it_waits_and_ends_with_its_controller(
    ends: tuple[socket.socket, Orders],
) -> None:
    controller, orders = ends
    assert not orders.is_closed()
    assert controller.recv(100) == IDLE
    controller.close()
    assert orders.next(lambda: True) is None
    assert orders.is_closed()


def test_a_driver_that_waits_prepares_says_so_once_and_sees_when_a_job_comes(
    ends: tuple[socket.socket, Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CHECK_SECONDS", 0.01)
    controller, orders = ends
    answers = iter([True] * 5 + [False])
    prepared = []

    def is_ready() -> bool:
        prepared.append(orders.have_come())
        return len(prepared) >= 2

    assert orders.next(lambda: next(answers), is_ready) is None
    assert prepared == [False] * 5
    assert controller.recv(100) == READY
    controller.sendall(to_line(LEASE) * 2)
    assert orders.have_come()
    assert orders.next(lambda: False, is_ready) == LEASE
    assert orders.have_come(), "the second line is read already"
    assert len(prepared) == 5


def test_a_driver_does_not_say_that_it_is_ready_for_a_job_that_has_come(
    ends: tuple[socket.socket, Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CHECK_SECONDS", 0.01)
    controller, orders = ends

    def is_ready() -> bool:
        controller.sendall(to_line(LEASE))
        return True

    assert orders.next(lambda: True, is_ready) == LEASE
    orders.begin()
    assert controller.recv(100) == BEGUN


def test_a_driver_that_cannot_serve_any_more_does_not_wait(
    ends: tuple[socket.socket, Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CHECK_SECONDS", 0.01)
    answers = iter([True, True, False])
    assert ends[1].next(lambda: next(answers)) is None
    assert list(answers) == []


def test_a_driver_that_connects_ends_with_its_controller_but_not_before(
    ends: tuple[socket.socket, Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CHECK_SECONDS", 0.01)
    controller, orders = ends
    has_ended = threading.Event()
    controller.sendall(to_line(LEASE))
    with orders.needed(has_ended.set):
        assert not has_ended.wait(0.1)
    assert orders.next(lambda: False) == LEASE
    with orders.needed(has_ended.set):
        controller.close()
        assert has_ended.wait(30)
