"""Trial processes that a driver starts ahead, with all imports done: each takes seconds to start.

A driver that waits starts them for its next job, and one that drives a long job keeps one for the
slot that the job gets back after a short one.

Ray gives an actor a process in which no plain task has run, if both have the same environment. So
tasks are submitted that have the environment of Tune's actors, and cancelled while Ray starts
processes for them. These stay behind, idle, until an actor takes them or the driver ends.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import ray
from ray.exceptions import RayError
from ray.tune.execution.class_cache import _ActorClassCache
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from service.engine import processes
from service.engine.beside import beside
from service.engine.trial import TrialProcess
from trainables import registry

logger = logging.getLogger("service.engine.driver")

#: The name of :func:`prepare`, which every new trial process calls.
HOOK = f"{__name__}.prepare"
#: Processes that have not been started by then are not waited for.
START_SECONDS = 20.0
#: A driver without a job starts processes after so many looks, a second apart, at an idle cluster.
IDLE_CHECKS = 3
#: After so many looks it starts one although no CPU is free: what trains does not end soon, so the
#: next job will run beside it.
CHECKS = 10
#: A job that has run for so many seconds is a long one, which keeps a process waiting.
LONG_SECONDS = 30.0
#: Pause between its looks whether one waits.
LONG_PAUSE_SECONDS = 10.0
#: The pause doubles, up to this, after each start of a process that has gone before the next look.
MOST_PAUSE_SECONDS = 160.0
#: A cancelled task is gone within milliseconds.
CANCEL_SECONDS = 2.0
#: A process that is killed is gone as soon; tasks are not given to it any more shortly after.
KILL_SECONDS = 1.0
#: Pause between looks for the processes. They start to take tasks half a second after they appear.
LOOK_SECONDS = 0.05


def prepare() -> None:
    """Import what trials need; Tune is imported with this module."""
    registry.prepare()


def start(number: int, is_over: Callable[[], bool] = lambda: False) -> list[psutil.Process]:
    """Let up to ``number`` processes wait on this node, one per CPU; return those that are new.

    Where fewer wait, these are ended first, since a new task would take one of them. Once
    ``is_over()``, as when a job has come, no process is waited for: it takes those that start. For
    the first tasks of a driver Ray starts twice as many.
    """
    there = _mine()
    idle = [process for process in there if processes.is_idle(process)]
    number = min(number, _cpus_here())
    if len(idle) >= number:
        return []
    if idle:
        processes.kill_all(idle)
        psutil.wait_procs(idle, timeout=KILL_SECONDS)
        time.sleep(LOOK_SECONDS)
    here = ray.get_runtime_context().get_node_id()
    options = {
        "runtime_env": _ActorClassCache().get(TrialProcess)._default_options["runtime_env"],
        "scheduling_strategy": NodeAffinitySchedulingStrategy(here, soft=False),
    }
    waiting = [_never_run.options(**options).remote() for _ in range(number)]
    give_up = time.monotonic() + START_SECONDS
    while not is_over() and time.monotonic() < give_up:
        # Tasks that have ended were given to a process that was just being ended.
        ended, _ = ray.wait(waiting, num_returns=number, timeout=0)
        if max(len(_started_since(there)), len(ended)) >= number:
            break
        time.sleep(LOOK_SECONDS)
    for task in waiting:
        ray.cancel(task)
    ray.wait(waiting, num_returns=number, timeout=CANCEL_SECONDS)
    return _started_since(there)


def _started_since(there: list[psutil.Process]) -> list[psutil.Process]:
    """Return this driver's processes on this node that Ray has started since; no children."""
    return [one for one in _mine() if one not in there and processes.is_worker(one)]


def _mine() -> list[psutil.Process]:
    return processes.trial_processes(processes.identity(os.getpid()))


@contextmanager
def keep_one(is_needed: Callable[[], bool]) -> Iterator[None]:
    """Let one process wait while the block drives a job, once that is a long one.

    The job's process ends with the slot that it gives back. When it gets the slot again, and
    nothing waits, its next trial begins many seconds later, most of all where all CPUs are busy.
    Where ``is_needed()`` is false none is started, for now.
    """

    def keep(is_over: threading.Event) -> None:
        kept: list[psutil.Process] = []
        pause, next_pause = LONG_SECONDS, LONG_PAUSE_SECONDS
        while not is_over.wait(pause):
            if any(process.is_running() for process in kept):
                next_pause = LONG_PAUSE_SECONDS
            pause = LONG_PAUSE_SECONDS
            if is_needed() and (started := _start_or_warn(1, is_over.is_set)):
                # A Ray that the service has not started may end it at once, again and again.
                kept, pause, next_pause = started, next_pause, 2 * next_pause
            pause = min(pause, MOST_PAUSE_SECONDS)

    with beside(keep, name="ahead"):
        yield


class Ahead:
    """Starts up to ``number`` processes as :func:`start` does, once the driver has waited a while.

    Without them the next job starts its own.
    """

    def __init__(self, number: int, is_over: Callable[[], bool]) -> None:
        self._number, self._is_over = number, is_over
        self._idle_checks = self._checks = 0
        #: How many processes it has let wait.
        self._waiting = 0

    def is_ready(self) -> bool:
        """Whether all is done for the next job that can be now; to be asked again and again.

        None is started before a CPU has been free for :data:`IDLE_CHECKS` looks in a row, or
        before :data:`CHECKS` looks in all: they would slow down what trains, or a job that comes
        directly after the last. Beside what trains one is enough, until a CPU is free: the job gets
        one slot of it.
        """
        if self._waiting >= self._number or not ray.is_initialized():
            return True
        try:
            is_free = ray.available_resources().get("CPU", 0.0) >= 1
        except (OSError, RuntimeError, RayError) as error:
            logger.warning("Ray does not say which CPUs are free: %s", error)
            return True
        self._idle_checks = self._idle_checks + 1 if is_free else 0
        self._checks += 1
        wanted = self._number if self._idle_checks >= IDLE_CHECKS else int(self._checks >= CHECKS)
        if wanted > self._waiting:
            self._waiting = wanted
            started = _start_or_warn(wanted, self._is_over)
            if not self._is_over():  # a job may begin in any of them
                processes.kill_all(filter(processes.is_starting, started[wanted:]))
        return self._waiting > 0


def _start_or_warn(number: int, is_over: Callable[[], bool]) -> list[psutil.Process]:
    """Do what :func:`start` does; the next job can do without."""
    try:
        started = start(number, is_over)
    except (OSError, RuntimeError, RayError, psutil.Error) as error:
        logger.warning("no trial process could be started ahead: %s", error)
        return []
    if started:
        logger.info("trial processes that were started ahead: %d", len(started))
    return started


def _cpus_here() -> int:
    here = ray.get_runtime_context().get_node_id()
    found = [node["Resources"] for node in ray.nodes() if node["NodeID"] == here and node["Alive"]]
    return int(sum(resources.get("CPU", 0.0) for resources in found))


@ray.remote(num_cpus=0, max_retries=0, max_calls=1)  # type: ignore[untyped-decorator]
def _never_run() -> None:
    """Do nothing; a process in which this ran after all ends then, for no actor can take it."""
