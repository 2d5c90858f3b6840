"""The trial process as Ray Tune calls it, without Ray."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from service.engine import trial
from service.engine.messages import (
    ASSIGNMENT,
    CONTEXT,
    Assignment,
    Finished,
    Message,
    from_result,
)
from service.engine.training import TrialContext
from service.engine.trial import NotNeededError, TrialProcess
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
    config = assigned(trial_context(spec(name="my grid: 2 layers"), tmp_path), 7)
    return object.__new__(TrialProcess), config, titles


def assigned(context: TrialContext, number: int) -> dict[str, Any]:
    """Return the configuration of a segment of trial ``number``."""
    assignment = Assignment("s", number, {}, 42, 3)
    return {ASSIGNMENT: assignment.to_json(), CONTEXT: context.to_bytes()}


def test_rays_dashboard_shows_the_jobs_name_and_its_trial(
    process: tuple[TrialProcess, dict[str, Any], list[str]],
) -> None:
    actor, config, titles = process
    actor.setup(config)
    actor.step()
    assert titles == ["argbest my grid: 2 layers 0000000000000000 trial 7"]


def test_a_process_runs_one_segment_after_another_also_of_another_job(
    process: tuple[TrialProcess, dict[str, Any], list[str]], tmp_path: Path
) -> None:
    actor, config, titles = process
    actor.setup(config)
    result = actor.step()
    assert result["done"]
    assert from_result(result) == [Finished()]
    other = trial_context(spec(name="another", cpu=0.5), tmp_path)
    assert actor.reset_config(assigned(other, 8))
    assert actor._segment.assignment.number == 8
    actor.step()
    assert titles[-1] == "argbest another 0000000000000000 trial 8"
    needs = TrialProcess.default_resource_request(assigned(other, 8))
    assert needs.bundles == [{"CPU": 0.5}]


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
    assert actor.reset_config({**config, ASSIGNMENT: None})
    with pytest.raises(NotNeededError):
        actor.step()
