"""The benchmark of searches through the service says what it saw, also where nothing was found."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from benchmarks.search_service import Search, search, summary

FOUND = Search(
    1, True, 330.0, 594.0, trials=31, epochs=140, best=0.8870, target=0.8866, ended_by="x"
)
MISSED = Search(
    2, False, 600.0, 600.0, trials=60, epochs=250, best=0.8840, target=0.8866, ended_by=""
)


class Service:
    """Answers as a service would, and keeps the body that it was given."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = {}
        self.client = SimpleNamespace(best=lambda _: SimpleNamespace(value=0.887))

    def time_job(self, body: dict[str, Any], **_: Any) -> SimpleNamespace:
        self.body = body
        progress = SimpleNamespace(epochs_done=140)
        job = SimpleNamespace(id="1", progress=progress, ended_by="trial 3 reached the target")
        return SimpleNamespace(job=job, trials=[None] * 31, recorded_s=330.0, training_s=594.0)


def test_a_search_ends_at_the_margin_of_the_grids_best() -> None:
    service = Service()
    one = search(service, 7, 0.8866, has_code=True)  # type: ignore[arg-type]
    assert (one.trials, one.epochs, one.seconds, one.best) == (31, 140, 330.0, 0.887)
    assert service.body["budget"] == {"target": 0.8866}
    assert (service.body["seed"], service.body["strategy"]) == (7, "auto")
    assert one.has_found
    assert one.training_share == 0.9


def test_the_table_says_what_was_not_found_and_how_long_searches_took() -> None:
    text = summary([FOUND, MISSED])
    assert "| 1 | at hand | 5.5 | 90% | 31 | 140 | 0.8870 |" in text
    assert "| 2 | none | 10.0 | 50% | 60 | 250 | 0.8840 (not found) |" in text
    assert "Median 7.8 min, longest 10.0 min." in text
