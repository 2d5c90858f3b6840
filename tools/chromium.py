"""The headless Chromium that tests, benchmarks and tools look at the page with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser: the program that CHROMIUM names, else an installed one.

    Raises :class:`FileNotFoundError` where there is none, and :class:`ImportError` without
    Playwright.
    """
    from playwright.sync_api import sync_playwright

    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else ["chromium", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise FileNotFoundError(f"no Chromium is installed: {' or '.join(names)} is not in PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
