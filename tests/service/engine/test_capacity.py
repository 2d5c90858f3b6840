"""What a driver notes of Ray's size, and when."""

from __future__ import annotations

import logging

import pytest
import ray
from ray.exceptions import RaySystemError

from results.store import Store
from service.engine.capacity import CapacityWatch


def test_the_capacity_is_noted_once_connected_and_when_it_changes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[float, float]] = []
    monkeypatch.setattr(store, "note_capacity", lambda cpu, gpu: noted.append((cpu, gpu)))
    watch = CapacityWatch(store)
    watch.look()
    assert noted == [], "not connected"
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    answers: list[dict[str, float]] = [{"CPU": 2.0}, {"CPU": 2.0}, {"CPU": 6.0, "GPU": 1.0}, {}]
    for answer in answers:
        monkeypatch.setattr(ray, "cluster_resources", lambda answer=answer: answer)
        watch.look()
    assert noted == [(2.0, 0.0), (6.0, 1.0), (0.0, 0.0)]


def test_a_ray_that_does_not_answer_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> dict[str, float]:
        raise RaySystemError("no answer")

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", fail)
    caplog.set_level(logging.WARNING)
    CapacityWatch(store).look()
    assert "capacity could not be noted" in caplog.text
