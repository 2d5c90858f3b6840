"""What trial processes that are started ahead import; tests/service/whole/ uses them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import ray
from ray.exceptions import RayError

from service.engine import processes, warm_processes
from tests.service.running import until


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes were to wait, at each start."""
    found: list[int] = []
    monkeypatch.setattr(warm_processes, "start", lambda number, _: found.append(number) or [])
    return found


def test_trials_that_run_are_no_processes_that_were_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ray gives a trial's process a title of its own between two steps of the trial."""
    titles = enumerate(("argbest", "ray::", "sh"))
    trial, new, child = (SimpleNamespace(pid=pid, title=title) for pid, title in titles)
    found = [trial]
    monkeypatch.setattr(processes, "trial_processes", lambda _: list(found))
    monkeypatch.setattr(processes, "is_worker", lambda one: one.title == "ray::")
    there = processes.trial_processes(processes.identity(os.getpid()))
    trial.title = "ray::"
    found += [child, new]
    assert warm_processes._started_since(there) == [new]


def test_a_process_imports_what_the_numpy_trainables_need_and_no_torch() -> None:
    module, _, hook = warm_processes.HOOK.rpartition(".")
    code = (
        f"import sys; from {module} import {hook}; {hook}(); "
        "names = 'ray.tune numba.np.arraymath trainables.numpy_trainables torch'.split(); "
        "print(*(name in sys.modules for name in names))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.split() == ["True", "True", "True", "False"]


@pytest.mark.parametrize(
    ("resources", "number"),
    [
        pytest.param([{"CPU": n} for n in (1.0, 0.5, 1.0, 1.0, 2.0)], 2, id="a CPU is free"),
        pytest.param([{}] * warm_processes.CHECKS, 1, id="none is"),
    ],
)
def test_processes_are_started_ahead_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
    started: list[int],
    resources: list[dict[str, float]],
    number: int,
) -> None:
    looks = iter(resources)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "available_resources", lambda: next(looks))
    ahead = warm_processes.Ahead(2, lambda: False)
    assert [ahead.is_ready() for _ in resources] == [False] * (len(resources) - 1) + [True]
    assert started == [number]
    looks = iter([{"CPU": 1.0}] * warm_processes.IDLE_CHECKS)
    for _ in range(5):
        assert ahead.is_ready()
    assert started == [number, 2][: 3 - number], "the others as soon as a CPU is free"


@pytest.mark.parametrize(
    ("lasts", "pauses"),
    [
        pytest.param(True, [30.0, 10.0, 10.0, 10.0, 10.0], id="each is used, and another started"),
        pytest.param(False, [30.0, 10.0, 20.0, 40.0, 80.0], id="Ray ends each at once"),
    ],
)
def test_processes_that_ray_ends_are_started_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch, lasts: bool, pauses: list[float]
) -> None:
    waited: list[float] = []

    class Looks(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:  # a thread waits for another one's start
                return super().wait()
            waited.append(timeout)
            return len(waited) == len(pauses)

    process = SimpleNamespace(is_running=lambda: lasts)
    monkeypatch.setattr(warm_processes, "start", lambda *_: [process])
    monkeypatch.setattr(threading, "Event", Looks)
    with warm_processes.keep_one(lambda: True):
        until(lambda: len(waited) == len(pauses), within_s=20, what="the looks")
    assert waited == pauses


def test_a_driver_is_ready_where_ray_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, started: list[int]
) -> None:
    def fail() -> dict[str, float]:
        raise RayError("gone")

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "available_resources", fail)
    assert warm_processes.Ahead(2, lambda: False).is_ready()
    assert started == []


def test_a_long_job_keeps_a_process_waiting(
    monkeypatch: pytest.MonkeyPatch, started: list[int]
) -> None:
    monkeypatch.setattr(warm_processes, "LONG_SECONDS", 0.3)
    monkeypatch.setattr(warm_processes, "LONG_PAUSE_SECONDS", 0.01)
    with warm_processes.keep_one(lambda: True):
        pass
    assert started == []
    needed = iter([False, True, True])
    with warm_processes.keep_one(lambda: next(needed, False)):
        until(lambda: len(started) > 1, within_s=10, what="another look")
    assert started == [1, 1]


def test_nothing_is_started_ahead_where_the_setting_is_zero() -> None:
    assert warm_processes.Ahead(0, lambda: False).is_ready()
