"""Routes get the search spaces as the user's folder has them now."""

from __future__ import annotations

import yaml
from fastapi.testclient import TestClient

from service.http.dependencies import get_library
from service.settings import Settings


def test_a_saved_file_counts_without_a_restart(client: TestClient, settings: Settings) -> None:
    assert settings.search_spaces_dir is not None
    assert client.get("/api/v1/search_spaces/mine").status_code == 404
    settings.search_spaces_dir.mkdir()
    space = client.get("/api/v1/search_spaces/q4_grid").json() | {"name": "mine"}
    (settings.search_spaces_dir / "mine.yaml").write_text(yaml.safe_dump(space), encoding="utf-8")
    assert client.get("/api/v1/search_spaces/mine").json() == space
    assert get_library(settings).get("mine").to_json() == space


def test_no_folder_is_no_error(settings: Settings) -> None:
    without = settings.model_copy(update={"search_spaces_dir": None})
    assert len(get_library(without).all()) == 9
