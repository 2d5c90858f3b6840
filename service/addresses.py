"""What a host name or an address says about who can reach it."""

from __future__ import annotations

import ipaddress


def address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return ``host`` as an IP address (one of IPv4 written in IPv6 as IPv4), None for a name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine, as seen by itself alone."""
    found = address(host)
    return host.lower() == "localhost" if found is None else found.is_loopback


def host_name(authority: str) -> str:
    """Return the host of ``host``, ``host:port`` or ``[host]:port``, in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower().rstrip(".")
