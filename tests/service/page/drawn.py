"""What the tests of the page wait for."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def expect_plots(page: Page) -> None:
    """Wait until every plot has been drawn with a size of its own, once it is in sight."""
    page.get_by_role("heading", name="Pictures").scroll_into_view_if_needed()
    images = page.locator("figure img")
    expect(images.nth(2)).to_be_attached()
    for image in images.all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_attribute("src", re.compile("^blob:"))
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 100
