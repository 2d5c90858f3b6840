"""Trials as columns and curves as words of four bytes hold what the records hold."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime

from results.ranking import rank
from results.records import Curve, Failure, TrialRecord
from results.states import FailureKind, TrialState
from search_spaces import SearchSpace
from service.http.columns import columns, points

SPACE = SearchSpace.from_stored({
    "name": "s", "title": "s", "trainable": "numpy_linear_regression", "dataset": "ames",
    "epochs": 3, "metric": "loss", "mode": "min", "strategy": "grid",
    "parameters": {"rate": {"values": [0.1, 0.2]}},
})  # fmt: skip
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_trials_become_columns() -> None:
    failure = Failure(FailureKind.DIVERGED, "loss is NaN", "Traceback ...")
    trials = [
        TrialRecord(0, TrialState.SUCCEEDED, {"rate": 0.1}, 42, {"loss": 2.0}, epochs=3, attempt=1),
        TrialRecord(1, TrialState.SUCCEEDED, {"rate": 0.2, "on": True}, 42, {"loss": 1.0},
                    epochs=3, attempt=1, started_at=NOON),
        TrialRecord(2, TrialState.FAILED, {"rate": 0.2}, 42, {}, attempt=1, error=failure),
    ]  # fmt: skip
    view = columns(trials, rank(trials, SPACE), last=7)
    found = view.model_dump()
    assert (found["last"], found["trials"]) == (7, 3)
    assert found["columns"]["number"] == [0, 1, 2]
    assert found["columns"]["state"] == ["succeeded", "succeeded", "failed"]
    assert found["columns"]["seed"] == {"all": 42}
    assert found["columns"]["rank"] == [2, 1, None]
    assert found["columns"]["started_at"] == [None, NOON.timestamp(), None]
    assert found["parameters"] == {"rate": [0.1, 0.2, 0.2], "on": [None, True, None]}
    assert found["metrics"] == {"loss": [2.0, 1.0, None]}
    assert found["errors"] == {2: {"kind": "diverged", "message": "loss is NaN", "traceback": None}}
    assert found["scores"] == {}
    empty = columns([], rank([], SPACE), last=0).model_dump()
    assert (empty["trials"], empty["columns"]["number"], empty["metrics"]) == (0, [], {})


def test_curves_become_words() -> None:
    curves = [
        Curve(3, (1, 2), {"loss": (0.5, 0.25), "late": (None, 1e300)}),
        Curve(4, (), {}),
        Curve(5, (4, 6), {"loss": (1.0, 2.0)}),
    ]
    first, second = points(curves, ["loss", "late", "none"], 1)
    assert first[:20] == struct.pack("<3I2f", 3, 1, 2, 0.5, 0.25)
    late = struct.unpack("<2f", first[20:28])
    assert math.isnan(late[0])
    assert late[1] == struct.unpack("<f", struct.pack("<f", 3.4028234663852886e38))[0]
    assert all(map(math.isnan, struct.unpack("<2f", first[28:])))
    # An epoch that is missing has no value; epochs that are 2 apart have none between them.
    assert second[:12] == struct.pack("<3I", 5, 4, 3)
    one, gap, two = struct.unpack("<3f", second[12:24])
    assert (one, math.isnan(gap), two) == (1.0, True, 2.0)
    (thin,) = points(curves[2:], ["loss"], 2)
    assert thin == struct.pack("<3I2f", 5, 4, 2, 1.0, 2.0)
