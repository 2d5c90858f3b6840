"""The list of jobs: what it shows, how it is searched, and the queue moved by hand."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from results.records import EpochReport, NewTrial
from results.states import TrialState
from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.page.accessible import check
from tests.service.running import until
from tests.service.stand_ins import accept, claim, spec

#: What the page does when its tab is seen again.
READ_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"

#: Events without end, sooner after each other than the list waits after one.
CHATTER = """
  const ask = window.fetch;
  const chatter = (controller) => setInterval(() =>
    controller.enqueue(new TextEncoder().encode("event: job\\ndata: {}\\n\\n")), 100);
  window.fetch = (path, options) => path.endsWith("/api/v1/events")
    ? Promise.resolve(new Response(new ReadableStream({ start: chatter }))) : ask(path, options);
"""

HOSTILE = "<img src=x onerror=alert(1)> \u202eevil " + "x" * 160


def test_epochs_and_time_left_are_what_rungs_let_go_on(
    settings: Settings, store: Store, url: str, page: Page
) -> None:
    rates = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "default": 0.001}}
    Jobs(store, Library(), settings).submit(
        JobRequest(
            search_space="q3_mlp", strategy="random", trials=27, epochs=9, parameters=rates,
            scheduler={"name": "asha"},
        )
    )  # fmt: skip
    lease = claim(store)
    page.goto(f"{url}/#/jobs")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("0 of about 63 epochs")
    for number in range(2):
        store.add_trial(lease, NewTrial(number, {"learning_rate": 10.0 ** -(number + 1)}, 42))
        attempt = store.start_trial(lease, number, node="here")
        reports = [EpochReport(number, attempt, 1, {"validation_accuracy": 0.5}, 10.0)]
        store.write_reports(lease, reports)
        page.evaluate(READ_AGAIN)
        expect(row).to_contain_text(f"{number + 1} of about 63 epochs")
    for number in range(2):
        store.write_reports(lease, [EpochReport(number, 1, 2, {"validation_accuracy": 0.5}, 10.0)])
        page.evaluate(READ_AGAIN)
        expect(row).to_contain_text(f"{number + 3} of about 63 epochs")
    expect(row).to_contain_text(re.compile("epochsabout .* left"))


def test_jobs_are_shown_searched_and_kept_in_the_address(
    settings: Settings, store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    jobs = Jobs(store, Library(), settings)
    first = jobs.submit(JobRequest(search_space="q4_feedforward", name=HOSTILE))
    lease = claim(store)
    for number, accuracy in ((0, 0.5), (1, 0.75)):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"validation_accuracy": accuracy}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 10.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.edit_job(first.id, tags={"<b>team</b>": HOSTILE}, notes="<i>first</i>\nsecond")
    for name in ("baseline", "augmented"):
        accept(store, spec(name=name))
    page.goto(f"{url}/#/jobs")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    row = rows.filter(has_text="evil").first
    expect(row).to_contain_text("2 of 140 epochs")
    expect(row).to_contain_text("<i>first</i>")
    expect(row).not_to_contain_text("second")
    expect(row.get_by_role("img", name="from 0.5 to 0.75, over 2 trials")).to_be_visible()

    # Each tells how fast it goes once it has been seen to; what has the focus keeps it meanwhile.
    row.get_by_role("link", name=HOSTILE[:9]).first.focus()
    attempt = store.start_trial(lease, 2, node="here")
    for epoch in (1, 2):
        reports = [EpochReport(2, attempt, epoch, {"validation_accuracy": 0.5}, 10.0)]
        store.write_reports(lease, reports)
        page.evaluate(READ_AGAIN)
        expect(row).to_contain_text(f"{2 + epoch} of 140 epochs")
    expect(row).to_contain_text("left")
    expect(row.get_by_role("link", name=HOSTILE[:9]).first).to_be_focused()

    check(page)
    row.get_by_role("link", name="<b>team</b>=").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Leave out the tag").click()
    page.get_by_role("button", name="queued").click()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("button", name="queued")).to_be_focused()
    search = page.get_by_label("Search")
    search.press_sequentially("AUGM")
    expect(rows).to_have_count(1)
    expect(page.locator("#announcement")).to_have_text("1 job")
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile(r"#/jobs\?state=queued&q=AUGM$"))
    page.reload()
    expect(rows).to_have_text([re.compile("augmented")])
    page.get_by_text("As a command and as curl").click()
    told = page.locator(".commands pre")
    expect(told.first).to_have_text("argbest ls --state queued --search AUGM --limit 50")
    expect(told.nth(1)).to_have_text(f"curl '{url}/api/v1/jobs?state=queued&q=AUGM&limit=50'")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(Error('no')); }")
    copy = page.get_by_role("button", name="Copy This list as curl")
    copy.click()
    expect(copy).to_have_text("Not allowed")
    order = page.get_by_label("Order")
    order.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"&sort=created$"))
    expect(order).to_be_focused()
    page.goto(f"{url}/#/jobs?q=nothing")
    expect(page.locator("main")).to_contain_text("No job matches.")
    assert complaints == []
    assert [one for one in asked if not one.startswith(url)] == []


def refuse(route: Route) -> None:
    problem = '{"detail": "job d is running"}'
    route.fulfill(status=409, content_type="application/problem+json", body=problem)


def test_the_queue_and_priorities_are_changed_by_keyboard(
    store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    ids = [accept(store, spec(name=name)) for name in ("a", "b", "c")]
    page.goto(f"{url}/#/jobs?state=queued&sort=queue")
    names = page.locator("tbody tr td:first-child a")
    expect(names).to_have_text(["a", "b", "c"])
    expect(page.get_by_role("button", name="Up in the queue: a")).to_be_disabled()
    page.get_by_role("button", name="Up in the queue: c").press("Enter")
    expect(names).to_have_text(["a", "c", "b"])
    page.get_by_role("button", name="Last in the queue: a").press("Enter")
    expect(names).to_have_text(["c", "b", "a"])
    priority = page.get_by_label("Priority of b")
    priority.fill("30")
    priority.press("Enter")
    until(lambda: store.job(ids[1]).priority == 30, within_s=20, what="the priority")
    accept(store, spec(name="d"))  # an event, and the list follows
    expect(names).to_have_text(["c", "b", "a", "d"])
    expect(priority).to_be_focused()
    # What is being typed stays, whatever the server says meanwhile; Escape takes it back.
    priority.fill("4")
    store.set_priority(ids[1], 50)
    store.queue_before(ids[1], ids[2])
    expect(names).to_have_text(["b", "c", "a", "d"])
    expect(priority).to_be_focused()
    expect(priority).to_have_value("4")
    priority.press("Escape")
    expect(priority).to_have_value("50")
    # What is refused is said, and the list stays.
    page.route("**/jobs/*", refuse, times=1)
    page.get_by_role("button", name="Up in the queue: d").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("job d is running")
    expect(names).to_have_count(4)
    priority.fill("6")
    page.get_by_label("Search").focus()
    until(lambda: store.job(ids[1]).priority == 6, within_s=20, what="the priority")
    expect(priority).to_have_value("6")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert [text for text in complaints if "409" not in text] == []


def test_pages_by_cursor(store: Store, url: str, page: Page, complaints: list[str]) -> None:
    job, *_ = [accept(store, spec(name=f"job {number:02}")) for number in range(52)]
    page.add_init_script(CHATTER)
    page.goto(f"{url}/#/jobs?sort=name")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    following = page.get_by_role("link", name="Next page")
    following.focus()
    store.edit_job(job, notes="changed")
    expect(rows.first).to_contain_text("changed")
    expect(following).to_be_focused()
    following.click()
    expect(rows).to_have_text([re.compile("job 50"), re.compile("job 51")])
    page.reload()
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Previous page").click()
    expect(rows).to_have_count(50)
    assert complaints == []


def test_a_job_is_tagged_and_noted(
    store: Store, url: str, page: Page, complaints: list[str]
) -> None:
    job = accept(store, spec(name="mine", tags={"old": "x"}))
    page.goto(f"{url}/#/job/{job}")
    page.get_by_label("A tag to add").fill(f"<b>team</b>={HOSTILE}")
    page.get_by_role("button", name="Add the tag").click()
    said = page.get_by_role("region", name="Tags and notes")
    expect(said).to_contain_text("<b>team</b>=<img src=x")
    page.get_by_role("button", name="Take the tag old away").click()
    expect(said).not_to_contain_text("old=x")
    page.get_by_text("Write a note").click()
    page.get_by_label("Note", exact=True).fill("<i>one</i>\ntwo")
    page.get_by_role("button", name="Save the note").click()
    expect(said.locator(".note-text")).to_have_text("<i>one</i>\ntwo")
    found = store.job(job)
    assert (found.tags, found.notes) == ({"<b>team</b>": HOSTILE.strip()}, "<i>one</i>\ntwo")
    page.get_by_role("link", name="New job like this").click()
    expect(page.locator("h2")).to_have_text("New job")
    assert complaints == []
