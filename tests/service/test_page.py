"""The page in a real browser: headless Chromium draws it from the real API and store."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from results.records import EpochReport
from results.states import JobState, TrialState
from results.store.base import Store
from search_spaces import Library
from service.api import create_app
from service.jobs import Jobs
from service.schemas import JobRequest
from service.settings import Settings
from tests.service.running import free_port, until

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=5000",
)  # fmt: skip

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


@pytest.fixture
def url(settings: Settings, store: Store) -> Iterator[str]:
    port = free_port()
    config = uvicorn.Config(create_app(settings, store), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, within_s=20, what="the API listens")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


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


def dom(url: str, profile: Path) -> str:
    """Return the page's document as the browser has drawn it."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_list_shows_the_job_and_escapes_its_name(url: str, job_id: str, tmp_path: Path) -> None:
    shown = dom(f"{url}/", tmp_path / "profile")
    assert f'href="#job/{job_id}"' in shown
    assert "&lt;b&gt;rates&lt;/b&gt;" in shown
    assert "validation_accuracy 0.875" in shown


def test_a_job_shows_its_trials_its_best_and_its_plots(
    url: str, job_id: str, tmp_path: Path
) -> None:
    shown = dom(f"{url}/#job/{job_id}", tmp_path / "profile")
    assert "best: trial 1, validation_accuracy 0.875" in shown
    assert shown.count("<tr") == 3
    assert shown.count('class="best"') == 1
    assert f"/api/v1/jobs/{job_id}/plots/train_loss.svg" in shown
    assert 'role="alert"' not in shown
