"""How a trainable is declared: its name, code, data sets, metrics and parameters, all checked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from trainables import datasets
from trainables.contract import Metric, Train
from trainables.datasets import Kind
from trainables.parameters import Parameters

_NAME = re.compile(r"\w[\w.-]{0,199}")


@dataclass(frozen=True, slots=True)
class Trainable:
    """Describes a trainable without importing its code.

    ``entry`` names the :class:`trainables.contract.Train` function as ``"module:function"``,
    ``kinds`` the kinds of data it takes, users' own among them, ``metrics`` the numbers it reports.
    ``datasets`` names data sets of argbest that it takes besides those of its kinds; once built, it
    names all of them. ``resumes`` says that the function reports its state and takes ``resume``: a
    scheduler then pauses its trials and lets the best go on, and without it stops them.
    ``changeable`` names the parameters that may have another value when the function resumes than
    they had before: not those by which the state's form is decided, the sizes of a network say.

    Raises ``ValueError`` where ``name`` is not made of letters, digits, ``_``, ``.`` and ``-``,
    ``entry`` has no colon, a data set or a kind is unknown, neither is given, no metric or
    two of one name are declared, ``parameters`` has no JSON Schema or a default that it refuses, or
    one that is ``changeable`` is none of them or the function does not resume.
    """

    name: str
    title: str
    entry: str
    datasets: tuple[str, ...]
    metrics: tuple[Metric, ...]
    parameters: type[Parameters]
    resumes: bool = False
    kinds: tuple[Kind, ...] = ()
    changeable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = (
            *_name_problems(self.name, self.entry),
            *_data_problems(self.datasets, self.kinds),
            *_metric_problems(self.metrics),
            *_parameter_problems(self.parameters),
            *_resumes_problems(self.resumes),
            *_changeable_problems(self.changeable, self.parameters, self.resumes),
        )
        if problems:
            raise ValueError(f"trainable {self.name!r}: {'; '.join(problems)}")
        of_kinds = (name for name in datasets.names() if datasets.kind(name) in self.kinds)
        object.__setattr__(self, "datasets", tuple(dict.fromkeys((*self.datasets, *of_kinds))))

    def resolve(self) -> Train:
        """Import the trainable's module and return its train function."""
        module, _, function = self.entry.partition(":")
        train: Train = getattr(import_module(module), function)
        return train

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the parameters."""
        return self.parameters.model_json_schema()


# The declared values come from users' packages, which no type checker may have read.


def _name_problems(name: Any, entry: Any) -> Iterator[str]:
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        yield "name must be 1 to 200 letters, digits, _, . or -"
    if not (isinstance(entry, str) and all(entry.partition(":"))):
        yield f"entry is {entry!r}, but must be 'module:function'"


def _resumes_problems(resumes: Any) -> Iterator[str]:
    if not isinstance(resumes, bool):
        yield f"resumes is {resumes!r}, but must be True or False"


def _changeable_problems(names: Any, model: Any, resumes: Any) -> Iterator[str]:
    if not (isinstance(names, tuple) and all(isinstance(name, str) for name in names)):
        yield f"changeable is {names!r}, but must be a tuple of the names of parameters"
        return
    has_fields = isinstance(model, type) and issubclass(model, Parameters)
    known = model.model_fields if has_fields else names
    for name in names:
        if name not in known:
            yield f"changeable names {name!r}, which is no parameter: {', '.join(known)}"
    if names and resumes is False:
        yield "changeable is given, but the function does not resume"


def _data_problems(names: Any, kinds: Any) -> Iterator[str]:
    if not (isinstance(names, tuple) and isinstance(kinds, tuple) and (names or kinds)):
        needed = "a tuple of at least one name, or kinds one of at least one kind"
        yield f"datasets is {names!r}, but must be {needed}"
        return
    for value, what, known in (
        *((name, "data set", datasets.names()) for name in names),
        *((kind, "kind of data", datasets.KINDS) for kind in kinds),
    ):
        if value not in known:
            yield f"no {what} is called {value!r}; there are: {', '.join(known)}"


def _metric_problems(metrics: Any) -> Iterator[str]:
    wrong = not (isinstance(metrics, tuple) and metrics)
    if wrong or not all(isinstance(metric, Metric) for metric in metrics):
        yield f"metrics is {metrics!r}, but must be a tuple of at least one Metric"
        return
    yield from _repeated(metric.name for metric in metrics)


def _repeated(names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{count} metrics are called {name!r}"


def _parameter_problems(model: Any) -> Iterator[str]:
    if not (isinstance(model, type) and issubclass(model, Parameters)):
        yield f"parameters is {model!r}, but must be a subclass of Parameters"
        return
    try:
        json.dumps(model.model_json_schema(), allow_nan=False)
    except Exception as error:  # noqa: BLE001 - a user's class may raise anything
        yield f"{model.__name__} has no JSON Schema: {error}"
        return
    try:
        model()
    except ValidationError as error:
        for one in error.errors():
            if one["type"] != "missing":  # a parameter without default
                path = ".".join(map(str, one["loc"]))
                yield f"{model.__name__}: the default of {path} is refused: {one['msg']}"
