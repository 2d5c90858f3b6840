"""What a trial's processes use, by processes and GPUs that stand in for real ones."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from results.records import Usage
from service.engine.usage import LOOK_SECONDS, Nvidia, UsageMeter, meter, own_processes


class Process:
    """Has used so many seconds; None: it has ended."""

    def __init__(self, seconds: float | None, memory: int = 0) -> None:
        self.seconds, self.memory = seconds, memory

    def cpu_times(self) -> Any:
        if self.seconds is None:
            raise psutil.NoSuchProcess(1)
        return SimpleNamespace(user=self.seconds, system=0.5)

    def memory_info(self) -> Any:
        return SimpleNamespace(rss=self.memory + 100, shared=100)


def test_what_was_used_between_two_looks_is_shown() -> None:
    now, processes = [0.0], [Process(10.0, 1_000), Process(None)]
    used = UsageMeter(
        lambda: (0.5, 2_000),
        processes=lambda: processes,  # type: ignore[arg-type,return-value]
        clock=lambda: now[0],
    )
    now[0] = LOOK_SECONDS - 0.1
    assert used.look() is None
    now[0] = LOOK_SECONDS
    processes[0].seconds, processes[0].memory = 10.0 + 1.5 * LOOK_SECONDS, 3_000
    assert used.look() == Usage(1.5, 3_000, 3_000, 0.5, 2_000)
    assert used.look() is None
    now[0] = 2 * LOOK_SECONDS
    processes.pop(0)  # a process that has ended takes its time with it
    assert used.look() == Usage(0.0, 0, 0, 0.5, 2_000)


def test_the_processes_are_this_one_and_its_descendants() -> None:
    with subprocess.Popen([sys.executable, "-IS", "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert {psutil.Process().pid, child.pid} <= {one.pid for one in own_processes()}
        child.kill()
    assert meter(0.0).look() is None


class NVMLError(Exception):
    """What NVIDIA's library raises."""


def nvml(*, has_driver: bool = True) -> Any:
    """NVIDIA's library with two GPUs, "GPU-b" the second one; ``opened`` counts its starts."""
    library = SimpleNamespace(NVMLError=NVMLError, opened=0)

    def init() -> None:
        if not has_driver:
            raise NVMLError("Driver Not Loaded")
        library.opened += 1

    library.nvmlInit = init
    library.nvmlDeviceGetHandleByIndex = lambda index: index
    library.nvmlDeviceGetHandleByUUID = {"GPU-b": 1}.__getitem__
    library.nvmlDeviceGetUtilizationRates = lambda one: SimpleNamespace(gpu=(40, 80)[one])
    library.nvmlDeviceGetMemoryInfo = lambda one: SimpleNamespace(used=(1_000, 2_000)[one])
    return library


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0", (0.4, 1_000)), ("0, GPU-b", (0.6, 3_000)), ("", None), ("GPU-b", (0.8, 2_000))],
)
def test_the_gpus_are_those_that_the_trial_was_given(given: str, expected: Any) -> None:
    library = nvml()
    ask = Nvidia({"CUDA_VISIBLE_DEVICES": given}, library)
    assert ask() == pytest.approx(expected) if expected else ask() is None
    ask()
    assert library.opened == (1 if expected else 0)


def test_without_a_driver_nothing_is_shown_and_nobody_asks_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ask = Nvidia({"CUDA_VISIBLE_DEVICES": "0"}, nvml(has_driver=False))
    assert (ask(), ask()) == (None, None)
    assert caplog.text.count("Driver Not Loaded") == 1
