"""What the tests of the page wait for."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def expect_plots(page: Page) -> None:
    """Wait until every plot has been drawn with a size of its own."""
    images = page.locator("figure img")
    expect(images.nth(2)).to_be_visible()
    for image in images.all():
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 100
