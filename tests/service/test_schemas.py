"""The models of answers: read from newer servers, written as the API writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from search_spaces import Problem, SearchSpace
from search_spaces.space import KEYS
from service.schemas import (
    CurveView,
    JobView,
    ProblemView,
    ReadinessView,
    SearchSpaceView,
    TrialView,
)

PROGRESS = {
    "trials": 3, "finished": 1, "failed": 0, "running": 1, "epochs_done": 4, "epochs_total": 9,
    "stopped": 0, "paused": 0,
}  # fmt: skip
JOB: dict[str, Any] = {
    "id": "0123456789abcdef", "name": "rates", "state": "running", "progress": PROGRESS,
    "best": None, "spec": {"seed": 42}, "fingerprint": "f", "error": None,
    "created_at": "2026-01-02T03:04:05.000006Z", "started_at": None, "finished_at": None,
    "dashboard_url": None, "links": {}, "priority": 1, "slots": None, "waiting": None,
    "ended_by": "", "chosen": "", "tags": {}, "notes": "",
}  # fmt: skip
TRIAL: dict[str, Any] = {
    "number": 0, "state": "succeeded", "parameters": {}, "seed": 42, "metrics": {}, "epochs": 1,
    "seconds": 0.5, "node": None, "attempts": 1, "error": None, "started_at": None,
    "finished_at": None,
}  # fmt: skip


def test_an_answer_of_a_newer_server_keeps_all_it_holds() -> None:
    newer = {**JOB, "state": "hibernating", "color": "red", "progress": {**PROGRESS, "lost": 2}}
    job = JobView.model_validate(newer)
    assert (job.state, job.model_extra) == ("hibernating", {"color": "red"})
    assert job.created_at == datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert json.loads(job.model_dump_json()) == newer


def test_an_answer_of_an_older_server_has_defaults_for_newer_keys() -> None:
    trial = TrialView.model_validate(TRIAL)
    assert (trial.engine, trial.rank, trial.resumed_from, trial.checkpoint) == ("", None, 0, 0)
    assert (trial.purpose, trial.configuration, trial.score, trial.violations) == (
        "search", None, None, [],
    )  # fmt: skip
    new = ("priority", "slots", "waiting", "ended_by", "chosen")
    job = JobView.model_validate({key: value for key, value in JOB.items() if key not in new})
    assert (job.priority, job.slots, job.waiting, job.ended_by) == (1, None, None, "")


def test_only_an_event_of_a_change_holds_the_change() -> None:
    job = JobView.model_validate(JOB)
    assert "change" not in json.loads(job.model_dump_json())
    change = {
        "id": 7, "job_id": JOB["id"], "trial": None, "state": "running",
        "at": "2026-01-02T03:04:05Z", "attempt": None, "detail": "",
    }  # fmt: skip
    event = JobView.model_validate({**JOB, "change": change})
    assert json.loads(event.model_dump_json()) == {**JOB, "change": change}


def test_an_answer_without_a_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="fingerprint"):
        JobView.model_validate({key: JOB[key] for key in JOB if key != "fingerprint"})


def test_a_curve_has_a_list_of_numbers_for_each_metric() -> None:
    curve = CurveView.model_validate({"trial": 1, "epoch": [1, 2], "val/loss": [0.5, 0.25]})
    assert curve.model_extra == {"val/loss": [0.5, 0.25]}
    assert json.loads(curve.model_dump_json())["val/loss"] == [0.5, 0.25]
    some = CurveView.model_validate({"trial": 1, "epoch": [1, 2], "accuracy": [None, 0.5]})
    assert some.model_extra == {"accuracy": [None, 0.5]}
    with pytest.raises(ValidationError):
        CurveView.model_validate({"trial": 1, "epoch": [1], "loss": "low"})


def test_a_declared_space_is_shown_whole() -> None:
    space = SearchSpace.from_json(
        {
            "name": "mine", "command": ["p", "{args}"], "metric": "m", "mode": "min", "epochs": 5,
            "parameters": {"x": {"values": [1, 2]}}, "early_end": True, "environment": {"A": "1"},
            "flags": {"x": {"1": "--one"}}, "patterns": {"m": "(.)"}, "resumes": True, "code": ".",
            "budget": {"seconds": 3}, "constraints": [{"metric": "m", "at_most": 2}],
        }
    ).to_json()  # fmt: skip
    assert json.loads(SearchSpaceView.model_validate(space).model_dump_json()) == space
    assert set(SearchSpaceView.model_fields) == set(KEYS)


def test_absent_keys_stay_absent() -> None:
    space = {
        "name": "mine", "title": "Mine", "trainable": "t", "dataset": "ames", "epochs": 1,
        "metric": "m", "mode": "min", "strategy": "single", "parameters": {"l2": None},
    }  # fmt: skip
    assert json.loads(SearchSpaceView.model_validate(space).model_dump_json()) == space
    ready = ReadinessView.model_validate({"status": "ok"})
    assert ready.model_dump(exclude_unset=True) == {"status": "ok"}


def test_a_problem_holds_the_problems_of_its_fields() -> None:
    body = {
        "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "wrong",
        "errors": [{"pointer": "/seed", "detail": "too small", "code": "greater_than_equal"}],
        "hint": "", "request_id": "7",
    }  # fmt: skip
    problem = ProblemView.model_validate(body)
    assert problem.errors == [Problem("/seed", "too small", "greater_than_equal")]


def test_the_models_load_no_part_of_the_server() -> None:
    code = (
        "import sys, service.schemas; print([name for name in ('fastapi', 'ray', 'sqlalchemy', "
        "'torch', 'numpy', 'optuna', 'trainables', 'results.store') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
