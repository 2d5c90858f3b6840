"""A trial whose process Ray ended to save memory is lost alone, and not with its whole job.

Ray's memory monitor ends a process where the machine's memory runs out, and says so by an
``OutOfMemoryError``. The pinned Tune knows an actor that died and a task that raised; at any
other exception it raises ``RuntimeError`` out of ``Tuner.fit`` (``_actor_task_failed`` in Ray's
``air/execution/_internal/actor_manager.py``), and every trial of the job ends with it.
"""

from __future__ import annotations

from contextvars import ContextVar

from ray.air.execution._internal import RayActorManager
from ray.air.execution._internal.tracked_actor_task import TrackedActorTask
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.tune.execution import tune_controller

_reason: ContextVar[str] = ContextVar("reason", default="")


def reason() -> str:
    """Return Ray's report, while Tune is told of a process ended to save memory; else ""."""
    return _reason.get()


class ActorManager(RayActorManager):  # type: ignore[misc]  # Ray ships no types
    """Takes an actor that was ended to save memory for one that died, which it has."""

    def _actor_task_failed(
        self, tracked_actor_task: TrackedActorTask, exception: Exception
    ) -> None:
        if not isinstance(exception, OutOfMemoryError):
            super()._actor_task_failed(tracked_actor_task, exception)
            return
        token = _reason.set(str(exception))
        try:
            died = RayActorError(error_msg=str(exception))
            super()._actor_task_failed(tracked_actor_task, died)
        finally:
            _reason.reset(token)


def survive_memory_kills() -> None:
    """Let every run of Tune in this process have our :class:`ActorManager`."""
    tune_controller.RayActorManager = ActorManager
