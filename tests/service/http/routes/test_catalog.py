"""The catalogs: search spaces, trainables, data sets and the cluster."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.http.serving import dashboard
from trainables import registry


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


def test_a_file_name_that_is_not_utf8_is_reported_too(
    client: TestClient, settings: Settings
) -> None:
    assert settings.search_spaces_dir is not None
    settings.search_spaces_dir.mkdir()
    (settings.search_spaces_dir / os.fsdecode(b"\xff.yaml")).write_text("", encoding="utf-8")
    (broken,) = client.get("/api/v1/search_spaces").json()["broken"]
    assert broken["file"] == "\\udcff.yaml"
    assert "rename the file" in broken["problems"][0]["hint"]


def test_a_broken_trainable_is_reported_and_disturbs_no_other(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [
        EntryPoint(name, value, registry.ENTRY_POINT_GROUP)
        for name, value in {
            "absent": "argbest_no_such_module:trainable",
            "incomplete": "json:no_such_attribute",
            "other": "json:JSONDecoder",
        }.items()
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: entries)
    registry._load.cache_clear()
    try:
        found = client.get("/api/v1/trainables").json()
        shown = client.get("/api/v1/trainables/absent")
        body = {"search_space": "q2_linear_regression", "epochs": 1}
        submitted = client.post("/api/v1/jobs", json=body)
        ready = client.get("/readyz").json()["parts"]
    finally:
        registry._load.cache_clear()
    assert len(found["items"]) == 7
    assert [one["entry_point"].partition(" ")[0] for one in found["broken"]] == [
        "absent", "incomplete", "other",
    ]  # fmt: skip
    for one in found["broken"]:
        (problem,) = one["problems"]
        assert problem["code"] == "broken_trainable"
        assert problem["detail"]
        assert problem["hint"]
    assert "argbest_no_such_module" in found["broken"][0]["problems"][0]["detail"]
    assert (shown.status_code, "left out" in shown.json()["detail"]) == (404, True)
    assert submitted.status_code == 202
    assert client.get(f"/api/v1/jobs/{submitted.json()['id']}/report?format=md").status_code == 200
    assert ready["database"] == "ok"


@pytest.mark.parametrize(
    "nodes", [[{"mem": []}], [7], {"a": 1}, [{"raylet": {"resourcesTotal": {"CPU": "many"}}}]]
)
def test_an_odd_answer_of_the_dashboard_is_a_503(
    settings: Settings, store: Store, nodes: Any
) -> None:
    with dashboard(nodes) as url:
        app = create_app(settings.model_copy(update={"dashboard_url": url}), store)
        with TestClient(app) as client:
            answer = client.get("/api/v1/cluster")
    assert answer.status_code == 503
    assert "Ray dashboard" in answer.json()["detail"]
