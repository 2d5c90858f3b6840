"""Plotly's script is served from its package: packed, kept by browsers, named by its version."""

from __future__ import annotations

from importlib.metadata import version

from fastapi.testclient import TestClient

from service.page.plotly_script import path


def test_the_script_is_found_packed_and_kept_for_ever(client: TestClient) -> None:
    lead = client.get("/page/plotly.js", follow_redirects=False)
    assert lead.headers["location"] == f"/page/plotly-{version('plotly')}.js"
    assert lead.headers["cache-control"] == "no-cache"
    packed = client.get(lead.headers["location"])
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 2_000_000
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["content-type"].startswith("text/javascript")
    plain = client.get(lead.headers["location"], headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == path().read_bytes()
