"""The command line against the real API and a real store; only Ray is left out.

A thread does what a controller and its drivers do, with made-up curves in place of training.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
import uvicorn
from click.testing import CliRunner, Result

from handin import TASKS
from results.records import EpochReport, Failure, JobRecord
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from service.api import create_app
from service.cli import main
from service.settings import Settings
from tests.handin.handin_runs import SVG
from trainables import registry


class Runner(threading.Thread):
    """Runs every queued job at once; those whose trainable is in ``breaking`` fail."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.breaking: set[str] = set()
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            lease = self.store.claim_job("runner", 60)
            if lease is None:
                continue
            job = self.store.job(lease.job_id)
            broken = job.spec.space.trainable in self.breaking
            failure = Failure(FailureKind.DIVERGED, "train_loss is NaN") if broken else None
            for trial in self.store.trials(job.id):
                attempt = self.store.start_trial(lease, trial.number, node="here")
                reports = [] if broken else _reports(job, trial.number, attempt)
                self.store.write_reports(lease, reports)
                state = TrialState.FAILED if broken else TrialState.SUCCEEDED
                self.store.finish_trial(lease, trial.number, state, failure)
            end = JobState.FAILED if broken else JobState.SUCCEEDED
            self.store.finish_job(lease, end, failure)


def _reports(job: JobRecord, number: int, attempt: int) -> list[EpochReport]:
    """Curves that improve with the epoch, the later trials a little better."""
    metrics = registry.get(job.spec.space.trainable).metrics

    def value(mode: str, epoch: int) -> float:
        falling = 1 / (1 + epoch) - 0.01 * number
        return falling if mode == "min" else 1 - falling

    return [
        EpochReport(
            number, attempt, epoch, {m.name: value(m.mode, epoch) for m in metrics}, float(epoch)
        )
        for epoch in range(1, job.spec.space.epochs + 1)
    ]


@contextmanager
def listening(settings: Settings, store: Store) -> Iterator[str]:
    config = uvicorn.Config(
        create_app(settings, store), port=0, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def runner(store: Store) -> Iterator[Runner]:
    thread = Runner(store)
    thread.start()
    yield thread
    thread.stopped.set()
    thread.join()


@pytest.fixture
def url(settings: Settings, store: Store, runner: Runner) -> Iterator[str]:
    with listening(settings, store) as served:
        yield served


def run(url: str, *args: str) -> Result:
    result = CliRunner().invoke(main, ["--url", url, *args])
    unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
    assert not unexpected, result.exception
    return result


def test_whole_life_of_a_job(url: str, tmp_path: Path) -> None:
    command = ["q4_logistic_regression", "--epochs", "2", "--set", "batch_size=8", "--tag", "a=b"]
    planned = run(url, "plan", *command)
    assert len(planned.stdout.splitlines()) == 4, planned.stderr
    submitted = run(url, "submit", *command, "--wait")
    assert submitted.exit_code == 0, submitted.stderr
    job = submitted.stdout.strip()
    assert "3/3 trials, 6/6 epochs; best validation_accuracy=" in submitted.stderr
    assert run(url, "watch", job).exit_code == 0
    assert job in run(url, "ls", "--state", "succeeded").stdout
    assert json.loads(run(url, "show", job, "--json").stdout)["spec"]["tags"] == {"a": "b"}
    assert len(run(url, "trials", job).stdout.splitlines()) == 4
    assert run(url, "trials", job, "--csv").stdout.count("\n") == 4
    assert json.loads(run(url, "best", job, "--json").stdout)["trial"] == 2
    assert "curl" in run(url, "best", job, "--format", "curl").stdout
    assert "batch_size: 8" in run(url, "best", job, "--format", "yaml").stdout
    assert len(run(url, "curve", job, "0").stdout.splitlines()) == 3
    assert run(url, "logs", job).exit_code == 0
    for suffix, start in ((".html", b"<!"), (".md", b"#"), (".json", b"{"), (".pdf", b"%PDF")):
        path = tmp_path / f"report{suffix}"
        written = run(url, "report", job, "-o", str(path))
        assert written.exit_code == 0, written.stderr
        assert path.read_bytes().lstrip().startswith(start)
    plots = run(url, "plots", job, "-d", str(tmp_path), "--format", "svg").stdout.split()
    assert tmp_path / "validation_accuracy.svg" in map(Path, plots)
    assert all(Path(path).stat().st_size for path in plots)
    assert run(url, "cancel", job).exit_code == 4
    assert run(url, "rm", job).exit_code == 0
    assert run(url, "show", job).exit_code == 4


def test_refusals_of_the_real_server(url: str) -> None:
    unknown = run(url, "submit", "q4_feedforwrd")
    assert unknown.exit_code == 2
    assert "q4_feedforward" in unknown.stderr
    wrong = run(url, "submit", "q4_feedforward", "--set", "dropout=2", "--epochs", "0")
    assert wrong.exit_code == 2
    assert "epochs:" in wrong.stderr
    wrong = run(url, "submit", "q4_feedforward", "--set", "dropout=2")
    assert "parameters.dropout:" in wrong.stderr
    assert run(url, "ls", "--cursor", "no cursor").exit_code == 2


def test_catalog_of_the_real_server(url: str) -> None:
    assert "q4_grid" in run(url, "spaces").stdout
    assert "trainable: numpy_mlp" in run(url, "spaces", "q3_mlp").stdout
    assert "torch_feedforward" in run(url, "trainables").stdout
    assert (
        "float" in (text := run(url, "trainables", "torch_feedforward").stdout) or "number" in text
    )
    assert run(url, "version").exit_code == 0
    parts = run(url, "doctor", "--json")
    states = {item["name"]: item["state"] for item in json.loads(parts.stdout)["items"]}
    # The settings name a Ray that is not there.
    assert (parts.exit_code, states["server's ray"], states["server's database"]) == (
        1,
        "broken",
        "ok",
    )


def test_handin_says_what_failed_and_then_runs_only_that_again(
    url: str, store: Store, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawn in 0.2 s each elsewhere.
    monkeypatch.setattr("service.http.drawings.draw", lambda *_: SVG)
    path = tmp_path / "handin.pdf"
    runner.breaking = {"numpy_mlp", "torch_feedforward"}
    first = run(url, "handin", "-o", str(path), "--epochs", "1")
    assert (first.exit_code, first.stdout) == (1, "")
    assert "diverged: train_loss is NaN" in first.stderr
    assert path.read_bytes().startswith(b"%PDF")
    failed = {job.id for job in store.jobs(state=JobState.FAILED).items}
    runner.breaking = set()
    again = run(url, "handin", "-o", str(path), "--epochs", "1")
    assert again.exit_code == 0, again.stderr
    assert again.stderr.count("is used again") == len(TASKS) - len(failed) == 5
    pages = pypdf.PdfReader(BytesIO(path.read_bytes())).pages
    text = "".join(page.extract_text() for page in pages)
    assert [task.question for task in TASKS if task.question not in text] == []
    succeeded = [job.id for job in store.jobs(state=JobState.SUCCEEDED).items]
    assert len(succeeded) == len(TASKS)
    assert [job for job in succeeded if job not in text.replace("\n", "")] == []


def test_handin_that_could_not_be_written_submits_nothing(
    url: str, store: Store, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "missing" / "handin.pdf"):
        assert run(url, "handin", "-o", str(path)).exit_code == 2
    assert store.jobs().items == ()
