"""The routes of figures and of jobs side by side."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from tests.service.http.samples import run, submit


def test_figures_are_listed_drawn_and_kept(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    base = f"/api/v1/jobs/{job_id}/figures"
    before = {item["name"]: item["why_not"] for item in client.get(base).json()["items"]}
    assert before["history"] == "no configuration has a result yet"
    refused = client.get(f"{base}/history")
    assert (refused.status_code, "has no figure history" in refused.json()["detail"]) == (409, True)
    run(store, job_id)
    after = {item["name"]: item for item in client.get(base).json()["items"]}
    assert (after["history"]["why_not"], after["pareto_front"]["why_not"]) == (
        "", "the search has one objective",
    )  # fmt: skip
    assert after["slice"]["parameters"] == ["learning_rate"]
    history = client.get(f"{base}/history").json()
    assert [trace["y"] for trace in history["data"]] == [[0.7, 0.9, 0.8], [0.7, 0.9, 0.9]]
    assert client.get(f"{base}/history").json() == history
    kept = client.app.state.drawings._kept_figure.cache_info()  # type: ignore[attr-defined]
    assert (kept.hits, kept.misses) == (1, 1)
    (points,) = client.get(f"{base}/slice?parameter=learning_rate").json()["data"]
    rates = [trial.parameters["learning_rate"] for trial in store.trials(job_id)]
    assert dict(zip(points["customdata"], map(float, points["x"]), strict=True)) == dict(
        enumerate(rates)
    )


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("figures/histogram", 404, "there are: history"),
        ("figures/slice?parameter=nothing", 422, "cannot show 'nothing'"),
        ("figures/contour", 409, "no two parameters have two values each"),
    ],
)
def test_wrong_wishes_are_named(
    client: TestClient, store: Store, path: str, status: int, message: str
) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/{path}")
    assert answer.status_code == status
    assert message in answer.json()["detail"]
    assert answer.json()["hint"]
    if status == 422:
        assert answer.json()["errors"][0]["pointer"] == "/query/parameter"


def test_jobs_are_compared_by_what_they_found(client: TestClient, store: Store) -> None:
    ids = []
    for seed in (1, 2):
        ids.append(submit(client, seed=seed)["id"])
        run(store, ids[-1])
    ids.append(submit(client, epochs=2)["id"])
    found = client.get(f"/api/v1/compare?jobs={','.join(ids)}").json()
    assert [job["id"] for job in found["jobs"]] == ids
    first = found["jobs"][0]
    assert first["course"]["best"] == [0.7, 0.9, 0.9]
    assert first["course"]["epochs"] == [3, 6, 9]
    assert first["spread"]["values"] == [0.7, 0.8, 0.9]
    assert (first["best"]["value"], found["jobs"][2]["best"]) == (0.9, None)
    differing = {each["pointer"]: each["values"] for each in found["differences"]}
    assert differing == {"/epochs": [3, 3, 2], "/seed": [1, 2, 42]}
    (group,) = found["repeats"]
    assert (group["jobs"], group["final"], group["deviation"]) == (ids[:2], 0.9, 0.0)
    json.dumps(found, allow_nan=False)


def test_fewer_than_two_jobs_or_more_than_eight_are_refused(client: TestClient) -> None:
    job_id = submit(client)["id"]
    for jobs in (job_id, f"{job_id},{job_id}", ",".join(map(str, range(9))), ""):
        answer = client.get(f"/api/v1/compare?jobs={jobs}")
        assert answer.status_code == 422, jobs
        assert answer.json()["errors"][0]["pointer"] == "/query/jobs"
    assert client.get(f"/api/v1/compare?jobs={job_id},other").status_code == 404
    assert client.get("/api/v1/compare").status_code == 422
