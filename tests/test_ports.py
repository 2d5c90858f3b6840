"""Free ports for services that are started again."""

from __future__ import annotations

import socket

import pytest

from tools.ports import free_port


def test_a_port_is_free_and_below_those_of_connections() -> None:
    port = free_port()
    assert 20_000 <= port <= 32_000
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_where_every_port_is_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(address: tuple[str, int]) -> socket.socket:
        raise OSError(f"{address} is taken")

    monkeypatch.setattr(socket, "create_server", taken)
    with pytest.raises(OSError, match="no free port between 20000 and 32000"):
        free_port()
