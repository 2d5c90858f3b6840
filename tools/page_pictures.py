"""Takes the pictures of the page in `docs/img/`, from real jobs, by a headless Chromium.

    argbest serve &
    python -m tools.page_pictures [URL]

Has the service at URL (by default that of ``argbest serve``) run the searches below, unless it has
already, and takes a picture of each view. The searches take minutes. Look at each picture before
you commit it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from argbest import Client
from service.client import DEFAULT_URL
from tools.chromium import chromium

FOLDER = Path(__file__).parents[1] / "docs" / "img"
MOST_BYTES = 200_000
#: A search over ranges on the Ames data, with three seeds, and another sampler beside it.
SEARCH: dict[str, Any] = {
    "search_space": "q2_neural_regression",
    "strategy": "tpe",
    "trials": 60,
    "epochs": 40,
    "parameters": {
        "learning_rate": {"low": 0.0001, "high": 0.01, "log": True},
        "hidden_size": {"low": 8, "high": 128, "log": True, "type": "int"},
    },
}
JOBS: dict[str, dict[str, Any]] = {
    "tpe": {**SEARCH, "name": "Ames, TPE", "seed": 1, "tags": {"data": "ames", "sampler": "tpe"}},
    "again": {**SEARCH, "name": "Ames, TPE", "seed": 2, "tags": {"data": "ames", "sampler": "tpe"}},
    "third": {**SEARCH, "name": "Ames, TPE", "seed": 3, "tags": {"data": "ames", "sampler": "tpe"}},
    "random": {**SEARCH, "name": "Ames, random", "strategy": "random",
               "tags": {"data": "ames", "sampler": "random"}},
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture: its file's name, the address with ``{job}`` for ids, and what to do before."""

    name: str
    address: str
    prepare: Callable[[Page], None]
    width: int = 1280
    height: int = 900
    is_dark: bool = False


def settled(page: Page) -> None:
    """Wait until the view has its heading and has drawn what is in sight."""
    expect(page.locator("main h2").first).to_be_visible()
    page.wait_for_timeout(3000)  # charts are read when they are in sight, and drawn in frames


def with_figures(page: Page) -> None:
    """Open some figures of the job."""
    settled(page)
    section = page.get_by_role("region", name="Figures")
    section.scroll_into_view_if_needed()
    for title in ("History", "Importance of the parameters", "Contour"):
        section.locator("summary", has_text=title).first.click()
    expect(section.locator(".js-plotly-plot .subplot").nth(2)).to_be_visible()
    section.evaluate("section => section.scrollIntoView()")
    settled(page)


def compared(page: Page) -> None:
    """Wait until the charts are drawn."""
    expect(page.locator(".js-plotly-plot .subplot").nth(1)).to_be_visible()
    settled(page)


PICTURES = (
    Picture("page-job", "#/job/{tpe}", settled, height=1400),
    Picture("page-jobs", "#/jobs", settled, height=640),
    Picture("page-new", "#/new?space=q2_neural_regression", settled),
    Picture("page-figures", "#/job/{tpe}", with_figures, height=1100),
    Picture("page-trial", "#/job/{tpe}/trial/{tpe_best}", settled),
    Picture("page-compare", "#/compare?jobs={tpe},{again},{third},{random}&over=epochs", compared),
    Picture("page-cluster", "#/cluster", settled, height=700),
    Picture("page-dark", "#/job/{tpe}", settled, height=1000, is_dark=True),
    Picture("page-narrow", "#/job/{tpe}", settled, width=360, height=780),
)


def finished_jobs(client: Client) -> Mapping[str, str]:
    """Return the ids of jobs that have run `JOBS`: those that are there, or else new ones."""
    found: dict[str, str] = {}
    for name, body in JOBS.items():
        fingerprint = client.plan(body).fingerprint
        there = client.jobs(fingerprint=fingerprint, state="succeeded", limit=1).items
        found[name] = there[0].id if there else client.submit(body).id
    for name, job_id in [*found.items()]:
        job = client.wait(job_id)
        if job.best is None:
            sys.exit(f"job {job_id} is {job.state} and has no best configuration: {job.error}")
        found[f"{name}_best"] = str(job.best.trial)
    return found


def take(browser: Browser, url: str, picture: Picture, ids: Mapping[str, str]) -> bytes:
    """Return a picture as a PNG."""
    scheme = "dark" if picture.is_dark else "light"
    size = {"width": picture.width, "height": picture.height}
    with browser.new_context(color_scheme=scheme, viewport=size) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}/{picture.address.format(**ids)}")
        picture.prepare(page)
        taken = Image.open(BytesIO(page.screenshot()))
    buffer = BytesIO()
    few = taken.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)  # the other ways lose dots
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main(arguments: list[str]) -> None:
    """Run the searches and take the pictures; further arguments name the only ones to take."""
    url = (arguments or [DEFAULT_URL])[0].rstrip("/")
    wanted = [one for one in PICTURES if one.name in arguments[1:] or not arguments[1:]]
    with Client(url) as client:
        ids = finished_jobs(client)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for picture in wanted:
            content = take(browser, url, picture, ids)
            if len(content) > MOST_BYTES:
                sys.exit(f"{picture.name} has {len(content)} bytes, more than {MOST_BYTES}")
            (FOLDER / f"{picture.name}.png").write_bytes(content)
            print(f"{picture.name}.png: {len(content)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
