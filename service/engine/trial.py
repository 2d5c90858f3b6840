"""The trial process: an actor of Ray's that runs one segment of a trial after another.

A built-in trainable runs in this process, which Ray Tune uses again for other trials. A user's
trainable runs in a fresh child of it, so that no state is left for the next trial.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from ray import tune
from ray._raylet import setproctitle  # type: ignore[attr-defined]
from ray.tune import PlacementGroupFactory

from service.engine.messages import ASSIGNMENT, CONTEXT, Assignment, to_result
from service.engine.segment import Segment
from service.engine.segment_output import CurrentStderr
from service.engine.training import TrialContext


class NotNeededError(Exception):
    """The process is not needed any more: Tune ends the process of a trial that raises."""


class TrialProcess(tune.Trainable):  # type: ignore[misc]  # Ray ships no types
    """What Tune calls."""

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        """Return what a trial occupies."""
        spec = TrialContext.from_bytes(config[CONTEXT]).spec
        return PlacementGroupFactory([{"CPU": spec.cpu, "GPU": spec.gpu}])

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the first segment."""
        logging.basicConfig(
            level=logging.INFO,
            format="%(levelname)s %(name)s: %(message)s",
            handlers=[CurrentStderr()],
        )
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another segment; the one before has ended."""
        context = TrialContext.from_bytes(new_config[CONTEXT])
        self._title = f"argbest {context.spec.name} {context.job_id}"
        self._segment: Segment | None = None
        if new_config[ASSIGNMENT] is not None:
            assignment = Assignment.from_json(new_config[ASSIGNMENT])
            self._title += f" trial {assignment.number}"
            self._segment = Segment(assignment, context)
        return True

    def step(self) -> dict[str, Any]:
        """Return the next messages of the segment.

        A segment that has failed but goes on, as at its time limit, takes the process with it.
        Raises :class:`NotNeededError` where there is no segment.
        """
        # Ray names the process anew at each call, and no other library finds the title after that.
        setproctitle(self._title)
        if self._segment is None:
            raise NotNeededError
        if self._segment.is_stuck():
            os._exit(1)
        messages = self._segment.take()
        result = to_result(messages)
        if self._segment.is_stuck():
            result["done"] = False
        return result
