"""All trials and all curves of a job in few bytes, and what is new of them."""

from __future__ import annotations

import struct

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from tests.service.http.samples import run, submit


def test_the_trials_and_the_curves_of_a_job(client: TestClient, store: Store) -> None:
    job = submit(client)
    run(store, job["id"])
    path = f"/api/v1/jobs/{job['id']}"
    found = client.get(f"{path}/columns").json()
    assert found["last"] == store.last_event()
    whole = client.get(f"{path}/trials").json()["items"]
    assert found["columns"]["rank"] == [trial["rank"] for trial in whole]
    assert found["metrics"]["test_accuracy"] == [t["metrics"]["test_accuracy"] for t in whole]
    answer = client.get(f"{path}/points", params={"metric": ["train_loss", "test_accuracy"]})
    assert answer.headers["content-type"] == "application/octet-stream"
    size = 4 * (3 + 2 * 3)
    assert len(answer.content) == 3 * size
    second = struct.unpack("<3I6f", answer.content[size : 2 * size])
    assert second[:3] == (1, 1, 3)
    assert second[3:] == pytest.approx((1, 1 / 2, 1 / 3, 0.9, 0.9, 0.9))
    new = client.get(f"{path}/points?metric=test_accuracy&known=2:2,0:3,9:0").content
    assert struct.unpack("<3If", new) == (2, 3, 1, pytest.approx(0.8))
    thin = client.get(f"{path}/points?metric=train_loss&every=2").content
    assert struct.unpack("<3I2f", thin[:20]) == (0, 1, 2, 1, pytest.approx(1 / 3))
    assert client.get(f"{path}/points?metric=a&known=").content == b""


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/query/metric"),
        ("metric=a&every=0", "/query/every"),
        ("metric=a&known=7", "/query/known"),
        ("metric=a&known=1:-2", "/query/known"),
        ("metric=a&known=1:9999999999", "/query/known"),
        ("metric=a&known=" + ",".join(f"{n}:0" for n in range(501)), "/query/known"),
    ],
)
def test_a_wrong_question_is_refused(client: TestClient, query: str, pointer: str) -> None:
    answer = client.get(f"/api/v1/jobs/{submit(client)['id']}/points?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_there_is_nothing_of_an_unknown_job(client: TestClient) -> None:
    for part in ("columns", "points?metric=a", "points?metric=a&known=0:0"):
        assert client.get(f"/api/v1/jobs/{'0' * 16}/{part}").status_code == 404
