"""The requests that make and change jobs, as OpenAPI describes them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from search_spaces import MOST_EPOCHS
from search_spaces.text import unprintable

#: Ray counts resources in steps of this size.
LEAST_SHARE = 0.0001


def _one_line(text: str) -> str:
    if character := unprintable(text):
        raise PydanticCustomError("control_character", "the text holds {held}", {"held": character})
    return text


def _gpu_share(gpus: float) -> float:
    if 0 < gpus < LEAST_SHARE or (gpus > 1 and not gpus.is_integer()):
        raise PydanticCustomError(
            "gpu_share", "Ray gives a trial whole GPUs, or a share of a single one"
        )
    return gpus


Priority = Annotated[
    int, Field(ge=1, le=100, description="weight of the job in the shares of the cluster")
]
Tag = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]


class Resources(BaseModel):
    """The resources that one trial holds while it runs."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    cpu: float = Field(
        1.0, ge=LEAST_SHARE, le=1024, description="CPU cores; also the trial's threads"
    )
    gpu: Annotated[float, AfterValidator(_gpu_share)] = Field(
        0.0, ge=0, le=64, description="whole GPUs, or a share of one of at least 0.0001"
    )


class JobRequest(BaseModel):
    """A search to run: a declared space by name, or a whole one inline, and overrides over it."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    search_space: str | dict[str, Any] = Field(
        description="name of a declared search space, or a whole one inline"
    )
    name: Name | None = None
    strategy: str | None = Field(None, description="single, one_at_a_time, grid, random or tpe")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="a constant or a domain per parameter, over the space's own",
    )
    epochs: int | None = Field(None, ge=1, le=MOST_EPOCHS)
    trials: int | None = Field(None, ge=1, description="how many trials a sampler runs")
    seed: int = Field(42, ge=0, lt=2**32)
    max_concurrent_trials: int | None = Field(None, ge=1, le=10_000)
    resources_per_trial: Resources = Field(default_factory=Resources)
    time_limit_s: float | None = Field(
        None, gt=0, le=31_536_000, description="seconds after which one attempt of a trial is ended"
    )
    max_failures: int = Field(0, ge=0, le=100, description="times a failed trial is started again")
    priority: Priority = 1
    keep: int = Field(
        1, ge=0, description="the best trials whose models are kept, at most ARGBEST_MAX_TRIALS"
    )
    tags: dict[Tag, Tag] = Field(default_factory=dict, max_length=50)


class PriorityRequest(BaseModel):
    """Another priority for a job."""

    model_config = ConfigDict(strict=True, extra="forbid")

    priority: Priority


class ExtendRequest(BaseModel):
    """More of a finished job: the totals that it shall have, each larger than the job's own."""

    model_config = ConfigDict(strict=True, extra="forbid")

    trials: int | None = Field(None, ge=1, description="trials in all; only where a sampler draws")
    epochs: int | None = Field(None, ge=1, le=MOST_EPOCHS, description="epochs of every trial")
