"""Connects a driver to Ray, and checks that a node of it can hold the job's trials."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError
from ray.job_config import JobConfig

from results.records import JobRecord
from results.spec import JobSpec
from service.engine.driver_processes import threads_per_trial
from service.engine.heartbeat import EXIT_UNFINISHED
from service.engine.processes import DRIVER_VARIABLE, identity, process_name
from service.engine.warm_processes import HOOK
from service.settings import Settings

logger = logging.getLogger("service.engine.driver")

#: A cluster without a node that can hold the job's trials gets this long to get one.
NODE_SECONDS = 30.0


class InfeasibleError(Exception):
    """No node of the cluster can run a trial of the job."""


class RayUnavailableError(Exception):
    """This process cannot connect to Ray: the head, or the raylet beside it, is gone or changes."""


def connect(job: JobRecord, settings: Settings) -> None:
    """Connect this process to Ray for the job, unless it is connected.

    From here on SIGTERM ends the process at once. Raises :class:`RayUnavailableError`.
    """
    if not ray.is_initialized():
        metadata = {"job_name": job.name, "job": job.id}
        _connect(settings, threads_per_trial(job.spec.cpu), metadata)


def connect_spare(settings: Settings) -> None:
    """Connect this process to Ray for jobs to come; otherwise as :func:`connect`."""
    _connect(settings, 1, {"job_name": "argbest spare driver"})


def _connect(settings: Settings, threads: int, metadata: Mapping[str, str]) -> None:
    me = identity(os.getpid())
    variables = {
        DRIVER_VARIABLE: process_name(me),
        # A trial process's title must not take the place of this environment.
        "SPT_NOENV": "1",
        "ARGBEST_CACHE_DIR": str(settings.cache_dir),
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        # Ray would show all GPUs to a trial that asked for none.
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    }
    environment: dict[str, Any] = {"env_vars": variables}
    if settings.warm_processes:
        environment["worker_process_setup_hook"] = HOOK
    try:
        ray.init(
            address=settings.ray_address,
            job_config=JobConfig(metadata=dict(metadata), runtime_env=environment),
            logging_level=logging.WARNING,
            log_to_driver=True,
        )
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise RayUnavailableError(f"no driver can connect to Ray: {error}") from error
    # Ray's own SIGTERM handler waits for trials. Tune ends a run early at the others.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda *_: os._exit(EXIT_UNFINISHED))


def is_connected() -> bool:
    """Whether the node that this process is connected to is still a living part of its Ray."""
    try:
        here = ray.get_runtime_context().get_node_id()
        return any(node["Alive"] and node["NodeID"] == here for node in ray.nodes())
    except (OSError, RuntimeError, RayError):
        return False


def capacity() -> tuple[float, float]:
    """Return how many CPUs and GPUs Ray's nodes have together."""
    resources = ray.cluster_resources()
    return resources.get("CPU", 0.0), resources.get("GPU", 0.0)


def check_feasible(spec: JobSpec, *, has_run: bool, node_s: float, every_s: float = 1.0) -> None:
    """Raise :class:`InfeasibleError` if no node can hold a trial within ``node_s`` seconds.

    Tune would wait for ever. Trials do wait for the first node that comes if no worker is there
    (it restarts, or an autoscaler has ended it and needs waiting trials to start another), and if
    trials of the job have run before.
    """
    give_up = time.monotonic() + node_s
    while True:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(n.get("CPU", 0.0) >= spec.cpu and n.get("GPU", 0.0) >= spec.gpu for n in nodes):
            return
        cpus, gpus = (max((n.get(of, 0.0) for n in nodes), default=0.0) for of in ("CPU", "GPU"))
        lack = (
            f"a trial asks for {spec.cpu:g} CPU and {spec.gpu:g} GPU (resources_per_trial); "
            f"the cluster's largest node has {cpus:g} CPU and {gpus:g} GPU"
        )
        if has_run or cpus == 0.0:
            logger.warning("%s: the trials wait for a node", lack)
            return
        if time.monotonic() >= give_up:
            raise InfeasibleError(lack)
        time.sleep(every_s)
