"""What a driver tells Ray of its job's trials, and whether a node can hold them."""

from __future__ import annotations

from typing import Any

import pytest
import ray

from results.store import Store
from service.engine.ray_connection import check_feasible, connect
from service.settings import Settings
from tests.service.stand_ins import accept, spec

pytestmark = pytest.mark.usefixtures("two_nodes")


def test_a_trial_that_fits_one_node_is_feasible() -> None:
    check_feasible(spec(cpu=4.0), has_run=False, node_s=0)
    check_feasible(spec(cpu=2.0, gpu=1.0), has_run=False, node_s=0)


def test_a_node_that_comes_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a job that is submitted while the largest node starts again fails."""
    small, large = ({"Alive": True, "Resources": {"CPU": cpus}} for cpus in (2.0, 8.0))
    answers = iter([[small], [small], [small, large]])
    monkeypatch.setattr(ray, "nodes", lambda: next(answers))
    check_feasible(spec(cpu=8.0), has_run=False, node_s=60, every_s=0)
    assert list(answers) == []


def test_a_trial_that_asks_for_no_gpu_is_to_see_none(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned Ray shows it all of them unless it is told not to."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(ray, "init", lambda **options: given.update(options))
    connect(store.job(accept(store)), settings)
    variables = given["job_config"].runtime_env["env_vars"]
    assert variables["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] == "1"


@pytest.mark.parametrize(("cpu", "threads"), [(0.5, "1"), (1.0, "1"), (3.0, "3")])
def test_a_trial_computes_with_as_many_threads_as_it_has_cpus(
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    cpu: float,
    threads: str,
) -> None:
    """Its results are equal bit for bit, alone or beside others, only with one order of sums."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(ray, "init", lambda **options: given.update(options))
    connect(store.job(accept(store, spec(cpu=cpu))), settings)
    variables = given["job_config"].runtime_env["env_vars"]
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    assert [variables[f"{library}_NUM_THREADS"] for library in libraries] == [threads] * 4


def test_a_trial_waits_while_no_node_with_cpus_is_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As while the only worker starts again, or where an autoscaler begins with none."""
    gone = [{"Alive": True, "Resources": {}}, {"Alive": False, "Resources": {"CPU": 4.0}}]
    monkeypatch.setattr(ray, "nodes", lambda: gone)
    check_feasible(spec(cpu=1.0), has_run=False, node_s=0)
    assert "has 0 CPU and 0 GPU: the trials wait for a node" in caplog.text
