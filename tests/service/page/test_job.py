"""The view of a job in a real browser: its curves, its trials in several views, live by events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from results.records import EpochReport, Failure, JobRecord, Lease, NewTrial
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from search_spaces import Library
from service.job_request import ExtendRequest, JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.page.accessible import check
from tests.service.page.drawn import expect_plots
from tests.service.running import until
from tests.service.stand_ins import claim

HOSTILE = "<img src=x onerror=alert(1)>" + "א" * 40
DOMAIN = {"low": 0.0001, "high": 0.1, "log": True, "type": "float", "default": 0.01}


def submit(
    store: Store, settings: Settings, rates: Sequence[float], epochs: int, **members: Any
) -> JobRecord:
    """Accept a job whose trials have these learning rates."""
    given = {"strategy": "random", "trials": 2, **members}
    request = JobRequest(
        search_space="q2_linear_regression", epochs=epochs, parameters={"learning_rate": DOMAIN},
        **given,
    )  # fmt: skip
    plan = Jobs(store, Library(), settings).plan(request)
    trials = [NewTrial(number, {"learning_rate": rate}, 42) for number, rate in enumerate(rates)]
    spec = replace(plan.spec, name=HOSTILE, trials=len(trials) or plan.spec.trials)
    return store.create_job(spec, fingerprint="many", trials=trials)


def report(
    store: Store, lease: Lease, number: int, errors: Sequence[float], first: int = 1
) -> None:
    """Report for the trial's current attempt."""
    store.write_reports(
        lease,
        [
            EpochReport(
                number, 0, epoch, {"train_rmse": error, "distance_to_analytic": error + 1}, 1.0
            )
            for epoch, error in enumerate(errors, start=first)
        ],
    )


def train(store: Store, lease: Lease, number: int, errors: Sequence[float]) -> None:
    store.start_trial(lease, number, node="here")
    report(store, lease, number, errors)


@pytest.fixture
def outside(page: Page, url: str) -> list[str]:
    """The requests to other hosts."""
    found: list[str] = []
    page.on(
        "request",
        lambda r: None if r.url.startswith((url, "blob:", "data:")) else found.append(r.url),
    )
    return found


def test_a_finished_job(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str],
    outside: list[str],
) -> None:  # fmt: skip
    job = submit(store, settings, [0.1, 0.01, 0.001, 0.0001], epochs=2)
    lease = claim(store)
    for number, error in enumerate((3.0, 1.0, 2.0)):
        train(store, lease, number, [error + 1, error])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    train(store, lease, 3, [5e5])
    failure = Failure(FailureKind.USER_ERROR, f"ValueError: {HOSTILE}")
    store.finish_trial(lease, 3, TrialState.FAILED, failure)
    store.finish_job(lease, JobState.SUCCEEDED)
    page.goto(f"{url}/#job/{job.id}")
    expect(page.locator("h2")).to_have_text(f"{HOSTILE} succeeded")
    winner = page.get_by_role("region", name="Conclusion")
    expect(winner).to_contain_text("best: trial 1, train_rmse 1.0000")
    expect(winner.get_by_role("link", name="HTML")).to_be_visible()
    rows = page.locator("tbody.rows tr")
    expect(rows).to_have_count(4)
    expect(page.locator("tr.best td").nth(1)).to_have_text("1")
    expect(rows.nth(3)).to_contain_text(f"failed: ValueError: {HOSTILE}")

    winner.get_by_text("Export trials and curves").click()
    with page.expect_download() as fetched:
        winner.get_by_role("link", name="Optuna").click()
    assert fetched.value.suggested_filename == f"{job.id}-optuna.log"
    assert '"op_code":0' in fetched.value.path().read_text(encoding="utf-8")

    # One line that is far off flattens no other; a click or a double-click shows all.
    panel = page.locator("[data-metric=train_rmse]")
    panel.scroll_into_view_if_needed()
    expect(panel).to_contain_text("4 curves; 1 line reaches out of sight")
    panel.get_by_role("button", name="All values").click()
    expect(panel).not_to_contain_text("out of sight")
    panel.locator("canvas").dblclick()
    expect(panel).to_contain_text("out of sight")
    # The trainable says which direction is better where the search and the name do not.
    expect(page.locator("[data-metric=distance_to_analytic]")).to_contain_text("out of sight")
    axes = page.get_by_role("img", name="Parallel coordinates of the trials by learning_rate")
    axes.hover(position={"x": 70, "y": 20})
    expect(axes).to_have_attribute("title", "learning_rate")

    # Sorted, filtered and with other columns, all of which the address has.
    names = page.locator("tbody.rows tr td:nth-child(2)")
    page.get_by_role("button", name="train_rmse", exact=True).click()
    expect(names).to_have_text(["1", "2", "0", "3"])
    page.get_by_label("Find trials").fill("state:succeeded learning_rate>=0.01")
    expect(names).to_have_text(["1", "0"])
    page.get_by_label("Find trials").fill("nothing=1")
    expect(page.get_by_text('There is no column "nothing".')).to_be_visible()
    page.get_by_label("Find trials").fill("")
    expect(rows).to_have_count(4)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Node").check()
    expect(page.get_by_role("columnheader", name="Node")).to_be_visible()
    assert "sort=metric+train_rmse" in page.url
    assert "column=node" in page.url

    # By keyboard: the first row is marked, in all views.
    page.get_by_role("grid").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(rows.first).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Unmark 1")).to_be_visible()
    page.get_by_label("Mark a range of").select_option("learning_rate")
    page.get_by_label("learning_rate, from").fill("0.05")
    page.get_by_label("learning_rate, from").press("Enter")
    expect(page.locator("tr[aria-selected=true] td:nth-child(2)")).to_have_text(["0"])
    page.get_by_label("Trials stand for their").select_option("best")
    expect(page.get_by_role("columnheader", name="best train_rmse")).to_be_visible()

    spent = page.get_by_role("region", name="Spent")
    expect(spent.locator("tr.best")).to_contain_text("7")
    page.get_by_text("The best configuration as").click()
    yaml = page.get_by_label("the best configuration as YAML", exact=True)
    expect(yaml).to_contain_text("strategy: single")
    expect_plots(page)
    check(page)
    assert complaints == []
    assert outside == []


def test_a_job_is_followed_as_it_trains(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    job = submit(store, settings, [0.1, 0.01], epochs=4)
    page.goto(f"{url}/#job/{job.id}")
    main = page.locator("main")
    expect(main).to_contain_text("0 of 8 epochs")
    expect(page.get_by_text("No trial has reported yet.")).to_be_visible()
    lease = claim(store)
    # A trial begins anew while its curve is being read: what is old of it is not kept.
    read: list[tuple[Route, APIResponse]] = []
    page.route("**/points?*", lambda route: read.append((route, route.fetch())), times=1)
    train(store, lease, 0, [9.0, 8.0, 7.0])
    expect(main).to_contain_text("3 of 8 epochs")

    def has_read() -> bool:
        page.wait_for_timeout(50)  # in which the route's handler is called
        return bool(read)

    until(has_read, within_s=20, what="the curves")
    # Of two choices the later one holds, although the curves for the first are there after it.
    for how in ("best", "last"):
        page.get_by_label("Trials stand for their").select_option(how)
    train(store, lease, 0, [2.0])
    expect(main).to_contain_text("1 of 8 epochs")
    for route, answer in read:
        route.fulfill(response=answer)
    panel = page.locator("[data-metric=train_rmse]")
    expect(panel).to_contain_text("1 curve")
    assert page.get_by_role("columnheader", name="best train_rmse").count() == 0
    panel.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    tip = panel.locator(".tip")

    def new_attempt() -> bool:
        page.keyboard.press("ArrowUp")  # its curve may still be on its way
        return tip.inner_text() == "epoch 1 · trial 0: 2.0000 (running)"

    until(new_attempt, within_s=20, what="the curve that began anew")
    # The curves grow: what was reported since is read at the keys.
    report(store, lease, 0, [1.5, 1.25], first=2)
    train(store, lease, 1, [3.0])
    expect(panel).to_contain_text("2 curves")
    store.finish_trial(lease, 1, TrialState.STOPPED)
    expect(page.locator("tbody.rows")).to_contain_text("stopped")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(tip).to_have_text("epoch 3 · trial 0: 1.2500 (running)")
    # So does a curve that was read already: what was said of it changes without a key.
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    train(store, lease, 0, [4.0])
    expect(tip).to_have_text("epoch 1 · trial 0: 4.0000 (running)")
    page.get_by_label("logarithmic").check()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h2")).to_contain_text("cancelling")
    store.finish_job(lease, JobState.CANCELLED)
    expect(page.locator("h2")).to_contain_text("cancelled")
    assert complaints == []


def test_a_sampled_search_is_watched_from_its_start(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    job = submit(store, settings, [], epochs=1, trials=3)
    lease = claim(store)
    store.add_trial(lease, NewTrial(0, {"learning_rate": 0.1}, 42))
    # Where nobody answers what the view asks for besides, it stays and asks again.
    page.route("**/api/v1/trainables", lambda route: route.abort(), times=1)
    page.goto(f"{url}/#/job/{job.id}")
    titles = page.locator("thead th[data-name]")
    rows = page.locator("tbody.rows tr")
    expect(titles).to_have_text(["Trial", "State", "Epochs", "Time"])
    expect(rows.locator("td")).to_have_text(["", "0", "queued", "0 of 1", "0.0 s"])
    # What is opened stays open, and tells of the buttons that there are.
    actions = page.get_by_role("region", name="Actions")
    actions.locator("summary").click()
    told = actions.locator("pre")
    commands = [f"argbest {verb} {job.id}" for verb in ("pause", "cancel", "priority")]
    expect(told).to_contain_text(commands)
    winner = page.get_by_role("region", name="Conclusion")
    winner.get_by_text("Export trials and curves").click()
    # Ranks that could not be read are read again.
    page.route("**/columns", lambda route: route.abort(), times=1)
    # Columns come into sight once they differ between trials; each cell stays under its title.
    for number, rate in enumerate((0.1, 0.01)):
        store.add_trial(lease, NewTrial(number, {"learning_rate": rate}, 42))
        train(store, lease, number, [3.0 - number])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
        expect(winner).to_contain_text(f"best: trial {number}")
    expect(winner.get_by_role("link", name="Optuna")).to_be_visible()
    names = ["learning_rate", "distance_to_analytic", "Time"]
    expect(titles).to_have_text(["Trial", "State", "Rank", "train_rmse", "Epochs", *names])
    cells = ["1 of 1", "0.1", "4.0000", "1.0 s"]
    expect(rows.first.locator("td")).to_have_text(["", "0", "succeeded", "2", "3.0000", *cells])
    expect(rows.nth(1).locator("td:nth-child(4)")).to_have_text("1")
    # Values of curves come when the curves are read.
    page.get_by_label("Trials stand for their").select_option("best")
    expect(titles.nth(3)).to_have_text("best train_rmse")
    store.add_trial(lease, NewTrial(2, {"learning_rate": 0.001}, 42))
    train(store, lease, 2, [5.0])
    expect(rows.nth(2).locator("td:nth-child(5)")).to_have_text("5.0000")

    store.finish_trial(lease, 2, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    expect(page.locator("#announcement")).to_have_text(f"{HOSTILE}: succeeded.")
    expect(told).to_contain_text([f"argbest confirm {job.id}", "curl", f"argbest extend {job.id}"])
    expect(page.get_by_role("region", name="Pictures").get_by_role("heading")).to_be_visible()
    expect(winner.get_by_role("link", name="Optuna")).to_be_visible()  # it was never drawn anew
    # A job that has ended goes on where somebody else has extended it.
    Jobs(store, Library(), settings).extend(job.id, ExtendRequest(trials=4))
    expect(page.locator("h2")).to_contain_text("queued")
    assert [text for text in complaints if "ERR_" not in text] == []


def test_very_many_trials(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    rates = [10 ** (-4 + 3 * number / 619) for number in range(620)]
    job = submit(store, settings, rates, epochs=400, scheduler="asha")
    lease = claim(store)
    asked: list[str] = []
    page.on("request", lambda request: "/points?" in request.url and asked.append(request.url))
    for number in range(100):
        train(store, lease, number, [2.0 + number, 1.0 + number])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    page.goto(f"{url}/#/job/{job.id}?sort=-trial")
    rows = page.locator("tbody.rows tr")
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "621")
    expect(rows.first.locator("td").nth(1)).to_have_text("619")
    assert rows.count() < 60
    grid.focus()
    page.keyboard.press("End")
    expect(rows.last.locator("td").nth(1)).to_have_text("0")
    assert rows.count() < 60
    panel = page.locator("[data-metric=train_rmse]")
    panel.scroll_into_view_if_needed()  # only then it reads its curves
    expect(panel).to_contain_text("100 curves: the bands hold 90 % and 50 % of them")
    # Of so many values some epochs are read first.
    assert [url.partition("&every=")[2] for url in asked] == ["3", "1"]
    panel.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".tip")).to_contain_text("median of 100: 51.5 ")
    panel.get_by_role("button", name="All values").click()
    panel.locator("canvas").dblclick()
    expect(panel.get_by_role("button", name="All values", pressed=False)).to_be_visible()
    rung = page.get_by_role("region", name="Rungs").locator("tbody tr").first
    expect(rung.locator("td")).to_have_text(["1", "100", "", "100", "100 %", "", ""])
    # A range on the first axis marks trials in the table.
    canvas = page.locator("canvas.front")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 70, box["y"] + 34 + 252 * 0.99)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 34 + 252 * 0.9, steps=3)
    # What the browser takes for scrolling is at its end.
    canvas.dispatch_event("pointercancel")
    page.mouse.move(box["x"] + 70, box["y"] + 34 + 252 * 0.1)
    page.mouse.up()
    page.get_by_label("marked only").check()
    unmark = page.get_by_role("button", name=re.compile(r"^Unmark \d"))
    total = int(unmark.inner_text().split()[1])
    assert 0 < total < 80  # in the range as it was when the browser took over
    expect(grid).to_have_attribute("aria-rowcount", str(total + 1))
    expect(page.locator("tr[aria-selected=false]")).to_have_count(0)
    unmark.click()
    expect(grid).to_have_attribute("aria-rowcount", "621")
    assert complaints == []


def test_a_search_with_two_objectives_shows_its_front(
    settings: Settings, store: Store, page: Page, url: str, complaints: list[str]
) -> None:
    metrics = "train_rmse", "distance_to_analytic"
    objectives = [{"metric": metric, "mode": "min"} for metric in metrics]
    job = submit(store, settings, [0.1, 0.01, 0.001], epochs=1, objectives=objectives)
    lease = claim(store)
    for number in range(3):
        store.start_trial(lease, number, node="here")
        values = dict(zip(metrics, (1.0 + number, 9.0 - number), strict=True))
        store.write_reports(lease, [EpochReport(number, 0, 1, values, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    page.goto(f"{url}/#/job/{job.id}")
    card = page.get_by_label("Conclusion")
    expect(card).to_contain_text("The Pareto front")
    expect(card.locator("tbody tr")).to_have_count(3)
    expect(card.locator("tbody tr").first).to_have_text("01.00009.0000learning_rate 0.1")
    assert complaints == []


def test_trials_are_listed_by_state_and_repeats_have_means(
    store: Store, settings: Settings, page: Page, url: str, complaints: list[str]
) -> None:
    plan = Jobs(store, Library(), settings).plan(JobRequest(search_space="q2_linear_regression"))
    spec = replace(plan.spec, trials=4, space=replace(plan.spec.space, repeats=2))
    trials = [
        NewTrial(n, {"learning_rate": 0.01}, 42 + n % 2, configuration=n - n % 2) for n in range(4)
    ]
    job = store.create_job(spec, fingerprint="repeats", trials=trials)
    lease = claim(store)
    for number, error in enumerate((1.0, 2.0, 3.0, 4.0)):
        train(store, lease, number, [error])
    for number in (0, 1):
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_trial(lease, 2, TrialState.STOPPED)
    store.pause_trial(lease, 3)
    page.goto(f"{url}/#job/{job.id}")
    expect(page.get_by_text("best: trial 0, train_rmse 1.5000 ± 0.7071 (n = 2)")).to_be_visible()
    expect(page.locator("tr.best td")).to_contain_text(["1.5000 ± 0.7071 (n = 2)"])
    states = page.get_by_role("group", name="States").get_by_role("button")
    expect(states).to_have_text(["all 4", "1 paused", "2 succeeded", "1 stopped"])
    states.nth(3).click()
    rows = page.locator("tbody.rows tr")
    expect(rows).to_have_count(1)
    expect(rows.locator("td").nth(2)).to_have_text("stopped")
    expect(states.nth(3)).to_have_attribute("aria-pressed", "true")
    store.finish_trial(lease, 3, TrialState.STOPPED)
    expect(rows).to_have_count(2)
    states.nth(0).click()
    expect(rows).to_have_count(4)
    assert complaints == []


def test_a_page_whose_stream_broke_goes_on_after_the_last_change(
    settings: Settings, store: Store, page: Page, url: str
) -> None:
    job = submit(store, settings, [0.1, 0.01], epochs=2)
    page.clock.install()
    asked: list[str | None] = []

    def see(route: Route) -> None:
        asked.append(route.request.headers.get("last-event-id"))
        if len(asked) == 1:
            route.fulfill(content_type="text/event-stream", body="")
        else:
            route.continue_()

    last = store.last_event()
    page.route("**/events", see)
    page.goto(f"{url}/#job/{job.id}")
    expect(page.locator("h2")).to_contain_text("queued")
    train(store, claim(store), 1, [0.5])
    page.clock.run_for(3_000)
    expect(page.locator("tbody.rows")).to_contain_text("running")
    assert asked == [str(last)] * 2
