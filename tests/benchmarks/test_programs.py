"""The benchmark of users' code times trials and reports, and checks that all reports came."""

from __future__ import annotations

import pytest

from benchmarks import programs
from benchmarks.records import BenchmarkError


def test_a_trial_and_a_report_are_timed() -> None:
    here = programs.built_in(3)
    assert len(here.reports) == 3
    command = programs.in_child("a command, argbest.report", 3)
    assert len(command.reports) == 3
    assert command.trial_ms > here.trial_ms > 0
    assert command.report_us > 0


def test_a_trial_that_fails_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"command": ["sh", "-c", "exit 3"]}
    monkeypatch.setitem(programs.WAYS, "broken", (broken, {}, 3))
    with pytest.raises(BenchmarkError, match=r"broken: .*status 3"):
        programs.in_child("broken", 3)
