from __future__ import annotations

from typing import Any

from results.analysis import JobResults
from results.conclusion import conclusion
from results.export import plain_json
from tests.results import fakes


def test_a_search_of_one_seed_has_no_confirmation() -> None:
    found = conclusion(JobResults.of(*fakes.sampled(12)))
    assert found["confirmation"] is None
    assert {one["rule"] for one in found["diagnosis"]} >= {"few_trials"}
    assert found["spent"]["total"] == {"trials": 12, "epochs": 57, "seconds": 85.5}


def test_a_confirmation_as_json() -> None:
    values = {1: [0.88, 0.89, 0.87], 2: [0.85, 0.86, 0.84], 0: [0.82, 0.83, 0.80]}
    found: dict[str, Any] = plain_json(
        conclusion(JobResults.of(*fakes.confirming(fakes.feedforward(2), values)))
    )["confirmation"]
    assert found["verdict"].startswith("Trial 1 (learning rate 0.001) wins")
    assert (found["winner"], found["together"], found["is_clear"]) == (1, [1], True)
    assert found["seeds"] == [43, 44, 45]
    assert "paired differences" in found["method"]
    assert "95%" in found["method"]
    assert found["candidates"][0]["values"] == {"43": 0.88, "44": 0.89, "45": 0.87}
    assert found["to_second"]["other"] == 2
    assert found["to_second"]["n"] == 3
    assert found["to_default"]["other"] == 0
    assert list(found["test"]) == ["test_accuracy"]
