"""The page and the API's documentation are served from this host, with a strict policy."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient


def test_the_page_is_served_with_a_strict_policy(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/page/page.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page/style/page.css").status_code == 200
    # Without a picture of its own the browser asks for one that is not there.
    assert '<link rel="icon" href="data:image/svg+xml,' in page.text


def test_the_docs_need_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "'self'" in page.headers["content-security-policy"]
    links = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    files = [link for link in links if not link.startswith("data:")]
    assert files == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/docs.js"]
    for file in files:
        assert client.get(file).status_code == 200
    assert not re.search(r"url\((?!data:|.data:)", client.get(files[0]).text)
    assert "http" not in client.get("/docs/docs.js").text
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/docs", "/docs/", "/docs/swagger-ui-bundle.js", "/openapi.json"]
)
def test_a_file_that_the_browser_has_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get(path, headers={"If-None-Match": '"another"'})
    assert other.content == first.content


@pytest.mark.parametrize(
    "path",
    ["/page/%00", "/page/" + "a" * 5000, "/page/%2e%2e/__init__.py", "/page/%ff"],
)
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
