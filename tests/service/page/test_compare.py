"""Jobs side by side in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from results.store import Store
from service.settings import Settings
from tests.service.page.searches import HOSTILE, sampled_search


def test_jobs_are_chosen_and_compared(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/", 3)[:3])))
    ids = [
        sampled_search(store, settings, trials=12, seed=1),
        sampled_search(store, settings, trials=12, seed=2),
        sampled_search(store, settings, trials=16, name="more trials"),
    ]
    page.goto(f"{url}/#/compare")
    expect(page.get_by_role("button", name="Compare (choose 2 to 8)")).to_be_disabled()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare 3 jobs").click()
    expect(page.get_by_role("heading", name="Compare 3 jobs")).to_be_visible()
    expect(page.locator(".js-plotly-plot .scatterlayer").nth(1)).to_be_visible(timeout=90_000)
    # Repeats over seeds are a mean with a band; names are text.
    legend = page.locator(".js-plotly-plot .legend").first
    expect(legend).to_contain_text(f"{HOSTILE}: mean of 2 seeds")
    expect(legend).to_contain_text("more trials")
    expect(page.locator("main")).to_contain_text("2 jobs that differ only in their seed")
    expect(page.get_by_role("link", name="more trials")).to_have_attribute(
        "href", f"#/job/{ids[2]}"
    )
    rows = page.locator("table").nth(1).locator("tbody tr")
    expect(rows.filter(has_text="trials").first.locator("td")).to_have_text(
        ["trials", "16", "12", "12"]
    )
    page.get_by_label("Over").select_option("epochs")
    expect(page.locator(".js-plotly-plot .xtitle").first).to_have_text("Epochs trained")
    assert page.evaluate("location.hash").endswith("&over=epochs")
    page.reload()
    expect(page.locator(".js-plotly-plot .xtitle").first).to_have_text("Epochs trained")
    assert page.locator("main img").count() == 0
    assert hosts == {url}
    assert complaints == []


def test_jobs_that_are_not_there_are_named(page: Page, url: str) -> None:
    page.goto(f"{url}/#/compare?jobs=a,b")
    expect(page.get_by_role("alert")).to_contain_text("a")
