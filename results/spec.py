"""The complete specification of a job: nothing about the run is implied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from search_spaces import PROGRAM_KEYS, SEARCH_KEYS, SearchSpace, defaults

#: The members of a search space in the flat JSON of a job, besides its name and its trials.
_SPACE_MEMBERS = (
    "title", "trainable", "dataset", "epochs", "metric", "mode", "strategy", "parameters",
)  # fmt: skip
#: Those that are there only where they are not at their defaults.
_MORE_MEMBERS = (*SEARCH_KEYS, *PROGRAM_KEYS)
#: The members of a job that do not change the numbers that its trials report.
_WITHOUT_EFFECT = (
    "name", "title", "description", "tags", "search_space", "max_failures", "time_limit_s",
    "max_concurrent_trials", "keep", "source", "chosen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataRef:
    """The user's data that a job trains on: the digest of their content, their kind and target.

    ``parts`` names the parts that have rows: train, validation, test. A name may be given to other
    data later; a job keeps to the content that it was accepted with.
    """

    digest: str
    kind: str
    target: str
    parts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the reference as a job's specification has it."""
        return {**asdict(self), "parts": list(self.parts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job: the search space with every override applied, and how it is run.

    ``trials`` is the planned number of trials of the search: its configurations, each with all its
    repeats. ``cpu`` and ``gpu`` are per trial.
    ``time_limit_s`` ends one attempt of a trial. ``max_failures`` is how often a failed trial is
    started again. ``max_concurrent_trials`` None means as many as the cluster holds. The models of
    the best ``keep`` trials are kept. ``source`` says where the program came from, as its sender
    knew it: any JSON. ``chosen`` says why ``auto`` chose the sampler and the scheduler, "" where it
    did not. ``version`` is the version of argbest that accepted the job. ``data`` is the content of
    the data set where that is a user's.
    """

    name: str
    space: SearchSpace
    trials: int
    seed: int
    max_concurrent_trials: int | None = None
    cpu: float = 1.0
    gpu: float = 0.0
    time_limit_s: float | None = None
    max_failures: int = 0
    keep: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    chosen: str = ""
    version: str = ""
    data: DataRef | None = None

    @property
    def code(self) -> str | None:
        """The digest of the code that was sent along, None where there is none."""
        program = self.space.program
        return None if program is None else program.code or None

    @property
    def planned(self) -> int:
        """The most trials that the job runs, those that confirm its winner included."""
        confirm, scheduler = self.space.confirm, self.space.scheduler
        copies = scheduler.most_copies(self.space.epochs)
        return self.trials + copies + (0 if confirm is None else confirm.trials)

    def most_epochs(self, trials: int) -> int:
        """Return how many epochs so many trials train at most, those that are stopped included.

        Trials that go on from others' states take the places of these.
        """
        is_population = self.space.scheduler.is_population
        return (min(trials, self.trials) if is_population else trials) * self.space.epochs

    def to_json(self) -> dict[str, Any]:
        """Return the specification as the API shows it and the store keeps it."""
        declared = self.space.to_json()
        return {
            "name": self.name,
            "description": self.space.description or "",
            "search_space": self.space.name,
            **{member: declared[member] for member in _SPACE_MEMBERS},
            **{member: declared[member] for member in _MORE_MEMBERS if member in declared},
            "trials": self.trials,
            "seed": self.seed,
            "max_concurrent_trials": self.max_concurrent_trials,
            "resources_per_trial": {"cpu": self.cpu, "gpu": self.gpu},
            "time_limit_s": self.time_limit_s,
            "max_failures": self.max_failures,
            "keep": self.keep,
            "tags": dict(self.tags),
            **({"source": dict(self.source)} if self.source else {}),
            **({"chosen": self.chosen} if self.chosen else {}),
            "version": self.version,
            **({} if self.data is None else {"data": self.data.to_json()}),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> JobSpec:
        """Return the specification that :meth:`to_json` wrote, in this version or another.

        Unknown keys, which a newer version wrote, are ignored, and absent ones take their defaults.
        Raises :class:`search_spaces.SearchSpaceError` for a search space that this version cannot
        read, a strategy that it does not know say.
        """
        members = (*_SPACE_MEMBERS, *_MORE_MEMBERS)
        declared = {member: values[member] for member in members if member in values}
        declared |= {"name": values["search_space"],
                     "description": values.get("description") or None,
                     "trials": values["trials"] // values.get("repeats", 1)}  # fmt: skip
        space = SearchSpace.from_stored(declared)
        resources = values.get("resources_per_trial", {})
        return cls(
            name=values["name"],
            space=space,
            trials=values["trials"],
            seed=values["seed"],
            max_concurrent_trials=values.get("max_concurrent_trials"),
            cpu=resources.get("cpu", 1.0),
            gpu=resources.get("gpu", 0.0),
            time_limit_s=values.get("time_limit_s"),
            max_failures=values.get("max_failures", 0),
            keep=values.get("keep", 1),
            tags=values.get("tags", {}),
            source=values.get("source", {}),
            chosen=values.get("chosen", ""),
            version=values.get("version", ""),
            data=_data_ref(values.get("data")),
        )

    def fingerprint(self, schema: Mapping[str, Any]) -> str:
        """Return a digest (64 hexadecimal digits) that is equal for jobs that compute the same.

        ``schema`` is the JSON Schema of the trainable's parameters: a parameter that is left out
        counts as given at its default there. Names, tags and limits do not count. Of a job that
        runs the defaults alone, it does not matter what else they were chosen from.
        """
        values = {k: v for k, v in self.to_json().items() if k not in _WITHOUT_EFFECT}
        if self.space.is_single:
            values["parameters"] = defaults(self.space)
        rules = schema.get("properties", {})
        left_out = {name: rule["default"] for name, rule in rules.items() if "default" in rule}
        values["parameters"] = {**left_out, **values["parameters"]}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _data_ref(values: Mapping[str, Any] | None) -> DataRef | None:
    if values is None:
        return None
    return DataRef(values["digest"], values["kind"], values["target"], tuple(values["parts"]))
