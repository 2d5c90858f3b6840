"""The API is killed and comes back while two tabs follow a job; Ray does not answer at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from playwright.sync_api import Page, expect

from results.records import EpochReport, Lease
from results.store import Store
from search_spaces import Library
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.service.http.serving import served
from tests.service.running import until
from tools.ports import free_port

LOST = "The connection to the server is lost"


@contextmanager
def api_process(settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """An API in a process of its own, without a controller and without Ray."""
    factory = "service.api:standalone_app"
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port)]
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port), within_s=120, what="the API answers")
            yield process
        finally:
            process.kill()


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def report(store: Store, lease: Lease, epochs: range) -> None:
    reports = [EpochReport(0, 0, e, {"train_rmse": 1 / e}, float(e)) for e in epochs]
    store.write_reports(lease, reports)


def test_two_tabs_go_on_after_the_api_was_killed(
    settings: Settings, store: Store, page: Page, complaints: list[str]
) -> None:
    request = JobRequest(search_space="q2_linear_regression", epochs=9)
    job = Jobs(store, Library(), settings).submit(request)
    lease = store.claim_job("test", 600)
    assert lease is not None
    store.start_trial(lease, 0, node="here")
    report(store, lease, range(1, 3))
    other, port = page.context.new_page(), free_port()
    with api_process(settings, port) as process:
        url = f"http://127.0.0.1:{port}"
        page.goto(f"{url}/#/job/{job.id}")
        other.goto(f"{url}/#/job/{job.id}/trial/0")
        expect(page.locator("main")).to_contain_text("2 of 9")
        expect(other.locator("main")).to_contain_text("2 of 9")
        process.kill()
        process.wait()
        for tab in (page, other):
            expect(tab.get_by_text(LOST)).to_be_visible()
            expect(tab.locator("main")).to_contain_text("2 of 9")  # what is known stays
    report(store, lease, range(3, 6))  # trials train on meanwhile
    with served(settings, store, port=port):
        for tab in (page, other):
            expect(tab.locator("main")).to_contain_text("5 of 9")
            expect(tab.get_by_text(LOST)).to_be_hidden()
        # What one tab does, the other one sees.
        page.get_by_role("button", name="Pause").first.click()
        expect(page.locator("main")).to_contain_text("pausing")
        other.goto(f"{url}/#/cluster")
        expect(other.locator("main")).to_contain_text("pausing")
        expect(other.locator("main")).to_contain_text("waiting for Ray")
        other.close()
    assert [text for text in complaints if "ERR_" not in text] == []
