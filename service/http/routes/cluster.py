"""Routes that show the cluster: its nodes, and what occupies it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from fastapi import APIRouter, Request
from pydantic import ValidationError

from results.errors import StoreUnavailable
from results.records import JobRecord, TokenRecord
from results.states import JobState
from results.store import Store
from service.disk import disk_problem
from service.engine import cluster
from service.engine.cluster import ClusterError, is_reachable
from service.engine.controller import heartbeats
from service.errors import Unavailable
from service.http.dependencies import SettingsDep, StoreDep
from service.http.live import read_running
from service.http.openapi import PROBLEMS
from service.schemas import (
    CapacityView,
    ClusterUsageView,
    ClusterView,
    ControllerView,
    DatabaseView,
    DiskView,
    NodeView,
    OccupantView,
    QueuedView,
    RunningTrialView,
    TokenView,
)
from service.settings import Settings

router = APIRouter(prefix="/api/v1/cluster", tags=["catalog"], responses=PROBLEMS)

#: Queued jobs that are shown, those that begin first.
MOST_QUEUED = 100


@router.get("")
def show_cluster(settings: SettingsDep) -> ClusterView:
    """Show the Ray cluster: its address, dashboard and nodes."""
    return ClusterView(
        address=settings.ray_address,
        dashboard_url=settings.dashboard_url,
        nodes=_nodes(settings),
    )


@router.get("/usage")
def show_usage(request: Request, settings: SettingsDep, store: StoreDep) -> ClusterUsageView:
    """Show what occupies the cluster, what waits, and the state of the parts of the service.

    A part that does not answer says so in its `problem`, or in `nodes_problem`.
    """
    reachable = is_reachable(settings.ray_address)
    nodes, problem = None, "" if reachable else "no Ray head answers: trials wait for it"
    if reachable:
        try:
            nodes = _nodes(settings)
        except (ClusterError, Unavailable) as error:
            problem = str(error)
    capacity = store.capacity()
    queue = store.jobs(state=JobState.QUEUED, sort="queue", limit=MOST_QUEUED).items
    token: TokenRecord | None = request.state.token
    return ClusterUsageView(
        address=settings.ray_address,
        dashboard_url=settings.dashboard_url,
        nodes=nodes,
        nodes_problem=problem,
        capacity=None if capacity is None else CapacityView.model_validate(capacity),
        jobs=[_occupant(job) for job in reversed(read_running(store))],
        trials=[RunningTrialView.model_validate(trial) for trial in store.running_trials()],
        queued=store.counts()[JobState.QUEUED],
        queue=[QueuedView.model_validate(job) for job in queue],
        database=_database(store),
        disk=_disk(settings),
        controllers=list(_controllers(settings)),
        token=None if token is None else TokenView(name=token.name, scope=token.scope),
    )


def _nodes(settings: Settings) -> list[NodeView]:
    try:
        return [NodeView.model_validate(node) for node in cluster.nodes(settings)]
    except ValidationError as error:
        raise Unavailable(f"the Ray dashboard's answer is not understood: {error}") from error


def _occupant(job: JobRecord) -> OccupantView:
    return OccupantView(
        id=job.id,
        name=job.name,
        state=job.state,
        priority=job.priority,
        slots=job.slots or 0,
        running=job.progress.running,
        cpu=job.spec.cpu,
        gpu=job.spec.gpu,
    )


def _database(store: Store) -> DatabaseView:
    try:
        kind, size = store.database_size()
    except StoreUnavailable as error:
        return DatabaseView(kind="", size=None, problem=str(error))
    return DatabaseView(kind=kind, size=size, problem="")


def _disk(settings: Settings) -> DiskView:
    problem = disk_problem(settings) or ""
    try:
        usage = shutil.disk_usage(settings.data_dir)
    except OSError:
        return DiskView(folder=str(settings.data_dir), free=None, total=None, problem=problem)
    return DiskView(
        folder=str(settings.data_dir), free=usage.free, total=usage.total, problem=problem
    )


def _controllers(settings: Settings) -> Iterator[ControllerView]:
    """Yield the controllers whose heartbeat files lie in this data folder, and their ages."""
    for host, file in heartbeats(settings):
        try:
            age = max(0.0, time.time() - file.stat().st_mtime)
        except FileNotFoundError:
            continue
        yield ControllerView(host=host, seconds_ago=round(age, 1))
