"""A process that Ray's memory monitor ended is one trial's failure, not the whole job's."""

from __future__ import annotations

import pytest
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.air.execution._internal.tracked_actor_task import TrackedActorTask
from ray.exceptions import OutOfMemoryError, RayActorError, WorkerCrashedError
from ray.tune.execution import tune_controller

from service.engine import memory_kills
from service.engine.memory_kills import ActorManager, survive_memory_kills

#: As Ray 2.60 says it.
TEXT = (
    "1 worker(s) were killed due to the node running low on memory. Memory on the node "
    "(IP: 192.0.2.2, ID: ce979baa) was 6.35GB used / 23.54GB limit (0.269871)"
)


class Freed:
    """What the manager asks of a resource manager: to have an actor's resources back."""

    def __init__(self) -> None:
        self.resources: list[object] = []

    def free_resources(self, acquired_resource: object) -> None:
        self.resources.append(acquired_resource)


def fail(exception: Exception) -> tuple[list[tuple[Exception, str]], list[object]]:
    """Let a live actor's task fail; return what it and its task were told, and what was freed."""
    told: list[tuple[Exception, str]] = []
    freed = Freed()
    manager = ActorManager(resource_manager=freed)

    def tell(_: object, error: Exception) -> None:
        told.append((error, memory_kills.reason()))

    actor = TrackedActor(1, on_error=tell)
    manager._live_actors_to_ray_actors_resources[actor] = ("actor", "a CPU")
    manager._actor_task_failed(TrackedActorTask(actor, on_error=tell), exception)
    return told, freed.resources


def test_an_actor_ended_to_save_memory_has_died() -> None:
    told, freed = fail(OutOfMemoryError(TEXT))
    assert [(type(error), reason) for error, reason in told] == [(RayActorError, TEXT)] * 2
    assert memory_kills.reason() == "", "the next one may have died otherwise"
    assert freed == ["a CPU"]


def test_what_else_tune_does_not_know_still_ends_its_run() -> None:
    with pytest.raises(RuntimeError, match="unexpected exception"):
        fail(WorkerCrashedError())


def test_runs_of_tune_have_our_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune_controller, "RayActorManager", tune_controller.RayActorManager)
    survive_memory_kills()
    assert tune_controller.RayActorManager is ActorManager
