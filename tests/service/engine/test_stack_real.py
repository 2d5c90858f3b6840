"""Stacked trials for real: the same curves as one after the other, and a stack that is killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.engine import processes
from tests.real_data import ensure_fashion_mnist
from tests.service.running import Service

pytestmark = [pytest.mark.ray, pytest.mark.slow]

RATES = [0.02, 0.05, 0.1]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    ensure_fashion_mnist()
    service = Service(tmp_path_factory.mktemp("stacks"), ARGBEST_NUM_CPUS="2")
    service.start()
    yield service
    service.stop()
    assert service.processes() == []


def search(epochs: int, **parameters: Any) -> dict[str, Any]:
    """A grid of networks on Fashion-MNIST, 98 steps an epoch."""
    return {
        "name": "widths", "trainable": "torch_feedforward", "dataset": "fashion_mnist",
        "epochs": epochs, "metric": "validation_accuracy", "mode": "max", "strategy": "grid",
        "parameters": {"batch_size": 512, "learning_rate": {"values": RATES}, **parameters},
    }  # fmt: skip


def test_a_stacked_job_gives_the_curves_of_the_same_job_unstacked(service: Service) -> None:
    space = search(2, hidden_size={"values": [16, 24]})
    jobs = [service.wait(service.submit(space, stack=n), within_s=240) for n in (3, 1)]
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    stacked, alone = (service.get(f"{job['id']}/trials")["items"] for job in jobs)
    assert [t["parameters"] for t in stacked] == [t["parameters"] for t in alone]
    assert len({t["metrics"]["train_loss"] for t in stacked}) == 6
    curves, expected = (service.get(f"{job['id']}/curves")["items"] for job in jobs)
    assert [curve["epoch"] for curve in curves] == [[1, 2]] * 6
    for curve, other in zip(curves, expected, strict=True):
        assert curve["train_loss"] == pytest.approx(other["train_loss"], rel=1e-3)
        for name in ("validation_accuracy", "test_accuracy"):
            assert curve[name] == pytest.approx(other[name], abs=0.002)


def test_a_stack_that_is_killed_runs_again_as_a_whole(service: Service) -> None:
    job_id = service.submit(search(12, hidden_size=16), stack=3)
    service.wait_for_epochs(job_id, 6)
    (doomed,) = processes.trial_processes(job_id)
    doomed.kill()
    job = service.wait(job_id, within_s=240)
    assert job["state"] == "succeeded"
    trials = service.get(f"{job_id}/trials")["items"]
    assert [t["attempts"] for t in trials] == [2, 2, 2]
    assert job["progress"]["epochs_done"] == 36
    curves = service.get(f"{job_id}/curves")["items"]
    assert [curve["epoch"] for curve in curves] == [list(range(1, 13))] * 3


def test_a_member_that_diverges_fails_alone(service: Service) -> None:
    """Rate 10 and decay 1 make each weight -9 times itself: beyond float32 within an epoch."""
    space = search(3, hidden_size=16)
    space["parameters"] |= {"learning_rate": {"values": [10.0, 0.05]}, "l2_decay": 1.0}
    job = service.wait(service.submit(space, stack=2), within_s=240)
    diverged, well = service.get(f"{job['id']}/trials")["items"]
    assert (diverged["state"], diverged["error"]["kind"]) == ("failed", "diverged")
    assert (well["state"], well["epochs"], well["attempts"]) == ("succeeded", 3, 1)
    assert job["best"]["trial"] == 1
