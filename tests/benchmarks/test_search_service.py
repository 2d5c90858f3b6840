"""The benchmark of searches through the service says what it saw, also where nothing was found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from benchmarks.search_service import Search, good, search, summary

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FOUND = Search(
    1,
    True,
    330.0,
    594.0,
    trials=31,
    epochs=140,
    best=0.8870,
    target=0.8866,
    ended_by="x",
    good_seconds=90.0,
)
MISSED = Search(
    2,
    False,
    600.0,
    600.0,
    trials=60,
    epochs=250,
    best=0.8840,
    target=0.8866,
    ended_by="",
    good_seconds=None,
)


class Service:
    """Answers as a service would, and keeps the body that it was given."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = {}
        self.trials = [
            trial(60, 0.8800),
            trial(120, 0.8845, layers=1),
            trial(200, 0.8840),
            trial(320, 0.8890),
            trial(330, 0.8891, layers=2),
            trial(300, 0.8999, layers=1, state="stopped"),
        ]
        self.client = SimpleNamespace(best=lambda _: SimpleNamespace(value=0.887))

    def time_job(self, body: dict[str, Any], **_: Any) -> SimpleNamespace:
        self.body = body
        progress = SimpleNamespace(epochs_done=140)
        job = SimpleNamespace(
            id="1", progress=progress, ended_by="trial 3 reached the target", created_at=BEGIN
        )
        return SimpleNamespace(job=job, trials=self.trials, recorded_s=330.0, training_s=594.0)


def trial(
    seconds: float, accuracy: float, *, layers: int = 3, state: str = "succeeded"
) -> SimpleNamespace:
    """A trial that ended so many seconds after the job was posted.

    With two or three layers its configuration is one of the good ones.
    """
    parameters = {
        "learning_rate": 0.001, "hidden_size": 200, "dropout": 0.3 if layers > 1 else 0.5,
        "activation": "relu", "optimizer": "sgd", "layers": layers, "l2_decay": 0.0,
        "batch_size": 1,
    }  # fmt: skip
    at, metrics = BEGIN + timedelta(seconds=seconds), {"validation_accuracy": accuracy}
    return SimpleNamespace(state=state, finished_at=at, metrics=metrics, parameters=parameters)


def test_a_search_ends_at_the_margin_of_the_grids_best() -> None:
    service = Service()
    one = search(service, 7, 0.8866, has_code=True)  # type: ignore[arg-type]
    assert (one.trials, one.epochs, one.seconds, one.best) == (6, 140, 330.0, 0.887)
    assert one.good_seconds == 320.0
    assert service.body["budget"] == {"target": 0.8866}
    assert (service.body["seed"], service.body["strategy"]) == (7, "auto")
    assert one.has_found
    assert one.training_share == 0.9


def test_the_table_says_what_was_not_found_and_how_long_searches_took() -> None:
    text = summary([FOUND, MISSED])
    assert "| 1 | at hand | 5.5 | 1.5 | 90% | 31 | 140 | 0.8870 |" in text
    assert "| 2 | none | 10.0 | - | 50% | 60 | 250 | 0.8840 (not found) |" in text
    assert "Median 7.8 min, longest 10.0 min." in text


def test_a_search_without_a_good_configuration_says_so() -> None:
    service = Service()
    service.trials = [trial(60, 0.8800), trial(90, 0.8850, layers=1)]
    one = search(service, 7, 0.8866, has_code=True)  # type: ignore[arg-type]
    assert one.good_seconds is None


def test_three_configurations_of_our_table_are_good() -> None:
    assert len(good()) == 3, "docs/search-measured.md names them"
