"""Jobs of programs in every answer: names of metrics of any kind, early ends, what was run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import CodeRecord, EpochReport, NewTrial, TokenScope
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import SearchSpace
from service.api import create_app
from service.settings import Settings

METRICS = (
    "val/acc (top-5) %", "größe µ² 损失", r"$x_1^2$ & \frac{a}{b} C:\x", "<b>x</b>", "a,b;c \"d\"",
    "=1+1", "#[x] *b* _c_ @ref", "..", "%s {metric}",
)  # fmt: skip
#: Epochs that each trial reports: the first and the last end before the tenth and last one.
REPORTED = (4, 10, 6)


def space(metric: str, others: tuple[str, ...] = ()) -> SearchSpace:
    return SearchSpace.from_json(
        {
            "name": "mine", "command": ["python", "train.py", "{args}"], "metric": metric,
            "mode": "max", "epochs": 10, "early_end": True, "code": "sha256:" + "ab" * 32,
            "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
            "constraints": [{"metric": name, "at_least": -100} for name in others],
        }
    )  # fmt: skip


def run(store: Store, metrics: tuple[str, ...]) -> str:
    """Run a job whose second trial trains longest and whose third one is the best."""
    source = {"folder": "mine", "commit": "abc123", "dirty": True}
    spec = JobSpec(
        name="mine", space=space(*metrics[:1], metrics[1:]), trials=3, seed=1, source=source
    )
    store.add_code(CodeRecord("sha256:" + "ab" * 32, "code/ab.tar.gz", 1, 1, 1))
    trials = [NewTrial(n, {"lr": rate}, 1) for n, rate in enumerate((0.1, 0.2, 0.3))]
    job = store.create_job(spec, fingerprint="0" * 64, trials=trials)
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number, epochs in enumerate(REPORTED):
        attempt = store.start_trial(lease, number, node="here")
        reports = [
            EpochReport(number, attempt, epoch, dict.fromkeys(metrics, number + 0.01 * epoch), 1.0)
            for epoch in range(1, epochs + 1)
        ]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return job.id


@pytest.fixture
def job(store: Store) -> str:
    return f"/api/v1/jobs/{run(store, METRICS)}"


@pytest.fixture
def plain(store: Store) -> str:
    return f"/api/v1/jobs/{run(store, METRICS[:1])}"


def get(client: TestClient, path: str, **query: str) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, (path, answer.text)
    return answer


def test_all_names_of_metrics_are_in_json_and_tables(client: TestClient, job: str) -> None:
    best = get(client, f"{job}/best").json()
    assert (best["trial"], best["metric"]) == (2, METRICS[0])
    assert set(best["metrics"]) == set(METRICS)
    curves = get(client, f"{job}/curves").json()["items"]
    assert [len(curve["epoch"]) for curve in curves] == list(REPORTED)
    assert set(METRICS) <= set(curves[0])
    for part in ("curves", "trials"):
        rows = list(csv.reader(io.StringIO(get(client, f"{job}/{part}", format="csv").text)))
        # An apostrophe keeps spreadsheets from running a text as a formula.
        names = {column.removeprefix("metrics.").removeprefix("'") for column in rows[0]}
        assert set(METRICS) <= names, rows[0]


def test_every_metric_has_a_plot_with_a_name_for_urls(client: TestClient, job: str) -> None:
    plots = get(client, f"{job}/plots").json()["items"]
    assert len({plot["name"] for plot in plots}) == len(plots) >= len(METRICS)
    for plot in plots:
        assert plot["name"].isascii()
    for plot in plots[:3]:
        drawn = get(client, f"{job}/plots/{plot['name']}.svg").text
        assert drawn.lstrip().startswith("<?xml")


def test_reports_hold_the_names(client: TestClient, job: str) -> None:
    """How PDF and HTML show hostile texts, the tests of reports say."""
    text = get(client, f"{job}/report", format="md").text
    assert "损失" in text


def test_the_report_says_what_was_run_and_that_trials_ended_early(
    client: TestClient, plain: str
) -> None:
    answer = get(client, f"{plain}/report", format="html").text
    assert "python train.py {args}" in answer
    assert "abc123, with changes" in answer
    assert "2 trials ended before epoch 10 by the program&#39;s own decision" in answer
    told = get(client, f"{plain}/report", format="json").json()["job"]
    assert told["program"]["code"] == "sha256:" + "ab" * 32
    assert told["source"]["commit"] == "abc123"


def test_trials_are_compared_by_their_own_last_reports(client: TestClient, plain: str) -> None:
    best = get(client, f"{plain}/best").json()
    assert (best["trial"], best["value"]) == (2, pytest.approx(2.06))
    job = get(client, plain).json()
    assert job["progress"]["epochs_done"] == job["progress"]["epochs_total"] == sum(REPORTED)
    assert job["spec"]["command"] == ["python", "train.py", "{args}"]
    assert get(client, f"{plain}/best", format="yaml").text.count("early_end: true") == 1


def test_no_scheduler_is_replayed_over_trials_that_ended_early(
    client: TestClient, plain: str
) -> None:
    answer = client.get(f"{plain}/replay", params={"scheduler": "asha"})
    assert answer.status_code == 409
    assert "may end a trial early" in answer.json()["detail"]


def run_to_the_end(store: Store, **members: Any) -> str:
    """Run nine trials of nine epochs of a program; the last is the best from the first epoch on."""
    declared = SearchSpace.from_json(
        {
            "name": "mine", "command": ["python", "train.py", "{args}"], "metric": "m",
            "mode": "max", "epochs": 9, "code": "sha256:" + "ab" * 32,
            "parameters": {"n": {"values": list(range(9))}}, **members,
        }
    )  # fmt: skip
    trials = [NewTrial(n, {"n": n}, 1) for n in range(9)]
    spec = JobSpec(name="mine", space=declared, trials=9, seed=1)
    job = store.create_job(spec, fingerprint=str(members), trials=trials)
    lease = store.claim_job("test", 60)
    assert lease is not None
    for n in range(9):
        attempt = store.start_trial(lease, n, node="here")
        reports = [EpochReport(n, attempt, epoch, {"m": n}, 1.0 * epoch) for epoch in range(1, 10)]
        store.write_reports(lease, reports)
        store.finish_trial(lease, n, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    return f"/api/v1/jobs/{job.id}"


def test_a_program_is_replayed_as_it_can_be_run(client: TestClient, store: Store) -> None:
    store.add_code(CodeRecord("sha256:" + "ab" * 32, "code/ab.tar.gz", 1, 1, 1))
    from_start, resuming = run_to_the_end(store), run_to_the_end(store, resumes=True)
    for path, resumes in ((from_start, False), (resuming, True)):
        found = get(client, f"{path}/replay").json()
        assert found["resumes"] is resumes
        assert found["scheduler"]["stops"] is not resumes
        assert get(client, f"{path}/report", format="json").json()["replay"] == found
    told = get(client, f"{from_start}/report", format="md").text
    assert "The trainable cannot resume" in told


def test_no_more_epochs_are_given_to_programs_that_end_early(
    settings: Settings, store: Store, plain: str
) -> None:
    secret = store.create_token("mine", TokenScope.CODE).secret
    app = create_app(settings.model_copy(update={"allow_commands": True}), store)
    with TestClient(app, headers={"Authorization": f"Bearer {secret}"}) as client:
        answer = client.post(f"{plain}/extend", json={"epochs": 20})
    assert answer.status_code == 422
