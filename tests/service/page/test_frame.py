"""The frame: addresses, the view that they name, the keyboard, and a server that is away."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from results.store import Store
from tests.service.stand_ins import accept, spec

NAME = "<img src=x onerror=alert(1)> \u202eevil"


def test_addresses_name_views(url: str, store: Store, page: Page, complaints: list[str]) -> None:
    first = accept(store, spec(name=NAME))
    page.goto(f"{url}/#job/{first}")  # as links of earlier versions are
    heading, main = page.locator("h2"), page.locator("main")
    expect(heading).to_contain_text(NAME)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skips to the content, and the address stays
    expect(main).to_be_focused()
    assert page.url.endswith(f"#job/{first}")
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(heading).to_have_text("Jobs")
    expect(main).to_be_focused()
    expect(page.locator("nav a[aria-current]")).to_have_text("Jobs")
    page.get_by_role("link", name=NAME).click()
    expect(heading).to_contain_text(NAME)
    assert page.url.endswith(f"#/job/{first}")
    for name in ("50%", "nowhere"):
        page.goto(f"{url}/#/{name}")
        expect(page.get_by_role("alert")).to_contain_text(f'there is no view "{name}"')
    found = page.evaluate(
        """async () => {
          const { hashOf, readAddress, setQuery } = await import("/page/page.js");
          const there = readAddress("#/job/a%2Fb/trial/3?log=1&tag=x&tag=%26");
          setQuery({ q: "a b", tag: ["x", "&"], state: null });
          const { view, path } = readAddress("#job/a");
          return [there.view, there.path, hashOf(there), location.hash, view, path];
        }"""
    )
    assert found == [
        "trial", ["a/b", "3"], "#/job/a%2Fb/trial/3?log=1&tag=x&tag=%26",
        "#/nowhere?q=a+b&tag=x&tag=%26", "job", ["a"],
    ]  # fmt: skip
    assert complaints == []


def unavailable(content_type: str) -> Callable[[Route], None]:
    body = '{"detail": "the database cannot answer"}'
    return lambda route: route.fulfill(status=503, content_type=content_type, body=body)


def test_a_lost_connection_is_said_and_so_is_its_return(url: str, page: Page) -> None:
    page.clock.install()
    page.route("**/api/v1/**", lambda route: route.abort())
    page.goto(url)
    expect(page.get_by_role("alert")).to_have_text("The server does not answer.")
    lost = page.get_by_text("The connection to the server is lost")
    expect(lost).to_be_visible()
    # A proxy answers while the service starts, and the service while its database is away.
    page.unroute("**/api/v1/**")
    page.route("**/api/v1/**", lambda route: route.fulfill(status=502, body="Bad Gateway"))
    with page.expect_response("**/api/v1/jobs?**"):
        page.clock.run_for(3_000)
    expect(page.get_by_role("alert")).to_have_text("The server does not answer.")
    expect(lost).to_be_visible()
    page.unroute("**/api/v1/**")
    page.clock.run_for(3_000)
    main = page.locator("main")
    expect(main).to_contain_text("No jobs yet")
    expect(lost).to_be_hidden()
    expect(page.locator("#announcement")).to_have_text("The connection is back.")
    for kind, is_lost in (("text/html", True), ("application/problem+json", False)):
        page.route("**/api/v1/jobs?**", unavailable(kind))
        with page.expect_response("**/api/v1/jobs?**"):
            page.clock.run_for(16_000)
        expect(lost).to_be_visible(visible=is_lost)
        expect(main).to_contain_text("No jobs yet")  # what is known stays
        page.unroute("**/api/v1/jobs?**")
        with page.expect_response("**/api/v1/jobs?**"):
            page.clock.run_for(5_000)
        expect(lost).to_be_hidden()
