"""What trial processes that are started ahead import; tests/service/whole/ uses them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import ray

from service.engine import warm_processes


def test_a_process_imports_what_the_numpy_trainables_need_and_no_torch() -> None:
    module, _, hook = warm_processes.HOOK.rpartition(".")
    code = (
        f"import sys; from {module} import {hook}; {hook}(); "
        "names = 'ray.tune numba.np.arraymath trainables.numpy_trainables torch'.split(); "
        "print(*(name in sys.modules for name in names))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.split() == ["True", "True", "True", "False"]


def test_processes_are_started_ahead_once_a_cpu_has_been_free_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free, started = iter([1.0, 0.5, 1.0, 1.0, 2.0]), []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": next(free)})
    monkeypatch.setattr(warm_processes, "start", lambda number, _: started.append(number) or number)
    ahead = warm_processes.Ahead(2, lambda: False)
    assert [ahead.is_ready() for _ in range(5)] == [False, False, False, False, True]
    assert started == [2]


def test_processes_are_started_ahead_after_a_longer_while_where_no_cpu_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "available_resources", dict)
    monkeypatch.setattr(warm_processes, "start", lambda number, _: started.append(number) or number)
    ahead = warm_processes.Ahead(2, lambda: False)
    looks = [ahead.is_ready() for _ in range(warm_processes.CHECKS)]
    assert (looks, started) == ([False] * (warm_processes.CHECKS - 1) + [True], [2])


def test_nothing_is_started_ahead_where_the_setting_is_zero() -> None:
    assert warm_processes.Ahead(0, lambda: False).is_ready()
