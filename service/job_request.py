"""The requests that make and change jobs, as OpenAPI describes them."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from search_spaces import (
    MOST_EPOCHS,
    SEARCH_KEYS,
    STRATEGIES,
    Budget,
    Confirm,
    Constraint,
    KnownTrial,
    Objective,
    Scheduler,
)
from search_spaces.text import unprintable

#: Ray counts resources in steps of this size.
LEAST_SHARE = 0.0001
#: Characters of ``source`` as JSON.
LARGEST_SOURCE = 16_384


def _one_line(text: str) -> str:
    if character := unprintable(text):
        raise PydanticCustomError("control_character", "the text holds {held}", {"held": character})
    return text


def _small(source: dict[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(source))
    if size > LARGEST_SOURCE:
        message = "it has {size} characters as JSON, and at most {most} are kept"
        raise PydanticCustomError("source_size", message, {"size": size, "most": LARGEST_SOURCE})
    return source


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


def _schema(kind: type) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


def _either(*schemas: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*schemas, {"type": "null"}]})


# The members of a search space that a job may replace are described here and read, with all their
# problems, where spaces are read.
_CONFIGURATION = {"type": "object", "additionalProperties": True}
Objectives = Annotated[Any, _either({"type": "array", "items": _schema(Objective)})]
Constraints = Annotated[Any, _either({"type": "array", "items": _schema(Constraint)})]
SchedulerChoice = Annotated[Any, _either({"type": "string"}, _schema(Scheduler))]
BudgetLimits = Annotated[Any, _either(_schema(Budget))]
Configurations = Annotated[Any, _either({"type": "array", "items": _CONFIGURATION})]
JobIds = Annotated[Any, _either({"type": "array", "items": {"type": "string"}})]
KnownTrials = Annotated[Any, _either({"type": "array", "items": _schema(KnownTrial)})]
Repeats = Annotated[Any, _either({"type": "integer", "minimum": 1})]
Confirmation = Annotated[Any, _either({"type": "boolean"}, _schema(Confirm))]


Source = Annotated[dict[str, Any], AfterValidator(_small)]


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
    strategy: str | None = Field(None, description=", ".join(STRATEGIES))
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="a constant or a domain per parameter, over the space's own",
    )
    epochs: int | None = Field(None, ge=1, le=MOST_EPOCHS)
    trials: int | None = Field(None, ge=1, description="how many trials a sampler runs")
    objectives: Objectives = Field(
        None, description="metrics and their better directions; the first decides a tie"
    )
    constraints: Constraints = Field(None, description="limits of metrics, both included")
    scheduler: SchedulerChoice = Field(
        None, description="how far each trial trains: a name, or an object with its parameters"
    )
    budget: BudgetLimits = Field(None, description="what ends the search before all its trials")
    enqueue: Configurations = Field(
        None, description="configurations to run first; what they leave out has its default"
    )
    warm_start: JobIds = Field(None, description="jobs whose trials the sampler is told")
    history: KnownTrials = Field(None, description="trials from elsewhere that the sampler is told")
    repeats: Repeats = Field(None, description="seeds of every configuration")
    confirm: Confirmation = Field(
        None, description="runs the best configurations again with further seeds; false: not"
    )
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
    source: Source = Field(
        default_factory=dict, description="where a program came from, kept and shown as it is"
    )

    @property
    def search(self) -> dict[str, Any]:
        """The members of the search space that the job replaces, by key, beside the older ones."""
        given = {key: getattr(self, key) for key in SEARCH_KEYS}
        return {key: value for key, value in given.items() if value is not None}


class EditRequest(BaseModel):
    """What people change on a job by hand; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    priority: Priority | None = None
    tags: dict[Tag, Tag | None] | None = Field(
        None, max_length=100, description="tags to set; null takes one away, the others stay"
    )
    notes: str | None = Field(None, max_length=10_000, description="any text, also of many lines")
    before: str | None = Field(
        None, max_length=64, description='the queued job to run before; "": after all of them'
    )


class PriorityRequest(BaseModel):
    """Another priority for a job."""

    model_config = ConfigDict(strict=True, extra="forbid")

    priority: Priority


class ExtendRequest(BaseModel):
    """More of a finished job: the totals that it shall have, each larger than the job's own.

    A cancelled job may also go on to its own, a search that a budget has ended to its trials.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    trials: int | None = Field(None, ge=1, description="trials in all; only where a sampler draws")
    epochs: int | None = Field(None, ge=1, le=MOST_EPOCHS, description="epochs of every trial")


class ConfirmRequest(BaseModel):
    """Another look at a finished job's winner: further seeds for its best configurations."""

    model_config = ConfigDict(strict=True, extra="forbid")

    top: int = Field(3, ge=1, le=20, description="how many of the best configurations run again")
    seeds: int = Field(5, ge=2, le=100, description="the most further seeds of each of them")
