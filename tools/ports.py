"""Ports for services that tests, benchmarks and experiments start on this machine."""

from __future__ import annotations

import random
import socket

#: Linux draws the ports of outgoing connections from 32,768 on, and Ray those of its processes
#: from 10,002 to 19,999: a service that is started again would find its port taken by one of them.
_FIRST, _LAST = 20_000, 32_000


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on; raise OSError where none is found."""
    for _ in range(100):
        port = random.SystemRandom().randint(_FIRST, _LAST)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}")
