"""Every view of the page can be used by everybody: axe, a small telephone, the keyboard alone.

The command line accepts every command that the views show.
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from results.records import Checkpoint, Failure, TokenScope
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import served
from tests.service.page import shown_commands
from tests.service.page.accessible import check
from tests.service.page.searches import sampled_search
from tests.service.page.test_trial import reported, submitted


def test_every_view_can_be_used_by_everybody(
    settings: Settings, store: Store, page: Page, complaints: list[str]
) -> None:
    job, lease = submitted(settings, store)
    store.add_checkpoint(lease, Checkpoint(0, 40, 80.0, "kept", 1000, "0" * 64))
    for number in (0, 1):
        attempt = store.start_trial(lease, number, node="here")
        reported(store, lease, attempt, range(1, 41), number=number)
        error = Failure(FailureKind.USER_ERROR, "no such column", "Traceback") if number else None
        state = TrialState.FAILED if number else TrialState.SUCCEEDED
        store.finish_trial(lease, number, state, error)
    store.finish_job(lease, JobState.SUCCEEDED)
    other = sampled_search(store, settings, trials=4)
    request = JobRequest(search_space="q2_linear_regression", name="waits", epochs=2)
    paused, queued, _ = (Jobs(store, Library(), settings).submit(request).id for _ in range(3))
    store.request_pause(paused)
    secret = store.create_token("boss", TokenScope.ADMIN).secret
    views = {
        "jobs": "#/jobs",
        "new": f"#/new?from={job}",
        "job": f"#/job/{job}",
        "trial": f"#/job/{job}/trial/1",
        "compare": f"#/compare?jobs={job},{other}",
        "cluster": "#/cluster",
    }
    with served(settings.model_copy(update={"auth": "on"}), store) as url:
        page.goto(f"{url}/#/nowhere")
        expect(page.get_by_role("alert")).to_be_visible()
        check(page)  # an error
        page.goto(f"{url}/#/jobs")
        expect(page.get_by_label("Token")).to_be_visible()
        check(page)  # a token is asked for
        page.get_by_label("Token").fill(secret)
        page.get_by_role("button", name="Open").click()
        commands: set[str] = set()
        known = page.evaluate("import('/page/page.js').then(({ VIEWS }) => Object.keys(VIEWS))")
        assert set(known) <= set(views)
        for view in known:
            page.goto(f"{url}/{views[view]}")
            expect(page.locator("h2").first).to_be_visible()
            page.wait_for_load_state("networkidle")
            if view == "compare":
                drawn = page.locator(".js-plotly-plot .subplot")
                expect(drawn).to_have_count(2, timeout=90_000)  # the first one loads plotly
            commands |= shown_commands.shown(page)
            check(page)
        commands |= shown_commands.of_everything(page)
        for more in (f"#/job/{queued}", f"#/job/{paused}", f"#/job/{other}"):
            page.goto(f"{url}/{more}")
            expect(page.locator("h2").first).to_be_visible()
            commands |= shown_commands.shown(page)
    assert [text for text in complaints if "401" not in text] == []

    for command in commands:
        shown_commands.parse(command)
    names = {shown_commands.named(command) for command in commands}
    assert {("pause",), ("resume",), ("cancel",), ("retry",), ("confirm",), ("extend",)} <= names
    assert shown_commands.of_sources() - names == set()
    assert ("token", "local") in shown_commands.in_texts()
