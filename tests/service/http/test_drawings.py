"""Plots and reports of finished jobs are kept until the job runs again."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from benchmarks.page_jobs import fill
from results.analysis import MOST_SHOWN
from results.records import EpochReport, NewTrial
from results.states import JobState, TrialState
from results.store import Store
from service.http.drawings import MOST_KEPT, Drawings
from tests.service.http.samples import METRICS, metrics_at, run, submit
from tests.service.stand_ins import spec


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
        report = EpochReport(number, attempt, 1, metrics_at(attempt, accuracy), 1.0)
        store.write_reports(lease, [report])
        store.finish_trial(lease, number, state)

    finish(0, 0.5, TrialState.SUCCEEDED)
    unfinished = client.get(url).content
    finish(1, 0.25, TrialState.FAILED)
    finish(2, 0.75, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    drawn = client.get(url).content
    assert drawn != unfinished
    drawings = client.app.state.drawings  # type: ignore[attr-defined]
    kept = drawings._kept_plot if "plots" in part else drawings._kept_report
    assert client.get(url).content == drawn
    assert (kept.cache_info().hits, kept.cache_info().misses) == (1, 1)
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
    read = drawings._kept_results.cache_info
    drawings.plots(job_id)
    assert read().misses == 0
    run(store, job_id)
    drawings.plots(job_id)
    drawings.plot(job_id, "train_loss", "svg")
    assert (read().hits, read().misses) == (1, 1)
    other = submit(client)["id"]
    run(store, other)
    drawings.plots(other)
    assert (read().misses, read().currsize) == (2, 1)


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
        store.write_reports(lease, [EpochReport(number, attempt, 1, metrics_at(1, final), 1.0)])
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    drawings = Drawings(store)
    results = drawings._read(drawings._run(job.id))
    assert [trial.number for trial in results.shown[:3]] == [MOST_SHOWN, 0, 1]
    assert len(results.trials) == MOST_SHOWN + 1
    assert set(results.curves) == {0, MOST_SHOWN}
    assert results.early == {}
    store.finish_job(lease, JobState.SUCCEEDED)
    # The diagnosis compares all trials where a scheduler would.
    early = drawings._read(drawings._run(job.id)).early
    assert early == {0: {1: 0.5}, MOST_SHOWN: {1: 0.5 + MOST_SHOWN / 1000}}


def test_few_drawings_are_kept(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    drawings = Drawings(store)
    for number in range(MOST_KEPT + 2):
        drawings.report(job_id, "json", f"http://{number}", with_token=False)
    assert drawings._kept_report.cache_info().currsize == MOST_KEPT


def test_the_conclusion_of_a_sampled_search_in_numbers(store: Store) -> None:
    found = Drawings(store).conclusion(fill(store, 60, 3).id)
    assert found["confirmation"] is None
    # What scipy's test gave for each parameter; the learning rate matters, and perhaps the
    # activation: H is 1.30 of 2 groups with the unranked ones last.
    said = {one["parameter"]: one["detail"].partition("Wallis ")[2] for one in found["diagnosis"]}
    assert said == {
        "dropout": "H 0.92 of 3 groups; 0.31 with the 7 unranked ones last).",
        "hidden_size": "H 0.59 of 3 groups; 1.18 with the 7 unranked ones last).",
        "optimizer": "H 0.01 of 2 groups; 0.01 with the 7 unranked ones last).",
        "layers": "H 1.35 of 3 groups; 0.80 with the 7 unranked ones last).",
    }
    assert found["spent"] == {
        "useful": {"trials": 53, "epochs": 159, "seconds": 79.5},
        "stopped": {"trials": 5, "epochs": 15, "seconds": 7.5},
        "failed": {"trials": 2, "epochs": 3, "seconds": 1.5},
        "confirming": {"trials": 0, "epochs": 0, "seconds": 0.0},
        "repeated": {"trials": 0, "epochs": 0, "seconds": 0.0},
        "total": {"trials": 60, "epochs": 177, "seconds": 88.5},
    }
