"""A headless Chromium for the tests of the page; they are skipped where none is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from results.store import Store
from service.settings import Settings
from tests.service.http.serving import served
from tools.chromium import chromium

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def complaints() -> list[str]:
    """The errors that the page has written to its console."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page


@pytest.fixture
def url(settings: Settings, store: Store) -> Iterator[str]:
    with served(settings, store) as url:
        yield url
