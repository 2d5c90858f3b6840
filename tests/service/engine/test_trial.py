"""The trial process as Ray Tune calls it, without Ray."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from service.engine import trial
from service.engine.messages import ASSIGNMENT, Assignment, Finished, Message, from_result
from service.engine.trial import NotNeededError, TrialProcess, trial_process
from tests.service.stand_ins import spec, trial_context


class Scripted:
    """A segment that sends what it is given, and may be stuck after that."""

    def __init__(self, assignment: Assignment, context: object) -> None:
        self.assignment, self.batches = assignment, [[Finished()]]

    def take(self) -> list[Message]:
        return list(self.batches.pop(0))

    def is_stuck(self) -> bool:
        return False


@pytest.fixture
def process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[TrialProcess, dict[str, Any], list[str]]:
    titles: list[str] = []
    monkeypatch.setattr(trial, "setproctitle", titles.append)
    monkeypatch.setattr(trial, "Segment", Scripted)
    kind = trial_process(trial_context(spec(name="my grid: 2 layers"), tmp_path))
    return object.__new__(kind), {ASSIGNMENT: Assignment("s", 7, {}, 42, 3).to_json()}, titles


def test_rays_dashboard_shows_the_jobs_name_and_its_trial(
    process: tuple[TrialProcess, dict[str, Any], list[str]],
) -> None:
    actor, config, titles = process
    assert type(actor).__name__ == "my_grid__2_layers_0000000000000000"
    actor.setup(config)
    actor.step()
    assert titles == ["argbest my grid: 2 layers 0000000000000000 trial 7"]


def test_a_process_runs_one_segment_after_another(
    process: tuple[TrialProcess, dict[str, Any], list[str]],
) -> None:
    actor, config, _ = process
    actor.setup(config)
    result = actor.step()
    assert result["done"]
    assert from_result(result) == [Finished()]
    assert actor.reset_config({ASSIGNMENT: Assignment("t", 8, {}, 42, 3).to_json()})
    assert actor._segment.assignment.number == 8


def test_a_stuck_segment_takes_the_process_with_it_once_its_end_is_sent(
    process: tuple[TrialProcess, dict[str, Any], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, config, _ = process
    actor.setup(config)
    segment = actor._segment

    def take() -> list[Message]:
        monkeypatch.setattr(segment, "is_stuck", lambda: True)
        return [Finished()]

    def exit_now(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(segment, "take", take)
    monkeypatch.setattr(os, "_exit", exit_now)
    assert actor.step()["done"] is False, "Tune would use the process again"
    with pytest.raises(SystemExit, match="1"):
        actor.step()


def test_a_process_that_is_told_to_leave_raises_so_that_tune_ends_it(
    process: tuple[TrialProcess, dict[str, Any], list[str]],
) -> None:
    actor, config, _ = process
    actor.setup(config)
    actor.step()
    assert actor.reset_config({ASSIGNMENT: None})
    with pytest.raises(NotNeededError):
        actor.step()
