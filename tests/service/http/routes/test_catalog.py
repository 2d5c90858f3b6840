"""The catalogs: search spaces, trainables, data sets and the cluster."""

from __future__ import annotations

from fastapi.testclient import TestClient

from service.settings import Settings


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
