"""Programs are refused where the service does not run them, whatever else is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

COMMAND: dict[str, Any] = {
    "name": "mine", "command": ["python", "train.py", "{args}"], "metric": "val_loss",
    "mode": "min", "parameters": {"lr": {"values": [0.1, 0.2]}},
}  # fmt: skip
FUNCTION = {**COMMAND, "trainable": "mine.py:train", "code": "."}
del FUNCTION["command"]


@pytest.mark.parametrize("space", [COMMAND, FUNCTION])
def test_programs_are_refused(client: TestClient, space: dict[str, Any]) -> None:
    answer = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space})
    assert answer.status_code == 403
    assert "ARGBEST_ALLOW_COMMANDS is off" in answer.json()["detail"]
