"""Users' data sets over HTTP: added, listed, shown, removed, and used by jobs."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service import datasets as own
from service.settings import Settings
from tests.trainables.own_data.files import table

SPACE: dict[str, Any] = {
    "name": "flats", "trainable": "numpy_linear_regression", "dataset": "flats", "epochs": 2,
    "metric": "validation_rmse", "mode": "min", "strategy": "grid",
    "parameters": {"learning_rate": {"values": [0.01, 0.001], "default": 0.01}},
}  # fmt: skip


def add(client: TestClient, content: str = "", **params: str) -> Any:
    sent = {"name": "flats", "target": "price"} | params
    return client.post("/api/v1/datasets", params=sent, content=content or table())


def plan(client: TestClient, **changes: Any) -> Any:
    space = SPACE | changes
    return client.post("/api/v1/jobs", params={"dry_run": "true"}, json={"search_space": space})


def test_from_a_file_to_a_job(client: TestClient, store: Store, settings: Settings) -> None:
    """Each request reads the file in a process of its own, so all that needs one is seen here."""
    added = add(client)
    assert added.status_code == 201
    shown = added.json()
    assert (shown["name"], shown["kind"], shown["own"], shown["rows"]) == (
        "flats", "regression", True, 200
    )  # fmt: skip
    assert added.headers["Location"] == "/api/v1/datasets/flats"
    assert client.get("/api/v1/datasets/flats").json() == shown
    listed = client.get("/api/v1/datasets").json()["items"]
    assert [(one["name"], one["own"], one["card"]) for one in listed] == [
        ("ames", False, None), ("fashion_mnist", False, None), ("flats", True, None)
    ]  # fmt: skip
    assert (settings.data_dir / "storage" / "datasets" / f"{shown['digest']}.npz").is_file()
    assert not any((settings.data_dir / "uploads").iterdir())

    planned = plan(client)
    assert planned.status_code == 200
    first = planned.json()
    assert first["spec"]["data"] == {
        "digest": shown["digest"], "kind": "regression", "target": "price",
        "parts": ["train", "validation", "test"],
    }  # fmt: skip
    job = client.post("/api/v1/jobs", json={"search_space": SPACE}).json()

    assert add(client).status_code == 200
    clash = add(client, seed="1")
    assert (clash.status_code, "remove it first" in clash.json()["hint"]) == (409, True)
    assert client.delete("/api/v1/datasets/flats").status_code == 204
    assert client.get("/api/v1/datasets/flats").status_code == 404
    assert store.job(job["id"]).spec.data is not None
    unknown = plan(client).json()["errors"][0]
    assert (unknown["pointer"], unknown["code"]) == ("/search_space/dataset", "unknown_dataset")

    assert add(client, seed="1", split="0.8,0,0.2").status_code == 201
    refused = plan(client).json()["errors"][0]
    assert (refused["pointer"], refused["code"]) == ("/search_space/metric", "no_such_rows")
    assert "--split 0.6,0.2,0.2" in refused["hint"]
    other = plan(client, metric="train_rmse").json()
    assert other["fingerprint"] != first["fingerprint"]


def test_data_of_another_kind_are_refused_with_the_trainables_that_fit(
    client: TestClient, store: Store
) -> None:
    card = {"kind": "classification", "rows": 9, "splits": {"train": 6, "validation": 3, "test": 0},
            "target": {"name": "city"}, "source": {"format": "CSV"}}  # fmt: skip
    store.add_dataset("flats", "0" * 64, kind="classification", size=1, card=card)
    problem = plan(client).json()["errors"][0]
    assert problem["detail"] == (
        "flats is for classification, and numpy_linear_regression takes regression"
    )
    assert "numpy_mlp, torch_logistic_regression" in problem["hint"]
    fitting = plan(
        client, trainable="numpy_mlp", metric="validation_accuracy", mode="max"
    )  # fmt: skip
    assert fitting.status_code == 200


def test_what_is_measured_on_rows_that_ames_lacks_is_refused(client: TestClient) -> None:
    problem = plan(client, dataset="ames").json()["errors"][0]
    assert problem["detail"] == (
        "validation_rmse needs validation rows, which data set ames does not have"
    )


@pytest.mark.parametrize("name", ["", "ames", "none", "a/b", "-a", "x" * 65, "\u00e9"])
def test_names_that_a_data_set_cannot_have(client: TestClient, name: str) -> None:
    answer = add(client, name=name)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/name"


def test_a_bad_file_is_answered_with_what_is_wrong(client: TestClient, settings: Settings) -> None:
    answer = add(client, "size,price\n1,2\n3\n", types="size=number")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["code"], problem["pointer"]) == ("ragged_row", "")
    assert client.get("/api/v1/datasets/flats").status_code == 404
    assert not (settings.data_dir / "storage").exists()


def test_a_file_that_is_too_large_is_refused(store: Store, settings: Settings) -> None:
    from service.api import create_app

    small = settings.model_copy(update={"max_dataset_bytes": 1024})
    with TestClient(create_app(small, store)) as client:
        answer = add(client, "x" * 2000)
    assert answer.status_code == 413
    assert "ARGBEST_MAX_DATASET_BYTES" in answer.json()["hint"]


def test_a_reader_that_dies_or_hangs_is_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "MAX_MEMORY_BYTES", 50 * 2**20)
    died = add(client)
    assert died.status_code == 422
    assert died.json()["errors"][0]["code"] in ("bad_file", "too_large")
    monkeypatch.setattr(own, "MAX_SECONDS", 0.001)
    hung = add(client).json()["errors"][0]
    assert "takes more than" in hung["detail"]


def test_only_users_data_can_be_removed(client: TestClient) -> None:
    own_ones = client.delete("/api/v1/datasets/ames")
    assert (own_ones.status_code, "only users'" in own_ones.json()["detail"]) == (404, True)
    assert client.delete("/api/v1/datasets/mine").status_code == 404
    assert client.get("/api/v1/datasets/ames").json()["kind"] == "regression"
