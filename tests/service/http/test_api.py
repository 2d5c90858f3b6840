"""The HTTP contract over a real store: jobs are accepted, shown, paged, cancelled and deleted."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.analysis import MOST_SHOWN
from results.records import EpochReport, Lease, NewTrial, TrialRecord
from results.states import JobState, TrialState
from results.store import Store, open_store
from search_spaces import Library
from service.api import create_app
from service.http.drawings import MOST_KEPT, Drawings, read_results
from service.http.routes.results import POLL_SECONDS, events
from service.jobs import Jobs
from service.settings import Settings
from tests.service.stand_ins import spec

JOB = {"search_space": "q4_logistic_regression", "epochs": 3}
METRICS = ("train_loss", "validation_accuracy", "test_accuracy")


def submit(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/jobs", json={**JOB, **changes})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json()['id']}"
    job: dict[str, Any] = answer.json()
    return job


def run(store: Store, job_id: str) -> Lease:
    """Do what a driver does: three trials of three epochs, the second the best."""
    lease = store.claim_job("test", 60)
    assert lease is not None
    assert lease.job_id == job_id
    for number, final in enumerate((0.7, 0.9, 0.8)):
        attempt = store.start_trial(lease, number, node="here")
        reports = [
            EpochReport(number, attempt, epoch, _metrics(epoch, final), 1.0) for epoch in (1, 2, 3)
        ]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return lease


def _metrics(epoch: int, final: float) -> dict[str, float]:
    return dict(zip(METRICS, (1 / epoch, final, final), strict=True))


def test_a_job_is_accepted_with_a_complete_specification(client: TestClient) -> None:
    job = submit(client, name="rates", tags={"course": "dl"}, seed=7)
    assert job["state"] == "queued"
    assert job["name"] == "rates"
    assert job["progress"] == {
        "trials": 3, "finished": 0, "failed": 0, "running": 0, "epochs_done": 0, "epochs_total": 9,
    }  # fmt: skip
    spec = job["spec"]
    assert spec["parameters"]["learning_rate"]["values"] == [0.001, 0.01, 0.1]
    assert spec["seed"] == 7
    assert spec["resources_per_trial"] == {"cpu": 1.0, "gpu": 0.0}
    assert client.get(f"/api/v1/jobs/{job['id']}").json() == job
    trials = client.get(f"/api/v1/jobs/{job['id']}/trials").json()["items"]
    assert [trial["parameters"]["learning_rate"] for trial in trials] == [0.001, 0.01, 0.1]


def test_dry_run_answers_the_plan_and_keeps_nothing(client: TestClient) -> None:
    plan = client.post("/api/v1/jobs?dry_run=true", json={"search_space": "q4_grid"})
    assert plan.status_code == 200
    assert plan.json()["trials"] == len(plan.json()["configurations"]) == 144
    sampled = client.post(
        "/api/v1/jobs?dry_run=true",
        json={"search_space": "q4_grid", "strategy": "tpe", "trials": 5},
    ).json()
    assert sampled["configurations"] is None
    assert sampled["sampling"] == {"sampler": "tpe", "seed": 42, "trials": 5}
    assert client.get("/api/v1/jobs").json() == {"items": [], "next_cursor": None}


def test_the_fingerprint_ignores_names_and_sees_everything_else(client: TestClient) -> None:
    job = submit(client)
    assert submit(client, name="other", tags={"a": "b"})["fingerprint"] == job["fingerprint"]
    assert submit(client, seed=1)["fingerprint"] != job["fingerprint"]
    found = client.get("/api/v1/jobs", params={"fingerprint": job["fingerprint"]}).json()["items"]
    assert len(found) == 2


def test_the_fingerprint_is_of_numbers_not_of_their_spelling(client: TestClient) -> None:
    def fingerprint(**changes: Any) -> str:
        return str(submit(client, **changes)["fingerprint"])

    assert fingerprint() == fingerprint(resources_per_trial={"cpu": 1, "gpu": 0})
    assert fingerprint() == fingerprint(resources_per_trial={"cpu": 1.0})
    for whole, real in ((1, 1.0), ({"values": [1, 2]}, {"values": [1.0, 2.0], "default": 1})):
        written = fingerprint(parameters={"learning_rate": whole})
        assert written == fingerprint(parameters={"learning_rate": real})
    assert fingerprint(parameters={"batch_size": 1}) == fingerprint()
    assert fingerprint(parameters={"batch_size": 2}) != fingerprint()


def test_the_fingerprint_counts_what_is_left_out_as_the_trainables_default(
    client: TestClient,
) -> None:
    def fingerprint(strategy: str, **parameters: Any) -> str:
        space = {
            "name": "mine", "trainable": "numpy_neural_regression", "dataset": "ames",
            "epochs": 1, "metric": "train_rmse", "mode": "min", "strategy": strategy,
            "parameters": {"hidden_size": {"values": [50, 150], "default": 150}, **parameters},
        }  # fmt: skip
        answer = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["fingerprint"])

    for strategy in ("single", "grid"):
        assert fingerprint(strategy, learning_rate=0.001) == fingerprint(strategy)
        assert fingerprint(strategy, learning_rate=0.01) != fingerprint(strategy)
    assert fingerprint("single", hidden_size=150) == fingerprint("single")


def test_the_fingerprint_ignores_how_a_space_is_called(client: TestClient) -> None:
    space = client.get("/api/v1/search_spaces/q2_linear_regression").json()
    renamed = {**space, "name": "mine", "title": "Mine", "description": "as it was"}
    declared, inline = (
        submit(client, search_space="q2_linear_regression", epochs=None),
        submit(client, search_space=renamed, epochs=None),
    )
    assert inline["fingerprint"] == declared["fingerprint"]


def test_conditions_on_a_float_are_met_by_its_whole_number(client: TestClient) -> None:
    space = {
        **client.get("/api/v1/search_spaces/q4_feedforward").json(),
        "strategy": "grid",
        "parameters": {
            "learning_rate": {"values": [1, 2]},
            "hidden_size": {"values": [10, 20], "when": {"learning_rate": 1}},
        },
    }
    plan = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space}).json()
    assert plan["spec"]["parameters"]["hidden_size"]["when"] == {"learning_rate": 1.0}
    assert [json.dumps(c, sort_keys=True) for c in plan["configurations"]] == [
        '{"hidden_size": 10, "learning_rate": 1.0}',
        '{"hidden_size": 20, "learning_rate": 1.0}',
        '{"learning_rate": 2.0}',
    ]


def test_the_command_of_the_best_configuration_is_the_single_run_itself(
    client: TestClient, store: Store
) -> None:
    single = {"search_space": "q4_feedforward", "strategy": "single", "epochs": 1}
    job = client.post("/api/v1/jobs", json=single).json()
    lease = store.claim_job("test", 60)
    assert lease is not None
    attempt = store.start_trial(lease, 0, node="here")
    store.write_reports(lease, [EpochReport(0, attempt, 1, _metrics(1, 0.5), 1.0)])
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    command = shlex.split(client.get(f"/api/v1/jobs/{job['id']}/best?format=curl").text)
    again = client.post("/api/v1/jobs", json=json.loads(command[-1])).json()
    assert again["fingerprint"] == job["fingerprint"]


def test_jobs_are_accepted_while_ray_is_away(client: TestClient) -> None:
    assert client.get("/readyz").json()["parts"]["ray"] != "ok"
    assert submit(client)["state"] == "queued"


def test_an_idempotency_key_makes_one_job(client: TestClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers)
    again = client.post("/api/v1/jobs", json=JOB, headers=headers)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    for change in ({"seed": 1}, {"tags": {"for": "another"}}):
        clash = client.post("/api/v1/jobs", json=JOB | change, headers=headers)
        assert clash.status_code == 409, change


@pytest.mark.parametrize(
    "since",
    ["fingerprint = 'of an older version'", "request_digest = NULL, fingerprint = 'older still'"],
)
def test_a_request_repeated_after_an_upgrade_gives_its_job(
    client: TestClient, store: Store, since: str
) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers).json()
    with store._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET {since}")
    again = client.post("/api/v1/jobs", json=JOB, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first["id"])


def test_a_request_repeated_on_a_full_disk_gives_its_job(
    client: TestClient, settings: Settings, store: Store
) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers).json()
    full = settings.model_copy(update={"min_free_bytes": 2**62})
    with TestClient(create_app(full, store)) as later:
        again = later.post("/api/v1/jobs", json=JOB, headers=headers)
        assert (again.status_code, again.json()["id"]) == (202, first["id"])
        assert later.post("/api/v1/jobs", json=JOB).status_code == 503


def test_jobs_are_paged_newest_first(client: TestClient) -> None:
    ids = [submit(client)["id"] for _ in range(5)][::-1]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/v1/jobs", params=query).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


def test_results_of_a_finished_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    assert client.get(f"/api/v1/jobs/{job_id}/best").status_code == 409
    run(store, job_id)
    base = f"/api/v1/jobs/{job_id}"
    job = client.get(base).json()
    assert job["state"] == "succeeded"
    assert job["progress"]["epochs_done"] == job["progress"]["epochs_total"] == 9
    best = client.get(f"{base}/best").json()
    assert best == job["best"]
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


@pytest.mark.parametrize(
    ("report_format", "start"), [("html", b"<!"), ("md", b"#"), ("json", b"{"), ("pdf", b"%PDF")]
)
def test_reports(client: TestClient, store: Store, report_format: str, start: bytes) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/report", params={"format": report_format})
    assert answer.status_code == 200
    assert answer.content.lstrip().startswith(start)


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


@pytest.mark.parametrize("part", ["plots/train_loss.svg", "report?format=md"])
def test_drawings_of_a_finished_job_are_kept_until_it_runs_again(
    client: TestClient, store: Store, part: str
) -> None:
    job_id = submit(client)["id"]
    url = f"/api/v1/jobs/{job_id}/{part}"
    lease = store.claim_job("test", 60)
    assert lease is not None

    def finish(number: int, accuracy: float, state: TrialState) -> None:
        assert lease is not None
        attempt = store.start_trial(lease, number, node="here")
        report = EpochReport(number, attempt, 1, _metrics(attempt, accuracy), 1.0)
        store.write_reports(lease, [report])
        store.finish_trial(lease, number, state)

    finish(0, 0.5, TrialState.SUCCEEDED)
    unfinished = client.get(url).content
    finish(1, 0.25, TrialState.FAILED)
    finish(2, 0.75, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    drawn = client.get(url).content
    assert drawn != unfinished
    kept = client.app.state.drawings._kept  # type: ignore[attr-defined]
    assert list(kept.values()) == [drawn]
    assert client.get(url).content == drawn
    assert len(kept) == 1
    client.post(f"/api/v1/jobs/{job_id}/retry-failed")
    lease = store.claim_job("test", 60)
    finish(1, 0.875, TrialState.SUCCEEDED)
    assert lease is not None
    store.finish_job(lease, JobState.SUCCEEDED)
    assert client.get(url).content != drawn
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(url).status_code == 404


def test_results_of_a_finished_job_are_read_once(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    drawings = Drawings(store)
    drawings.plots(job_id)
    assert drawings._read is None
    run(store, job_id)
    drawings.plots(job_id)
    read = drawings._read
    drawings.plot(job_id, "train_loss", "svg")
    assert drawings._read is read
    other = submit(client)["id"]
    run(store, other)
    drawings.plots(other)
    assert drawings._read is not None
    assert drawings._read[1].job.id == other


def test_only_the_curves_that_are_shown_are_read(store: Store) -> None:
    job_spec = spec(
        search_space="q4_logistic_regression",
        trainable="torch_logistic_regression",
        dataset="fashion_mnist",
        epochs=3,
        metric=METRICS[1],
        mode="max",
        trials=MOST_SHOWN + 1,
    )
    trials = [NewTrial(number, {"learning_rate": 0.1}, 42) for number in range(MOST_SHOWN + 1)]
    job = store.create_job(job_spec, fingerprint="many", trials=trials)
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number in (0, MOST_SHOWN):
        attempt = store.start_trial(lease, number, node="here")
        final = 0.5 + number / 1000
        store.write_reports(lease, [EpochReport(number, attempt, 1, _metrics(1, final), 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    results = read_results(store, store.job(job.id))
    assert [trial.number for trial in results.shown[:3]] == [MOST_SHOWN, 0, 1]
    assert len(results.trials) == MOST_SHOWN + 1
    assert set(results.curves) == {0, MOST_SHOWN}


def test_few_drawings_are_kept(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    drawings = Drawings(store)
    for number in range(MOST_KEPT + 2):
        drawings.report(job_id, "json", f"http://{number}", with_token=False)
    assert len(drawings._kept) == MOST_KEPT


class CountingJobs(Jobs):
    """Counts how often the trials of a job were read."""

    reads = 0

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        self.reads += 1
        return super().trials(job_id)


def test_events_tell_what_changes_and_end_when_the_job_is_deleted(
    client: TestClient, store: Store, settings: Settings
) -> None:
    job_id = submit(client)["id"]
    jobs = CountingJobs(store, Library(), settings)
    lease = store.claim_job("test", 60)
    assert lease is not None

    async def follow() -> list[tuple[Any, Any]]:
        stream = events(job_id, jobs, settings)
        first = [await anext(stream) for _ in range(4)]
        change = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        await asyncio.sleep(2.5 * POLL_SECONDS)
        assert jobs.reads == 1
        attempt = store.start_trial(lease, 1, node="here")
        store.write_reports(lease, [EpochReport(1, attempt, 1, _metrics(1, 0.5), 1.0)])
        changed = [await change, await anext(stream)]
        store.request_cancel(job_id)
        store.finish_job(lease, JobState.CANCELLED)
        store.delete_job(job_id)
        rest = [event async for event in stream]
        assert rest == []
        return [(event.event, json.loads(event.raw_data)) for event in [*first, *changed]]

    told = asyncio.run(follow())
    assert [kind for kind, _ in told] == ["trial", "trial", "trial", "job", "trial", "job"]
    assert told[4][1]["number"] == 1
    assert told[5][1]["progress"]["epochs_done"] == 1


def test_events_tell_everything_and_end_with_the_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    text = client.get(f"/api/v1/jobs/{job_id}/events").text
    events = [block.splitlines() for block in text.strip().split("\n\n")]
    kinds = [next(line for line in e if line.startswith("event:"))[7:] for e in events]
    assert kinds == ["trial", "trial", "trial", "job"]
    data = next(line for line in events[-1] if line.startswith("data:"))[5:]
    assert json.loads(data)["state"] == "succeeded"


def test_cancel_and_delete(client: TestClient) -> None:
    job_id = submit(client)["id"]
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    cancelled = client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.json()["state"] == "cancelled"
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_a_log_that_cannot_be_read_or_removed_is_told_and_logged(
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
    assert f"the log of job {job_id} is left behind" in caplog.text
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_pause_resume_and_retry(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]

    def ask(verb: str) -> Any:
        return client.post(f"/api/v1/jobs/{job_id}/{verb}")

    assert (ask("pause").status_code, ask("pause").json()["state"]) == (202, "paused")
    assert client.get("/api/v1/jobs?state=paused").json()["items"][0]["id"] == job_id
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    assert (ask("resume").status_code, ask("resume").json()["state"]) == (202, "queued")
    run(store, job_id)
    for verb in ("pause", "resume", "retry-failed"):
        refused = ask(verb)
        assert refused.status_code == 409
        assert job_id in refused.json()["detail"]
        assert refused.json()["hint"]


def test_catalogs(client: TestClient) -> None:
    spaces = client.get("/api/v1/search_spaces").json()
    assert len(spaces["items"]) == 9
    assert spaces["broken"] == []
    shown = client.get("/api/v1/search_spaces/q4_grid").json()
    assert shown["strategy"] == "grid"
    trainables = client.get("/api/v1/trainables").json()["items"]
    assert len(trainables) == 7
    assert all(t["parameters"]["type"] == "object" for t in trainables)
    names = [d["name"] for d in client.get("/api/v1/datasets").json()["items"]]
    assert names == ["ames", "fashion_mnist"]


def test_a_broken_file_of_the_user_is_told_and_disturbs_no_other(
    client: TestClient, settings: Settings
) -> None:
    assert settings.search_spaces_dir is not None
    settings.search_spaces_dir.mkdir()
    (settings.search_spaces_dir / "mine.yaml").write_text("name: [", encoding="utf-8")
    answer = client.get("/api/v1/search_spaces").json()
    assert len(answer["items"]) == 9
    assert answer["broken"][0]["file"] == "mine.yaml"
    assert client.post("/api/v1/jobs", json={"search_space": "mine"}).status_code == 422


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"] == "ok"
    assert "no Ray" in ready.json()["parts"]["ray"]
    assert client.get("/api/v1/cluster").status_code == 503
    assert set(client.get("/version").json()) >= {"argbest", "ray", "torch", "python"}


def test_metrics_tell_jobs_and_requests(client: TestClient) -> None:
    submit(client)
    text = client.get("/metrics").text
    assert 'argbest_jobs{state="queued"} 1.0' in text
    assert 'route="/api/v1/jobs",status="202"' in text
    assert "argbest_info{version=" in text
    assert "argbest_database_up 1.0" in text


def test_metrics_tell_that_jobs_wait_in_vain(client: TestClient, store: Store) -> None:
    assert "argbest_oldest_queued_job_seconds 0.0" in client.get("/metrics").text
    submit(client)
    submit(client)
    with store._database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET created_at = created_at - 1000 * (3 - sequence)"
        )
    lines = client.get("/metrics").text.splitlines()
    (age,) = (line.split()[1] for line in lines if line.startswith("argbest_oldest_queued"))
    assert 2000 <= float(age) < 3000
    run(store, store.jobs().items[-1].id)
    assert store.longest_wait() < 2000


def test_metrics_tell_how_long_jobs_and_trials_took(client: TestClient, store: Store) -> None:
    assert "argbest_job_run_seconds_count 0.0" in client.get("/metrics").text
    run(store, submit(client)["id"])
    text = client.get("/metrics").text
    found = store.durations()
    assert found.trial[0] > 0
    for name in ("job_wait", "job_run", "trial"):
        number, seconds = getattr(found, name)
        assert f"argbest_{name}_seconds_count {float(number)}" in text
        assert f"argbest_{name}_seconds_sum {seconds}" in text
    assert f'state="succeeded"}} {float(found.trial[0])}' in text


def test_a_schema_of_another_version_is_told(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        parts = client.get("/readyz").json()["parts"]
    assert parts["database"] == "ok"
    assert "missing or of another version" in parts["migrations"]


def test_metrics_tell_of_a_database_that_is_away(settings: Settings, tmp_path: Path) -> None:
    away = open_store(f"sqlite:///{tmp_path}/missing/argbest.db")
    with TestClient(create_app(settings, away)) as client:
        assert client.get("/api/v1/jobs").status_code == 503
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "argbest_database_up 0.0" in answer.text
    assert "argbest_jobs" not in answer.text
    assert "argbest_info{version=" in answer.text
    assert 'http_request_seconds_count{method="GET",route="/api/v1/jobs",status="503"} 1.0' in (
        answer.text
    )


def test_metrics_count_defects_and_have_few_labels(settings: Settings, store: Store) -> None:
    app = create_app(settings, store)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a defect")

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/broken").status_code == 500
        for method in ("BREW", "X" * 50):
            assert client.request(method, "/healthz").status_code == 405
        text = client.get("/metrics").text
    assert 'http_request_seconds_count{method="GET",route="/broken",status="500"} 1.0' in text
    assert 'http_request_seconds_count{method="other",route="/healthz",status="405"} 2.0' in text
    assert "BREW" not in text


def test_a_full_disk_refuses_new_jobs_and_keeps_answering(settings: Settings, store: Store) -> None:
    full = settings.model_copy(update={"min_free_bytes": 2**62})
    with TestClient(create_app(full, store)) as client:
        answer = client.post("/api/v1/jobs", json=JOB)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        assert "MiB are free" in answer.json()["detail"]
        assert client.get("/readyz").json()["parts"]["disk"] != "ok"
        assert client.get("/api/v1/jobs").json()["items"] == []


def test_a_data_folder_that_is_gone_refuses_new_jobs_and_is_named(
    settings: Settings, store: Store
) -> None:
    gone = settings.model_copy(update={"data_dir": settings.data_dir / "unmounted"})
    with TestClient(create_app(gone, store)) as client:
        answer = client.post("/api/v1/jobs", json=JOB)
        assert answer.status_code == 503
        assert f"{gone.data_dir} cannot be used: No such file" in answer.json()["detail"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["disk"] == answer.json()["detail"]


def test_the_page_is_served_with_a_strict_policy(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/page/page.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page/page.css").status_code == 200


def test_the_docs_need_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "'self'" in page.headers["content-security-policy"]
    links = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    files = [link for link in links if not link.startswith("data:")]
    assert files == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/docs.js"]
    for file in files:
        assert client.get(file).status_code == 200
    assert not re.search(r"url\((?!data:|.data:)", client.get(files[0]).text)
    assert "http" not in client.get("/docs/docs.js").text
    assert client.get("/redoc").status_code == 404
