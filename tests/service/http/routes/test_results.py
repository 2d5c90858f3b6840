"""The results of a job: best configuration, curves, reports, plots and log."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shlex
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from results.plots.names import plot_name
from results.records import Checkpoint, EpochReport, Lease, NewTrial
from results.states import JobState, TrialState
from results.storage import Storage
from results.store import Store
from service.api import create_app
from service.client.client import Client
from service.client.errors import ServerUnreachable, UnexpectedAnswer
from service.settings import Settings
from tests.service.http.samples import METRICS, metrics_at, run, submit
from tests.service.http.serving import served
from tests.service.stand_ins import claim


def test_the_command_of_the_best_configuration_is_the_single_run_itself(
    client: TestClient, store: Store
) -> None:
    single = {"search_space": "q4_feedforward", "strategy": "single", "epochs": 1}
    job = client.post("/api/v1/jobs", json=single).json()
    lease = store.claim_job("test", 60)
    assert lease is not None
    attempt = store.start_trial(lease, 0, node="here")
    store.write_reports(lease, [EpochReport(0, attempt, 1, metrics_at(1, 0.5), 1.0)])
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    command = shlex.split(client.get(f"/api/v1/jobs/{job['id']}/best?format=curl").text)
    again = client.post("/api/v1/jobs", json=json.loads(command[-1])).json()
    assert again["fingerprint"] == job["fingerprint"]


def test_results_of_a_finished_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    assert client.get(f"/api/v1/jobs/{job_id}/best").status_code == 409
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}"
    job = client.get(base).json()
    assert job["state"] == "succeeded"
    assert job["progress"]["epochs_done"] == job["progress"]["epochs_total"] == 9
    best = client.get(f"{base}/best").json()
    assert job["best"].items() <= best.items()
    assert (best["confirmation"], best["spent"]["useful"]["trials"]) == (None, 3)
    assert (best["trial"], best["metric"], best["value"]) == (1, "validation_accuracy", 0.9)
    assert client.get(f"{base}/trials/1/curve").json()["epoch"] == [1, 2, 3]
    curves = client.get(f"{base}/curves")
    assert curves.headers["content-type"] == "application/json"
    assert curves.json()["next_cursor"] is None
    assert curves.json()["items"] == [
        {"trial": number, **client.get(f"{base}/trials/{number}/curve").json()}
        for number in range(3)
    ]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{base}/curves?format=csv").text)))
    assert len(rows) == 9
    assert list(rows[0]) == ["trial", "epoch", *METRICS]
    assert [row["validation_accuracy"] for row in rows] == ["0.7"] * 3 + ["0.9"] * 3 + ["0.8"] * 3
    assert "learning_rate: 0.01" in client.get(f"{base}/best?format=yaml").text
    command = client.get(f"{base}/best?format=curl").text
    assert command.startswith("curl")
    assert "http://testserver/api/v1/jobs" in command


def test_a_job_is_exported_for_other_programs(
    client: TestClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    job_id = submit(client)["id"]
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}"
    tables = client.get(f"{base}/export?format=csv")
    assert tables.headers["content-type"] == "application/zip"
    assert f'filename="{job_id}-csv.zip"' in tables.headers["content-disposition"]
    assert tables.headers["etag"] == f'"{hashlib.sha256(tables.content).hexdigest()}"'
    with zipfile.ZipFile(io.BytesIO(tables.content)) as archive:
        trials = archive.read("trials.csv")
    assert trials == client.get(f"{base}/trials?format=csv").content
    for kind in ("optuna", "parquet", "tensorboard"):
        assert client.get(f"{base}/export?format={kind}").status_code == 200
    assert client.get(f"{base}/export").status_code == 422
    assert client.get("/api/v1/jobs/none/export?format=csv").status_code == 404
    assert list(tmp_path.glob("argbest-export-*")) == []


def keep_model(store: Store, settings: Settings, lease: Lease, trial: int, content: bytes) -> None:
    """Do what a trial does with its last checkpoint."""
    name = f"jobs/{lease.job_id}/{trial}/last.npz"
    path = settings.data_dir / "state"
    path.write_bytes(content)
    Storage(settings.storage_uri).save(name, path)
    digest = hashlib.sha256(content).hexdigest()
    store.add_checkpoint(lease, Checkpoint(trial, 1, 0.5, name, len(content), digest))


def test_the_models_of_the_best_trials_are_fetched(
    client: TestClient, store: Store, settings: Settings
) -> None:
    job_id = submit(client, keep=2)["id"]
    base = f"/api/v1/jobs/{job_id}"
    assert client.get(f"{base}/best/model").status_code == 409
    lease = claim(store)
    models = {0: b"zero", 1: 3 * 2**20 * b"1"}
    for trial, accuracy in ((0, 0.5), (1, 0.75), (2, 0.25)):
        attempt = store.start_trial(lease, trial, node="here")
        metrics = metrics_at(1, accuracy)
        store.write_reports(lease, [EpochReport(trial, attempt, 1, metrics, 0.5)])
        if trial in models:
            keep_model(store, settings, lease, trial, models[trial])
        store.finish_trial(lease, trial, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    best = client.get(f"{base}/best/model")
    assert client.get(client.get(base).json()["links"]["model"]).content == best.content
    assert best.content == models[1]
    assert best.headers["content-length"] == str(len(models[1]))
    assert best.headers["content-disposition"] == f'attachment; filename="{job_id}-1.npz"'
    assert best.headers["etag"] == f'"{hashlib.sha256(models[1]).hexdigest()}"'
    assert client.get(f"{base}/trials/0/model").content == b"zero"
    without = client.get(f"{base}/trials/2/model")
    assert without.status_code == 404
    assert "it is the job's number 3, and `keep` is 2" in without.json()["detail"]
    assert client.get(f"{base}/trials/7/model").status_code == 404
    Storage(settings.storage_uri).delete_folder("jobs")
    gone = client.get(f"{base}/best/model")
    assert (gone.status_code, "is not in the storage" in gone.json()["detail"]) == (404, True)
    assert "a storage that API and workers share" in gone.json()["hint"]


def test_best_says_which_trial_is_nearest_where_all_break_a_constraint(
    client: TestClient, store: Store
) -> None:
    limit = {"metric": "validation_accuracy", "at_least": 0.95}
    job_id = submit(client, constraints=[limit])["id"]
    run(store, job_id)
    for path in ("best", "best?format=yaml", "best/model"):
        answer = client.get(f"/api/v1/jobs/{job_id}/{path}")
        assert answer.status_code == 409
        assert (
            "none of 3 succeeded trials meets the constraints; nearest is trial 1:"
            " validation_accuracy is 0.9000, and must be at least 0.9500"
        ) in answer.json()["detail"]
        assert answer.json()["hint"] == "submit the search again with wider constraints"
    trials = client.get(f"/api/v1/jobs/{job_id}/trials").json()["items"]
    assert [len(trial["violations"]) for trial in trials] == [1, 1, 1]
    assert [trial["rank"] for trial in trials] == [None, None, None]


def test_a_finished_search_without_a_best_trial_may_go_on(client: TestClient, store: Store) -> None:
    limit = {"metric": "validation_accuracy", "at_least": 0.95}
    sampled = {"strategy": "tpe", "parameters": {"learning_rate": {"low": 0.001, "high": 0.1}},
               "trials": 3, "constraints": [limit]}  # fmt: skip
    job_id = submit(client, **sampled)["id"]
    lease = store.claim_job("test", 60)
    assert lease is not None
    store.add_trial(lease, NewTrial(0, {"learning_rate": 0.01}, 42))
    attempt = store.start_trial(lease, 0, node="here")
    metrics = {"validation_accuracy": 0.9}
    store.write_reports(
        lease, [EpochReport(0, attempt, epoch, metrics, 1.0) for epoch in (1, 2, 3)]
    )
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    running = client.get(f"/api/v1/jobs/{job_id}/best").json()["hint"]
    assert running.startswith("wait for more trials, or ")
    store.finish_job(lease, JobState.SUCCEEDED)
    finished = client.get(f"/api/v1/jobs/{job_id}/best").json()["hint"]
    assert "wait" not in finished
    assert f"or run more trials: POST .../extend (`argbest extend {job_id} --trials N`)" in finished


def test_a_wrong_format_names_the_right_ones(client: TestClient) -> None:
    job_id = submit(client)["id"]
    for path in ("trials", "trials/0/curve", "request", "best", "curves", "report", "export"):
        answer = client.get(f"/api/v1/jobs/{job_id}/{path}?format=xml")
        assert answer.status_code == 422
        assert answer.json()["hint"].startswith("give '")


def test_best_of_several_objectives_lists_the_front(client: TestClient, store: Store) -> None:
    objectives = [
        {"metric": "validation_accuracy", "mode": "max"},
        {"metric": "seconds", "mode": "min"},
    ]
    one, several = submit(client)["id"], submit(client, objectives=objectives)["id"]
    run(store, one)
    run(store, several)
    assert "front" not in client.get(f"/api/v1/jobs/{one}/best").json()
    best = client.get(f"/api/v1/jobs/{several}/best").json()
    # All trials took one second.
    assert [(each["trial"], each["objectives"]) for each in best["front"]] == [
        (1, {"validation_accuracy": 0.9, "seconds": 1.0})
    ]
    assert (best["trial"], best["n"], best["standard_deviation"]) == (1, 1, None)


@pytest.mark.parametrize(
    ("keep", "number", "reason"),
    [
        (0, 0, "the job's `keep` is 0"),
        (1, 0, "torch_logistic_regression handed over no state"),
        (1, 1, "it has not succeeded"),
        (1, 2, "it is the job's number 2, and `keep` is 1"),
    ],
)
def test_a_missing_model_is_explained(
    client: TestClient, store: Store, keep: int, number: int, reason: str
) -> None:
    job_id = submit(client, keep=keep)["id"]
    lease = claim(store)
    for trial, accuracy in ((0, 0.75), (1, 0.25), (2, 0.5)):
        attempt = store.start_trial(lease, trial, node="here")
        metrics = metrics_at(1, accuracy)
        store.write_reports(lease, [EpochReport(trial, attempt, 1, metrics, 0.5)])
        if trial != 1:
            store.finish_trial(lease, trial, TrialState.SUCCEEDED)
    answer = client.get(f"/api/v1/jobs/{job_id}/trials/{number}/model")
    assert answer.status_code == 404
    assert reason in answer.json()["detail"]
    assert answer.json()["hint"]
    if number == 0:
        best = client.get(f"/api/v1/jobs/{job_id}/best/model")
        assert (best.status_code, best.json()["detail"]) == (404, answer.json()["detail"])


def test_the_client_downloads_a_model_whole_or_not_at_all(
    client: TestClient, store: Store, settings: Settings, tmp_path: Path
) -> None:
    job_id = submit(client)["id"]
    lease = claim(store)
    attempt = store.start_trial(lease, 0, node="here")
    store.write_reports(lease, [EpochReport(0, attempt, 1, metrics_at(1, 0.5), 0.5)])
    content, path = os.urandom(3_000_000), tmp_path / "model.npz"
    keep_model(store, settings, lease, 0, content)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    with served(settings, store) as url, Client(url) as real:
        real.model(job_id, path)
        assert path.read_bytes() == content
        stored = settings.data_dir / "storage" / "jobs" / job_id / "0" / "last.npz"
        stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(UnexpectedAnswer, match="arrived damaged"):
            real.model(job_id, path)
        stored.write_bytes(content[:2_000_000])
        with pytest.raises(ServerUnreachable, match="broke the connection"):
            real.model(job_id, path)
    assert path.read_bytes() == content
    assert list(tmp_path.glob("model.npz*")) == [path]


def test_a_storage_that_cannot_be_read_is_a_503(settings: Settings, store: Store) -> None:
    file = settings.data_dir / "file"
    file.write_bytes(b"")
    broken = settings.model_copy(update={"storage": str(file)})
    with TestClient(create_app(broken, store)) as client:
        job_id = submit(client)["id"]
        lease = claim(store)
        attempt = store.start_trial(lease, 0, node="here")
        store.write_reports(lease, [EpochReport(0, attempt, 1, metrics_at(1, 0.5), 0.5)])
        keep_model(store, settings, lease, 0, b"model")
        store.finish_trial(lease, 0, TrialState.SUCCEEDED)
        answer = client.get(f"/api/v1/jobs/{job_id}/best/model")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert str(file) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("report_format", "start"), [("html", b"<!"), ("md", b"#"), ("json", b"{"), ("pdf", b"%PDF")]
)
def test_reports(client: TestClient, store: Store, report_format: str, start: bytes) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/report", params={"format": report_format})
    assert answer.status_code == 200
    assert answer.content.lstrip().startswith(start)


def test_metrics_of_some_epochs_are_shown_drawn_and_exported(
    client: TestClient, store: Store
) -> None:
    """Common training code validates every few epochs, and logs more than it declares."""
    job_id = submit(client, epochs=4)["id"]
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number in range(3):
        attempt = store.start_trial(lease, number, node="here")
        for epoch in (1, 2, 3, 4):
            metrics = {"train_loss": 1 / epoch}
            metrics |= {"validation_accuracy": 0.5 + number / 10} if epoch % 2 == 0 else {}
            metrics |= {"lr": 0.1} if epoch == 3 else {}
            store.write_reports(lease, [EpochReport(number, attempt, epoch, metrics, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    base = f"/api/v1/jobs/{job_id}"
    curve = client.get(f"{base}/trials/0/curve").json()
    assert curve == {
        "epoch": [1, 2, 3, 4],
        "train_loss": [1.0, 0.5, 1 / 3, 0.25],
        "validation_accuracy": [None, 0.5, None, 0.5],
        "lr": [None, None, 0.1, None],
    }
    assert client.get(f"{base}/curves").json()["items"][0] == {"trial": 0, **curve}
    for path in ("curves", "trials/0/curve"):
        rows = list(csv.DictReader(io.StringIO(client.get(f"{base}/{path}?format=csv").text)))
        assert [row["validation_accuracy"] for row in rows[:4]] == ["", "0.5", "", "0.5"]
        assert [row["lr"] for row in rows[:4]] == ["", "", "0.1", ""]
    assert client.get(f"{base}/trials/0").json()["metrics"]["lr"] == 0.1
    assert client.get(f"{base}/best").json()["value"] == 0.7
    names = [plot["name"] for plot in client.get(f"{base}/plots").json()["items"]]
    assert {"train_loss", "validation_accuracy", "lr"} <= set(names)
    for name in names:
        assert client.get(f"{base}/plots/{name}.svg").status_code == 200, name
    for report_format in ("html", "md", "json", "pdf"):
        answer = client.get(f"{base}/report", params={"format": report_format})
        assert answer.status_code == 200, report_format


def test_plots(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}/plots"
    names = [plot["name"] for plot in client.get(base).json()["items"]]
    assert {"train_loss", "validation_accuracy"} <= set(names)
    assert client.get(f"{base}/train_loss.png").content.startswith(b"\x89PNG")
    assert b"<svg" in client.get(f"{base}/train_loss.svg").content
    assert client.get(f"{base}/nothing.svg").status_code == 404
    assert client.get(f"{base}/train_loss.exe").status_code == 422


def test_a_log_that_cannot_be_read_or_removed_is_reported(
    client: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = submit(client)["id"]
    assert client.get(f"/api/v1/jobs/{job_id}/log").text == ""
    settings.log_file(job_id).mkdir(parents=True)
    answer = client.get(f"/api/v1/jobs/{job_id}/log")
    assert answer.status_code == 503
    assert f"{job_id}.log cannot be read: Is a directory" in answer.json()["detail"]
    client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert f"logs of job {job_id} are left behind" in caplog.text
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_plots_of_metrics_with_any_name_are_found(client: TestClient, store: Store) -> None:
    """A metric's name may hold a slash, dots, spaces and letters of any language."""
    job_id = submit(client, trials=None)["id"]
    lease = store.claim_job("test", 60)
    assert lease is not None
    names = ["val/loss", "loss.v2", "Größe µ", "a b", "100 %", "q?z#1"]
    for number in range(3):
        attempt = store.start_trial(lease, number, node="here")
        for epoch in (1, 2):
            metrics = metrics_at(epoch, 0.5) | dict.fromkeys(names, epoch + number)
            store.write_reports(lease, [EpochReport(number, attempt, epoch, metrics, 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    base = f"/api/v1/jobs/{job_id}/plots"
    listed = [plot["name"] for plot in client.get(base).json()["items"]]
    assert {plot_name(name) for name in names} <= set(listed)
    for name in listed:
        answer = client.get(f"{base}/{quote(name, safe='')}.svg")
        assert (answer.status_code, b"<svg" in answer.content) == (200, True), name
