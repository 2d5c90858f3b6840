"""A trainable of a user's own, found through its entry point: it does what its parameters say."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from trainables.contract import Metric, Report, State
from trainables.parameters import Parameters
from trainables.registry import Trainable


class StepsParameters(Parameters):
    """How each epoch goes, and what happens in the second one."""

    x: float = Field(1.0, description="the score of every epoch")
    pause_s: float = Field(0.0, ge=0, description="seconds that an epoch takes")
    second_epoch: Literal[
        "go on",
        "raise",
        "raise once",
        "raise at length",
        "skip",
        "stop",
        "diverge",
        "die",
        "hang",
        "exit",
        "out of memory",
        "print",
        "pid",
    ] = "go on"
    sizes: list[int] = Field([], alias="model.sizes", description="numbers added to the score")
    marker: str = Field("", description="file whose existence makes `raise once` go on")
    has_state: bool = Field(True, description="whether it hands over its state")


def train(
    config: Mapping[str, Any],
    data: object,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    parameters = StepsParameters.model_validate(config)
    done = resume["epoch"] if resume else 0
    for epoch in range(done + 1, epochs + 1):
        time.sleep(parameters.pause_s)
        score = parameters.x + sum(parameters.sizes)
        if epoch == 2:
            if parameters.second_epoch == "skip":
                continue
            if parameters.second_epoch == "stop":
                return
            score = _misbehave(parameters, score)
        state = partial(_state, epoch, score) if parameters.has_state else None
        report(epoch, {"score": score}, state=state)


def _state(epoch: int, score: float) -> State:
    return {"epoch": epoch, "scores": np.full(epoch, score)}


def _misbehave(parameters: StepsParameters, score: float) -> float:
    match parameters.second_epoch:
        case "raise":
            raise RuntimeError("the second epoch was too much")
        case "raise once" if not Path(parameters.marker).exists():
            raise RuntimeError("not yet")
        case "raise at length":
            raise ValueError("first" + "x" * 1_000_000 + "last")
        case "exit":
            sys.exit(3)
        case "out of memory":
            np.ones(2**60, dtype=np.uint8)
        case "print":
            for _ in range(100):
                sys.stdout.write(("y" * 99 + "\n") * 10_000)
        case "pid":
            return float(os.getpid())
        case "diverge":
            return float("nan")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(3600)
    return score


STEPS = Trainable(
    name="test_steps",
    title="Steps",
    entry="argbest_test_plugin:train",
    datasets=("ames",),
    metrics=(Metric("score", "Score", "max", "none"),),
    parameters=StepsParameters,
)
