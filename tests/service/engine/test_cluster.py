"""Questions to a running Ray: does its port answer, and which nodes does its dashboard show?"""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from service.engine import cluster
from service.engine.cluster import ClusterError
from service.settings import Settings
from tests.service.stand_ins import listening
from tools.ports import free_port


def test_an_address_is_reachable_where_something_listens() -> None:
    with listening() as address:
        assert cluster.is_reachable(address)
    assert not cluster.is_reachable(address)
    for nonsense in ("", "127.0.0.1", "127.0.0.1:ray", "127.0.0.1:99999", "no.such.host.invalid:1"):
        assert not cluster.is_reachable(nonsense)


def test_an_address_of_ipv6_is_reachable_in_brackets() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert cluster.is_reachable(f"[::1]:{listener.getsockname()[1]}")


# --- the dashboard -----------------------------------------------------------------------------

NODE = {
    "hostname": "one", "ip": "10.0.0.5", "cpu": 12.5, "mem": [8_000, 4_000, 50.0, 4_000],
    "raylet": {"state": "ALIVE", "isHeadNode": True, "resourcesTotal": {"CPU": 2.0}},
}  # fmt: skip


class Dashboard:
    """Answers as Ray's dashboard does, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url, self.status = url, 200
        self.answer: Any = {"data": {"summary": [NODE, {}]}}
        self.asked: list[tuple[str, Mapping[str, str]]] = []


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            dashboard.asked.append((self.path, dict(self.headers)))
            self.send_response(dashboard.status)
            self.end_headers()
            self.wfile.write(json.dumps(dashboard.answer).encode())

        def log_message(self, *_: object) -> None:
            """Keep standard error clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        dashboard = Dashboard(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield dashboard
        server.shutdown()
        thread.join()


def asking(dashboard: Dashboard) -> Settings:
    return Settings(dashboard_api_url=dashboard.url, dashboard_url="http://shown.invalid")


def test_nodes_are_told_as_the_dashboard_does(dashboard: Dashboard) -> None:
    one, bare = cluster.nodes(asking(dashboard))
    assert one == {
        "host": "one", "address": "10.0.0.5", "state": "alive", "is_head": True,
        "resources": {"CPU": 2.0}, "cpu_percent": 12.5, "memory_bytes": 8_000,
    }  # fmt: skip
    assert (bare["host"], bare["state"], bare["is_head"]) == (None, "unknown", False)
    path, headers = dashboard.asked[0]
    assert path == "/nodes?view=summary"
    assert "authorization" not in {name.lower() for name in headers}


def test_the_dashboard_is_asked_with_the_token_of_ray(
    dashboard: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    with pytest.raises(ClusterError, match=r"token .* cannot be read: No such file"):
        cluster.nodes(asking(dashboard))
    token.write_text("secret\n", encoding="utf-8")
    cluster.nodes(asking(dashboard))
    headers = {name.lower(): value for name, value in dashboard.asked[0][1].items()}
    assert headers["authorization"] == "Bearer secret"


def test_no_proxy_sees_the_token_of_ray(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert len(cluster.nodes(asking(dashboard))) == 2


@pytest.mark.parametrize(("status", "answer"), [(401, {}), (200, {"data": {}}), (200, [])])
def test_an_answer_that_is_none_is_an_error(
    dashboard: Dashboard, status: int, answer: object
) -> None:
    dashboard.status, dashboard.answer = status, answer
    with pytest.raises(ClusterError, match="does not answer"):
        cluster.nodes(asking(dashboard))


def test_a_dashboard_that_is_not_there_or_not_known_is_an_error() -> None:
    nobody = Settings(dashboard_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ClusterError, match="does not answer"):
        cluster.nodes(nobody)
    with pytest.raises(ClusterError, match="ARGBEST_DASHBOARD_URL"):
        cluster.nodes(Settings(dashboard_url=""))
