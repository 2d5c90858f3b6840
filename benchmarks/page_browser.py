"""Real Chromium, headless, and what it measures of a page: paints, frames, bytes, memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.records import BenchmarkError
from tools.chromium import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Counts the frames of so many ms; the longest is in ms.
_FRAMES = """async (ms) => {
  const times = [], end = performance.now() + ms;
  await new Promise((done) => {
    const note = (now) => {
      times.push(now);
      if (now < end) requestAnimationFrame(note); else done();
    };
    requestAnimationFrame(note);
  });
  const lengths = times.slice(1).map((now, place) => now - times[place]);
  const perSecond = 1000 * lengths.length / (times.at(-1) - times[0]);
  return { perSecond, longest: Math.max(...lengths) };
}"""
#: Scrolls an element by so many px in each frame, from the top again at its end.
_SCROLL = """([selector, ms]) => {
  const frame = document.querySelector(selector), end = performance.now() + ms;
  const step = () => {
    frame.scrollTop += 97;
    if (frame.scrollTop + frame.clientHeight >= frame.scrollHeight) frame.scrollTop = 0;
    if (performance.now() < end) requestAnimationFrame(step);
  };
  step();
}"""
_PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null"""
PATIENCE_MS = 300_000


@dataclass(slots=True)
class Tab:
    """A tab of a browser; times are in ms since it was told to open the address."""

    page: Any
    devtools: Any
    started: float = 0.0
    received: int = 0
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Open an address; bytes are counted from now on."""
        self.received, self.started = 0, time.perf_counter()
        self.page.goto(url, wait_until="commit")

    def wait(self, selector: str, *, text: str | None = None) -> float:
        """Wait until an element is there, with this text in it; return when that was."""
        found = self.page.locator(selector)
        found = found if text is None else found.filter(has_text=text)
        found.first.wait_for(state="attached", timeout=PATIENCE_MS)
        return self.passed_ms()

    def passed_ms(self) -> float:
        """Return how long ago the address was opened."""
        return (time.perf_counter() - self.started) * 1e3

    def first_paint_ms(self) -> float:
        """Return when the first text or picture was painted, as the browser says."""
        found = self.page.evaluate(_PAINT)
        if found is None:
            raise BenchmarkError("the browser has painted nothing")
        return float(found)

    def heap_bytes(self) -> float:
        """Return the memory of the page's objects, garbage collected."""
        self.devtools.send("HeapProfiler.collectGarbage")
        return float(self.devtools.send("Runtime.getHeapUsage")["usedSize"])

    def frames(self, seconds: float) -> tuple[float, float]:
        """Return the frames per second, and the longest frame in ms."""
        found = self.page.evaluate(_FRAMES, seconds * 1e3)
        return found["perSecond"], found["longest"]

    def frames_scrolling(self, selector: str, seconds: float) -> tuple[float, float]:
        """Return the frames while an element is scrolled."""
        self.page.locator(selector).scroll_into_view_if_needed()
        self.page.evaluate(_SCROLL, [selector, seconds * 1e3])
        return self.frames(seconds)

    def frames_dragging(self, selector: str, left: float, seconds: float) -> tuple[float, float]:
        """Return the frames while the pointer is dragged up and down at ``left`` px."""
        target = self.page.locator(selector)
        target.scroll_into_view_if_needed()
        box, mouse = target.bounding_box(), self.page.mouse
        top, height = box["y"] + 0.2 * box["height"], 0.6 * box["height"]
        self.page.evaluate(f"(ms) => {{ window.frames_seen = ({_FRAMES})(ms); }}", seconds * 1e3)
        mouse.move(box["x"] + left, top)
        mouse.down()
        end, step = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            step += 1
            mouse.move(box["x"] + left, top + (step * 7) % height)
        mouse.up()
        found = self.page.evaluate("() => window.frames_seen")
        return found["perSecond"], found["longest"]


@contextmanager
def new_tab(url: str = "about:blank") -> Iterator[Tab]:
    """Start a browser with one tab of 1280 x 900 px, and close it afterwards.

    Raises :class:`BenchmarkError` where Playwright or Chromium is missing.
    """
    with _browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        devtools = page.context.new_cdp_session(page)
        tab = Tab(page, devtools)
        _listen(tab)
        page.goto(url)
        yield tab


@contextmanager
def _browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except FileNotFoundError as error:
        raise BenchmarkError(str(error)) from error
    except ImportError as error:
        raise BenchmarkError("playwright is missing: pip install 'argbest[dev]'") from error


def _listen(tab: Tab) -> None:
    def count(event: dict[str, Any]) -> None:
        tab.received += max(0, int(event["encodedDataLength"]))

    tab.devtools.send("Network.enable")
    tab.devtools.on("Network.dataReceived", count)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
