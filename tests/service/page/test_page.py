"""The page in a real browser: headless Chromium draws it from the real API and store."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Request, Route, expect

from results.records import EpochReport, Lease, NewTrial, TokenScope
from results.states import JobState, Purpose, TrialState
from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import served
from tests.service.page.drawn import expect_plots
from tests.service.running import until
from tests.service.stand_ins import claim

REFUSED = "there is none yet"
BEST = "best: trial 1, validation_accuracy 0.8750"


@pytest.fixture
def job_id(settings: Settings, store: Store) -> str:
    """A finished job whose second trial is the best, with a name that is markup."""
    request = JobRequest(
        search_space="q3_logistic_regression",
        name="<b>rates</b>",
        strategy="grid",
        epochs=1,
        parameters={"learning_rate": {"values": [0.01, 0.001]}},
    )
    job = Jobs(store, Library(), settings).submit(request)
    lease = claim(store)
    for number, accuracy in enumerate((0.75, 0.875)):
        metrics = {"train_loss": 0.5, "validation_accuracy": accuracy, "test_accuracy": accuracy}
        report(store, lease, number, metrics)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return job.id


def report(store: Store, lease: Lease, number: int, metrics: dict[str, float]) -> None:
    """Start a trial that reports one epoch of 125 seconds."""
    attempt = store.start_trial(lease, number, node="here")
    store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 125.0)])


def test_the_list_shows_the_job_and_escapes_its_name(
    url: str, job_id: str, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("validation_accuracy 0.8750")
    expect(row).to_contain_text("2 of 2 epochs")
    link = row.get_by_role("link", name="<b>rates</b>", exact=True)
    expect(link).to_have_attribute("href", f"#/job/{job_id}")
    assert complaints == []


def test_with_tokens_the_page_asks_for_one_and_keeps_it_in_the_tab(
    settings: Settings, store: Store, job_id: str, page: Page, complaints: list[str]
) -> None:
    secret = store.create_token("browser", TokenScope.SUBMIT).secret
    with served(settings.model_copy(update={"auth": "on"}), store) as url:
        page.goto(f"{url}/#job/{job_id}")
        expect(page.locator("main")).to_contain_text("argbest token create NAME")
        expect(page.locator("main")).not_to_contain_text("rates")
        give(page, "argb_wrong")
        expect(page.get_by_text("the token is unknown, revoked or expired")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0
        give(page, secret)
        expect(page.get_by_text(BEST)).to_be_visible()
        # A picture or a file that cannot be had takes nothing else away.
        page.route("**/plots/*.svg", refuse, times=1)
        page.get_by_role("heading", name="Pictures").scroll_into_view_if_needed()
        pictures = page.get_by_role("region", name="Pictures")
        # At once: it may be refused, and gone, while a browser waits until it stands still.
        pictures.get_by_role("img").first.evaluate("image => image.scrollIntoView()")
        expect(pictures.get_by_role("alert")).to_have_text(REFUSED)
        pictures.get_by_role("button", name="Try again").click()
        expect_plots(page)
        page.route("**/report?format=json", refuse, times=1)
        page.get_by_role("link", name="JSON").click()
        expect(page.get_by_role("alert")).to_have_text(REFUSED)
        assert page.evaluate("[localStorage.length, document.cookie, location.search]") == [
            0, "", "",
        ]  # fmt: skip
        with page.expect_download() as download:
            page.get_by_role("link", name="JSON").click()
        assert download.value.suggested_filename == "report.json"
        page.goto(f"{url}/")
        expect(page.locator("tbody")).to_contain_text("validation_accuracy 0.8750")
        assert secret not in page.content()
        store.revoke_token("browser")
        page.reload()
        expect(page.get_by_text("the token is unknown, revoked or expired")).to_be_visible()
    assert not [text for text in complaints if "Content Security Policy" in text]


def refuse(route: Route) -> None:
    problem = json.dumps({"detail": REFUSED})
    route.fulfill(status=409, content_type="application/problem+json", body=problem)


def give(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Open").click()


def test_the_priority_is_changed_by_keyboard_and_a_field_in_use_stays(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    job = Jobs(store, Library(), settings).submit(JobRequest(search_space="q4_logistic_regression"))
    page.goto(f"{url}/#job/{job.id}")
    main, priority = page.locator("main"), page.get_by_label("Priority")
    expect(main).to_contain_text("waits for a controller to take it")
    expect(priority).to_have_value("1")
    priority.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("30")
    lease = claim(store)
    report(store, lease, 0, {"validation_accuracy": 0.5})
    expect(main).to_contain_text("1 of 60 epochs")  # drawn again, while somebody types
    expect(priority).to_be_focused()
    page.keyboard.press("Enter")
    expect(priority).to_have_value("30")
    until(lambda: store.job(job.id).priority == 30, within_s=20, what="the priority")
    page.get_by_role("button", name="Pause").focus()
    store.set_priority(job.id, 5)
    expect(priority).to_have_value("5")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    assert complaints == []


def test_a_finished_job_is_extended(
    url: str, job_id: str, store: Store, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/#job/{job_id}")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    expect(epochs).to_have_value("1")
    expect(page.get_by_role("spinbutton", name="Trials")).to_have_count(
        0
    )  # its configurations are listed
    expect(page.get_by_label("Priority")).to_be_hidden()
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_contain_text("names neither trials nor epochs")
    epochs.fill("3")
    epochs.press("Enter")
    expect(page.locator("h2")).to_contain_text("queued")
    expect(page.locator("main")).to_contain_text("of 6 epochs")
    assert store.job(job_id).spec.space.epochs == 3
    # A cancelled extension goes on to what was asked.
    store.request_cancel(job_id)
    expect(page.locator("h2")).to_contain_text("cancelled")
    expect(epochs).to_have_value("3")
    page.get_by_role("button", name="Extend").click()
    expect(page.locator("h2")).to_contain_text("queued")
    # The first request was refused, which a browser logs.
    assert [text for text in complaints if "422" not in text] == []


def test_the_list_shows_shares_and_why_a_job_waits(
    settings: Settings, store: Store, page: Page, url: str
) -> None:
    request = JobRequest(search_space="q2_linear_regression", priority=4)
    Jobs(store, Library(), settings).submit(request)
    page.goto(f"{url}/")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("waits for a controller to take it")
    expect(row.get_by_label("Priority of q2_linear_regression")).to_have_value("4")


def test_a_winner_is_confirmed_and_the_verdict_shown(
    url: str, job_id: str, store: Store, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/#job/{job_id}")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("h2")).to_contain_text("queued")
    assert store.job(job_id).spec.space.confirm is not None
    lease = claim(store)
    for number, (configuration, accuracy) in enumerate(((1, 0.875), (1, 0.75), (0, 0.5)), start=2):
        parameters, seed = store.trial(job_id, configuration).parameters, 41 + number
        new = NewTrial(number, parameters, seed, Purpose.CONFIRM, configuration=configuration)
        store.add_trial(lease, new)
        report(store, lease, number, {"validation_accuracy": accuracy, "test_accuracy": accuracy})
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    conclusion = page.get_by_role("region", name="Conclusion")
    expect(conclusion).to_contain_text("Is the winner real?")
    expect(conclusion).to_contain_text("0.8125 ± 0.0884 (n = 2)")
    expect(conclusion.get_by_role("cell", name="default, cannot be told apart")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    expect(page.get_by_role("link", name="2, confirms 1")).to_be_visible()
    assert complaints == []


def test_the_docs_are_drawn_from_this_host_alone(
    url: str, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/docs")
    expect(page.get_by_text("/api/v1/jobs/{job_id}").first).to_be_visible()
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) >= 4
    assert [name for name in loaded if not name.startswith((url, "data:"))] == []
    assert complaints == []


def test_a_page_that_was_left_while_it_loaded_draws_no_more(
    url: str, job_id: str, page: Page
) -> None:
    page.clock.install()
    held: list[Route] = []
    page.route("**/jobs?limit=50&history=true", lambda route: held.append(route))  # noqa: PLW0108 - its signature is read
    with page.expect_request("**/jobs?limit=50&history=true"):
        page.goto(f"{url}/")
    page.evaluate(f"location.hash = 'job/{job_id}'")
    expect(page.get_by_text(BEST)).to_be_visible()
    asked: list[Request] = []
    page.on("request", lambda r: asked.append(r) if "limit=50" in r.url else None)
    with page.expect_response("**/jobs?limit=50&history=true"):
        held[0].continue_()
    page.clock.run_for(10_000)  # the list draws itself anew every 2 s
    expect(page.locator("h2")).to_contain_text("<b>rates</b>")
    assert (len(held), asked) == (1, [])
