"""The complete specification of a job: nothing about the run is implied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from search_spaces import SAMPLERS, Choice, Constant, Domain, Scalar, SearchSpace, defaults
from trainables import registry

#: Keys that name a job or its search space without changing what it computes.
_NAMING = ("name", "title", "description", "tags", "search_space")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job: the search space with every override applied, and how it is to be run.

    ``parameters`` holds each hyperparameter's constant or domain, as a search-space file writes it;
    ``trials`` is the planned number of trials; ``cpu`` and ``gpu`` are per trial;
    ``time_limit_s`` ends one attempt of a trial; ``max_failures`` is how often a failed trial is
    started again; ``max_concurrent_trials`` None means as many as the cluster holds; ``stack`` is
    how many trials at most train together, and then all of these are per stack.
    """

    name: str
    title: str
    description: str
    search_space: str
    trainable: str
    dataset: str
    epochs: int
    metric: str
    mode: str
    strategy: str
    parameters: Mapping[str, Any]
    trials: int
    seed: int
    max_concurrent_trials: int | None
    cpu: float
    gpu: float
    time_limit_s: float | None
    max_failures: int
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    stack: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the specification as the API shows it and the store keeps it."""
        values = asdict(self)
        values["resources_per_trial"] = {"cpu": values.pop("cpu"), "gpu": values.pop("gpu")}
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> JobSpec:
        """Read what :meth:`to_json` wrote."""
        plain = dict(values)
        resources = plain.pop("resources_per_trial")
        return cls(**plain, cpu=resources["cpu"], gpu=resources["gpu"])

    def space_json(self) -> dict[str, Any]:
        """Return the part that is a search space, as a search-space file writes it."""
        keys = (
            "title", "trainable", "dataset", "epochs", "metric", "mode", "strategy", "parameters",
        )  # fmt: skip
        space = {"name": self.search_space, **{key: getattr(self, key) for key in keys}}
        return {**space, "trials": self.trials} if self.strategy in SAMPLERS else space

    def fingerprint(self) -> str:
        """Return a digest that is equal for jobs that compute the same, whatever their names.

        Of a job that runs the defaults alone, it does not matter what else they were chosen from.
        A parameter that is left out counts as given at the trainable's default. Raises
        :class:`trainables.contract.UnknownTrainable`.
        """
        values = {key: value for key, value in self.to_json().items() if key not in _NAMING}
        if self.strategy == "single":
            values["parameters"] = defaults(SearchSpace.from_json(self.space_json()))
        rules = registry.get(self.trainable).schema().get("properties", {})
        left_out = {name: rule["default"] for name, rule in rules.items() if "default" in rule}
        values["parameters"] = {**left_out, **values["parameters"]}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def with_floats(space: SearchSpace, schema: Mapping[str, Any]) -> SearchSpace:
    """Return ``space`` with the whole numbers of float parameters as floats.

    ``schema`` is the JSON Schema of the trainable's parameters. JSON does not tell 1 from 1.0; a
    specification and its fingerprint do.
    """
    rules = schema.get("properties", {})
    floats = {name for name, rule in rules.items() if rule.get("type") == "number"}
    parameters = {
        name: _with_floats(domain, name in floats, floats)
        for name, domain in space.parameters.items()
    }
    return replace(space, parameters=parameters)


def _with_floats(domain: Domain, is_float: bool, floats: Collection[str]) -> Domain:  # noqa: FBT001
    when = {
        name: tuple(map(_as_float, values)) if name in floats else values
        for name, values in domain.when.items()
    }
    match domain:
        case Constant() if is_float:
            return replace(domain, value=_as_float(domain.value), when=when)
        case Choice() if is_float:
            values, default = tuple(map(_as_float, domain.values)), _as_float(domain.default)
            return replace(domain, values=values, default=default, when=when)
        case _:  # a range has made its numbers of its own type
            return replace(domain, when=when)


def _as_float(value: Scalar) -> Scalar:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
