"""The page in a real browser: headless Chromium draws it from the real API and store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from results.records import EpochReport, NewTrial, TokenScope
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import Library
from service.api import create_app
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.page.browser import CHROMIUM, Page, browser
from tests.service.running import free_port, until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@contextmanager
def served(settings: Settings, store: Store) -> Iterator[str]:
    port = free_port()
    config = uvicorn.Config(
        create_app(settings, store), port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, within_s=20, what="the API listens")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(settings: Settings, store: Store) -> Iterator[str]:
    with served(settings, store) as url:
        yield url


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
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number, accuracy in enumerate((0.75, 0.875)):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"train_loss": 0.5, "validation_accuracy": accuracy, "test_accuracy": accuracy}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return job.id


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        yield page


def test_the_list_shows_the_job_and_escapes_its_name(url: str, job_id: str, page: Page) -> None:
    page.open(f"{url}/")
    shown = page.shows("validation_accuracy 0.875")
    assert f'href="#job/{job_id}"' in shown
    assert "&lt;b&gt;rates&lt;/b&gt;" in shown
    assert page.complaints == []


def test_a_job_shows_its_trials_its_best_and_its_plots(url: str, job_id: str, page: Page) -> None:
    page.open(f"{url}/#job/{job_id}")
    shown = page.shows(f"/api/v1/jobs/{job_id}/plots/train_loss.svg")
    assert "best: trial 1, validation_accuracy 0.875" in shown
    assert shown.count("<tr") == 3
    assert shown.count('class="best"') == 1
    assert 'role="alert"' not in shown
    plots_drawn(page)
    assert page.complaints == []


def plots_drawn(page: Page) -> None:
    """Wait until every plot has been drawn with a size of its own."""
    drawn = "[...document.images].filter((image) => image.naturalWidth > 100).length"
    until(lambda: page.run(drawn) >= 3, within_s=20, what="the plots drawn")
    assert page.run("document.images.length") == page.run(drawn)


def test_with_tokens_the_page_asks_for_one_and_keeps_it_in_the_tab(
    settings: Settings, store: Store, job_id: str, page: Page
) -> None:
    secret = store.create_token("browser", TokenScope.SUBMIT).secret
    with served(settings.model_copy(update={"auth": "on"}), store) as url:
        page.open(f"{url}/#job/{job_id}")
        shown = page.shows("argbest token create NAME")
        assert "rates" not in shown
        _give(page, "argb_wrong")
        page.shows("the token is unknown, revoked or expired")
        assert page.run("sessionStorage.length") == 0
        _give(page, secret)
        page.shows("best: trial 1, validation_accuracy 0.875")
        plots_drawn(page)
        assert page.run("[localStorage.length, document.cookie, location.search]") == [0, "", ""]
        page.open(f"{url}/")
        assert secret not in page.shows("validation_accuracy 0.875")
        store.revoke_token("browser")
        page.shows("the token is unknown, revoked or expired")
    assert not [text for text in page.complaints if "Content Security Policy" in text]


def test_events_are_followed_as_they_happen(
    settings: Settings, store: Store, page: Page, url: str
) -> None:
    request = JobRequest(search_space="q2_linear_regression", epochs=2)
    job = Jobs(store, Library(), settings).submit(request)
    page.open(f"{url}/#job/{job.id}")
    page.shows("0 of 2 epochs")
    lease = store.claim_job("test", 60)
    assert lease is not None
    attempt = store.start_trial(lease, 0, node="here")
    metrics = {"train_rmse": 0.5, "test_rmse": 0.625, "distance_to_analytic": 1.0}
    store.write_reports(lease, [EpochReport(0, attempt, 1, metrics, 1.0)])
    assert "0.625" in page.shows("1 of 2 epochs")
    page.run(
        "[...document.querySelectorAll('button')].find((b) => b.innerText === 'Cancel').click()"
    )
    page.shows("cancelling")
    store.finish_job(lease, JobState.CANCELLED)
    page.shows("cancelled")


def test_of_very_many_trials_those_that_run_and_the_best_are_listed(
    settings: Settings, store: Store, page: Page, url: str
) -> None:
    plan = Jobs(store, Library(), settings).plan(JobRequest(search_space="q2_linear_regression"))
    trials = [NewTrial(number, {"learning_rate": 0.1 / (number + 1)}, 42) for number in range(620)]
    job = store.create_job(
        replace(plan.spec, name="many", trials=len(trials)), fingerprint="many", trials=trials
    )
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number, error in ((617, 0.75), (618, 0.5), (619, 0.25)):
        attempt = store.start_trial(lease, number, node="here")
        metrics = {"train_rmse": error}
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 1.0)])
    for number in (617, 618):
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    page.open(f"{url}/#job/{job.id}")
    shown = page.shows("500 of 620 trials, the running ones and then the best")
    assert f'href="/api/v1/jobs/{job.id}/trials?format=csv"' in shown
    rows = "[...document.querySelectorAll('tbody tr')].map((row) => row.cells[0].innerText)"
    # The trials come one by one.
    until(lambda: page.run(rows)[:4] == ["619", "618", "617", "0"], within_s=20, what="in order")
    assert len(page.run(rows)) == 500


def test_the_docs_are_drawn_from_this_host_alone(url: str, page: Page) -> None:
    page.open(f"{url}/docs")
    page.shows("/api/v1/jobs/{job_id}")
    loaded = page.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) >= 4
    assert [name for name in loaded if not name.startswith((url, "data:"))] == []
    assert page.complaints == []


def test_a_page_that_was_left_while_it_loaded_draws_no_more(
    url: str, job_id: str, page: Page
) -> None:
    page.open(f"{url}/")
    page.shows("validation_accuracy 0.875")
    # Held back: the first request after each change of route, until the other route is there.
    page.run(
        "(() => { const real = fetch; window.held = []; window.fetch = async (...all) => {"
        " if (all[0].endsWith('limit=100'))"
        " await new Promise((go) => window.held.push(go)); return real(...all); }; })()"
    )
    page.run("location.hash = 'other'")
    until(lambda: page.run("held.length > 0"), within_s=20, what="the list asked for")
    page.run(f"location.hash = 'job/{job_id}'")
    page.shows("best: trial 1, validation_accuracy 0.875")
    page.run("held.forEach((go) => go())")
    time.sleep(3)  # longer than the list waits before it draws itself anew
    assert page.run("document.querySelector('h2').innerText").startswith("<b>rates</b>")
    assert page.run("held.length") <= 2


def _give(page: Page, token: str) -> None:
    page.run(f"document.querySelector('input').value = {token!r}")
    page.run("document.querySelector('form').requestSubmit()")
