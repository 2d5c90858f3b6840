"""What every rule of the diagnosis finds has a form that answers can show."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict

import pytest

from results.diagnosis.finding import Finding


def test_a_finding_is_plain_and_fixed() -> None:
    found = Finding("bound", "rate", "the best rate, 0.1, is the largest", "widen it")
    assert json.loads(json.dumps(asdict(found))) == {
        "rule": "bound",
        "parameter": "rate",
        "detail": "the best rate, 0.1, is the largest",
        "hint": "widen it",
    }
    assert found == Finding(**asdict(found))
    with pytest.raises(FrozenInstanceError):
        found.hint = "narrow it"  # type: ignore[misc]
