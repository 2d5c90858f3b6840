"""What every view must pass: axe in light and dark, 360 px without overflow, the keyboard alone."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: WCAG 2.2 on the levels A and AA, and what Deque recommends beyond.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ALL = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _TAGS}}
#: What the colors alone decide.
_COLORS = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}}
#: The width of a small telephone.
NARROW = 360
_WIDE = {"width": 1280, "height": 800}
#: Everything that a click does something to and that is there to be seen.
_CLICKABLE = """() => [...document.querySelectorAll(
    "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, textarea"
  )].filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0)
    .filter((one) => one.type !== "radio" || one.checked)"""
_NAME = "(one) => (one.ariaLabel || one.textContent || one.name || one.tagName).trim().slice(0, 60)"


def check(page: Page) -> None:
    """Assert that the view, which is drawn, can be used by everybody."""
    problems = [*violations(page), *overflowing(page), *unreachable(page)]
    assert problems == [], "\n".join(problems)


def violations(page: Page) -> list[str]:
    """Return what axe finds, in light and in dark, each with the elements."""
    found = []
    for scheme, options in (("light", _ALL), ("dark", _COLORS)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for one in Axe().run(page, options=options).response["violations"]:
            nodes = "; ".join(f"{node['target']} {node['html'][:120]}" for node in one["nodes"][:5])
            found.append(f"{scheme}: {one['id']}: {one['help']}: {nodes}")
    page.emulate_media(color_scheme="light")
    return found


def overflowing(page: Page) -> list[str]:
    """Return the elements that are wider than a small telephone and that nothing scrolls."""
    page.set_viewport_size({"width": NARROW, "height": 740})
    found: list[str] = page.evaluate(
        """(width) => {
          if (document.documentElement.scrollWidth <= width) return [];
          const wide = [...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > width + 0.5)
            .filter((one) => !one.parentElement.closest(".scroll, pre, [class*=frame]"))
            .map((one) => `wider than ${width} px: ${one.outerHTML.slice(0, 120)}`).slice(0, 5);
          return wide.length ? wide : [`the page scrolls sideways at ${width} px`];
        }""",
        NARROW,
    )
    page.set_viewport_size(_WIDE)  # type: ignore[arg-type]
    return found


def unreachable(page: Page, *, most: int = 400) -> list[str]:
    """Return what can be clicked and is not reached by the Tab key from the top of the page."""
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    page.evaluate(
        """() => {
          window.reached = new Set();
          document.addEventListener("focusin", ({ target }) => window.reached.add(target));
        }"""
    )
    for _ in range(most):  # more may come into being on the way
        page.keyboard.press("Tab")
        if page.evaluate(f"({_CLICKABLE})().every((one) => window.reached.has(one))"):
            return []
    missed: list[str] = page.evaluate(
        f"({_CLICKABLE})().filter((one) => !window.reached.has(one)).map({_NAME})"
    )
    return [f"the Tab key does not reach {name!r}" for name in missed[:5]]
