"""Records become answers with every member, times in UTC and numbers that JSON can hold."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from fastapi.testclient import TestClient

from results.ranking import rank
from results.records import Curve
from results.spec import DataRef, JobSpec
from results.store import Store
from search_spaces import Library
from service.http.views import curve_view, job_view, json_list, metrics_of, resumes, trial_view
from service.http.waiting import Fleet, Share
from tests.service.http.samples import run, submit

SPACE = Library().get("q2_linear_regression")


def test_a_job_is_shown_with_its_links_and_times(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    job = store.job(job_id)
    fleet = Fleet.of([], max_jobs=8)
    shown = json.loads(job_view(job, "", fleet).model_dump_json())
    assert shown["dashboard_url"] is None
    assert shown["links"]["best"] == f"/api/v1/jobs/{job_id}/best"
    assert shown["created_at"] == job.created_at.isoformat().replace("+00:00", "Z")
    assert shown["spec"] == job.spec.to_json()
    assert not {"lease_token", "claims"} & set(shown)
    assert job_view(job, "http://ray:8265", fleet).dashboard_url == "http://ray:8265"


def test_a_job_is_shown_with_its_share_and_why_it_waits(client: TestClient, store: Store) -> None:
    job = store.job(submit(client, priority=7)["id"])
    fleet = Fleet({str(number): Share(1, 1) for number in range(8)}, max_jobs=8)
    shown = job_view(replace(job, slots=0), "", fleet)
    assert (shown.priority, shown.slots) == (7, 0)
    assert str(shown.waiting).startswith("behind 8 running jobs")


def test_listed_trials_have_the_rank_of_the_best_and_of_the_others(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]
    trials = f"/api/v1/jobs/{job_id}/trials"
    assert [t["rank"] for t in client.get(trials).json()["items"]] == [None, None, None]
    run(store, job_id)
    assert [t["rank"] for t in client.get(trials).json()["items"]] == [3, 1, 2]
    assert client.get(f"/api/v1/jobs/{job_id}").json()["best"]["trial"] == 1
    assert client.get(f"{trials}/1").json()["rank"] is None


def test_a_trial_is_shown_with_its_engine_and_attempts(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    ranking = rank(store.trials(job_id), store.job(job_id).spec.space)
    shown = trial_view(store.trial(job_id, 1), ranking)
    assert shown.score is not None
    assert (shown.score.n, shown.score.standard_deviation, shown.configuration) == (1, None, 1)
    assert (shown.attempts, shown.engine, shown.rank, shown.node) == (1, "", 1, "here")


def test_a_list_is_written_piece_by_piece_as_one_json() -> None:
    curves = [Curve(n, (1, 2), {"loss": (0.5, math.nan)}) for n in range(3)]
    items = [{"trial": n, "epoch": [1, 2], "loss": [0.5, None]} for n in range(3)]
    for some in ([], curves[:1], curves):
        pieces = [*json_list(map(curve_view, some))]
        assert len(pieces) == len(some) + 2
        expected = {"items": items[: len(some)], "next_cursor": None}
        assert json.loads("".join(pieces)) == expected


def test_a_trainable_that_is_no_longer_installed_has_no_metrics() -> None:
    spec = JobSpec(name="probe", space=SPACE, trials=1, seed=1)
    assert metrics_of(replace(spec, space=replace(SPACE, trainable="gone"))) == {}
    assert metrics_of(spec)["train_rmse"].unit == "log price"


def test_a_trainable_that_is_no_longer_installed_does_not_resume() -> None:
    spec = JobSpec(name="probe", space=SPACE, trials=1, seed=1)
    assert resumes(spec)
    assert not resumes(replace(spec, space=replace(SPACE, trainable="gone")))


def test_errors_on_users_data_have_the_name_of_their_target_as_unit() -> None:
    space = replace(SPACE, trainable="numpy_linear_regression", dataset="prices")
    data = DataRef("0" * 64, "regression", "rent", ("train", "test"))
    metrics = metrics_of(JobSpec(name="probe", space=space, trials=1, seed=1, data=data))
    assert {m.unit for m in metrics.values()} == {"rent", ""}
    assert metrics["validation_rmse"].unit == "rent"


def test_a_stored_metric_with_the_name_of_a_column_does_not_replace_it() -> None:
    """A former version let trainables report such a metric."""
    curve = Curve(3, (1, 2), {"epoch": (0.5, 1.0), "trial": (7.0, 8.0), "loss": (2.0, 1.0)})
    shown = json.loads(curve_view(curve).model_dump_json())
    assert shown == {"trial": 3, "epoch": [1, 2], "loss": [2.0, 1.0]}
