"""Many tabs of one browser, of which it shows one: none keeps the others from the service."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from results.records import EpochReport
from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings

#: A browser has so many connections to a host, for all its tabs.
CONNECTIONS = 6

#: Lets a test say whether the tab is seen. One that is not has no frames.
SEEN = """
  const frames = window.requestAnimationFrame.bind(window);
  Object.defineProperty(document, "hidden", { get: () => Boolean(window.isUnseen) });
  window.requestAnimationFrame = (act) => window.isUnseen ? 0 : frames(act);
  window.see = (isSeen) => {
    window.isUnseen = !isSeen;
    document.dispatchEvent(new Event("visibilitychange"));
  };
"""


def test_a_tab_is_served_while_others_that_nobody_sees_follow_jobs(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    jobs = Jobs(store, Library(), settings)
    job = jobs.submit(JobRequest(search_space="q2_linear_regression", epochs=9))
    lease = store.claim_job("test", 600)
    assert lease is not None
    store.start_trial(lease, 0, node="here")
    context = page.context
    context.add_init_script(SEEN)
    tabs = [page, *[context.new_page() for _ in range(CONNECTIONS - 1)]]
    for tab in tabs:
        tab.goto(f"{url}/#/job/{job.id}")
        expect(tab.locator("main")).to_contain_text("0 of 9")
        tab.evaluate("see(false)")
    # A title changes although no frame is drawn.
    store.request_pause(job.id)
    # The longest that a tab which nobody sees does not look for changes is half a minute.
    expect(tabs[-1]).to_have_title(re.compile("pausing"), timeout=60_000)
    another = context.new_page()
    another.goto(f"{url}/#/job/{job.id}/trial/0")
    expect(another.locator("main")).to_contain_text("0 of 9")
    store.write_reports(
        lease, [EpochReport(0, 0, e, {"train_rmse": 1 / e}, float(e)) for e in (1, 2)]
    )
    expect(another.locator("main")).to_contain_text("2 of 9")
    page.evaluate("see(true)")
    expect(page.locator("main")).to_contain_text("2 of 9")
    assert complaints == []
    for tab in context.pages:
        tab.close()
