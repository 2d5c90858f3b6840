"""A job's figures in a real browser: drawn when they are opened; a brush marks trials elsewhere."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, Request, Route, expect

from results.store import Store
from service.settings import Settings
from tests.service.page.searches import HOSTILE, sampled_search


def brush(page: Page, plane: Locator) -> None:
    """Drag over the left half of a figure's plane."""
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=5)
    page.mouse.up()


def test_figures_are_drawn_when_they_are_opened(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - its signature is read
    # Pictures take the server long, and are not looked at here.
    page.route("**/plots", lambda route: route.fulfill(json={"items": []}))
    job_id = sampled_search(store, settings)
    page.goto(f"{url}/#/job/{job_id}")
    section = page.get_by_role("region", name="Figures")
    section.scroll_into_view_if_needed()
    titles = section.locator("details.figure > summary")
    expect(titles).to_have_count(8)
    expect(section).to_contain_text("1 more that this job does not have")
    assert not [request.url for request in asked if "plotly" in request.url]
    # One that is closed and opened while plotly is loaded is drawn all the same.
    for _ in range(2):
        titles.filter(has_text="History").click()
    # Marks, bars, several axes, a plane: each kind of trace.
    for title in ("History", "Importance of the parameters", "By each parameter", "Contour"):
        titles.filter(has_text=title).click()
    drawn = section.locator(".js-plotly-plot .subplot")
    expect(drawn).to_have_count(6, timeout=90_000)  # the first one loads plotly, here and there
    # Names of values are text.
    by_each = section.locator("details.figure").filter(has_text="By each parameter")
    expect(by_each.locator(".js-plotly-plot")).to_contain_text(HOSTILE)
    by_each.get_by_role("checkbox").first.uncheck()
    expect(by_each.locator(".subplot")).to_have_count(2)
    contour = section.locator("details.figure").filter(has_text="interpolated")
    # The answer to an older choice that comes after that to a newer one is not drawn.
    late: list[Route] = []
    chosen = re.compile(r"figures/contour\?parameter=")
    page.route(chosen, lambda route: late.append(route), times=1)  # noqa: PLW0108 - its signature is read
    first = contour.get_by_label("First parameter")
    first.select_option("momentum")
    first.select_option("optimizer")
    expect(contour.locator(".js-plotly-plot")).to_contain_text(HOSTILE)
    with page.expect_response(lambda answer: answer.url == late[0].request.url):
        late[0].continue_()
    expect(contour.locator(".js-plotly-plot")).to_contain_text(HOSTILE)
    brush(page, section.locator(".nsewdrag").first)
    expect(page.get_by_role("button", name=re.compile(r"^Unmark \d+$"))).to_be_visible()
    assert page.locator("main img[src='x']").count() == 0
    assert {request.url.split("/", 3)[2] for request in asked} == {url.split("/", 3)[2]}
    assert complaints == []
