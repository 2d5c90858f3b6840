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


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([{"CPU": n} for n in (1.0, 0.5, 1.0, 1.0, 2.0)], id="a CPU is free"),
        pytest.param([{}] * warm_processes.CHECKS, id="none is"),
    ],
)
def test_processes_are_started_ahead_after_a_while(
    monkeypatch: pytest.MonkeyPatch, resources: list[dict[str, float]]
) -> None:
    looks, started = iter(resources), []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "available_resources", lambda: next(looks))
    monkeypatch.setattr(warm_processes, "start", lambda number, _: started.append(number) or number)
    ahead = warm_processes.Ahead(2, lambda: False)
    assert [ahead.is_ready() for _ in resources] == [False] * (len(resources) - 1) + [True]
    assert started == [2]


def test_nothing_is_started_ahead_where_the_setting_is_zero() -> None:
    assert warm_processes.Ahead(0, lambda: False).is_ready()
