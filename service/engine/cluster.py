"""Questions about a running Ray, asked without Ray itself: its port and its dashboard answer."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import httpx2

from service.settings import Settings


class ClusterError(Exception):
    """Ray could not be started or asked; the message says why."""


def is_reachable(address: str, *, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, ValueError):
        return False


def nodes(settings: Settings) -> list[dict[str, Any]]:
    """Return the cluster's nodes as the dashboard shows them; raise :class:`ClusterError`."""
    headers = _authorization()
    base_url = settings.dashboard_api_url or settings.dashboard_url
    if not base_url:
        raise ClusterError("the Ray dashboard is not known: set ARGBEST_DASHBOARD_URL")
    try:
        url = f"{base_url}/nodes"
        # A proxy named in the environment must not see Ray's token.
        answer = httpx2.get(
            url, params={"view": "summary"}, headers=headers, timeout=3.0, trust_env=False
        )
        answer.raise_for_status()
        return [_node(node) for node in answer.json()["data"]["summary"]]
    except (httpx2.HTTPError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ClusterError(f"the Ray dashboard does not answer: {error}") from error


def _authorization() -> dict[str, str]:
    token_file = os.environ.get("RAY_AUTH_TOKEN_PATH")
    if not token_file:
        return {}
    try:
        token = Path(token_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ClusterError(f"Ray's token {token_file} cannot be read: {error.strerror}") from error
    return {"Authorization": f"Bearer {token}"}


def _node(node: dict[str, Any]) -> dict[str, Any]:
    raylet = node.get("raylet", {})
    return {
        "host": node.get("hostname"),
        "address": node.get("ip"),
        "state": str(raylet.get("state", "unknown")).lower(),
        "is_head": bool(raylet.get("isHeadNode", False)),
        "resources": raylet.get("resourcesTotal", {}),
        "cpu_percent": node.get("cpu"),
        "memory_bytes": node.get("mem", [None])[0],
    }
