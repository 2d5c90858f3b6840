"""An Optuna study's distributions: their JSON, or the database file of the study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from search_spaces import is_number
from service.cli.convert import domains
from service.cli.convert.draft import Draft, arguments, escaped, objectives, take_epochs

#: How distributions of other versions are those of today.
_OLD: Mapping[str, tuple[bool, bool]] = {  # whole, log
    "FloatDistribution": (False, False), "IntDistribution": (True, False),
    "UniformDistribution": (False, False), "LogUniformDistribution": (False, True),
    "DiscreteUniformDistribution": (False, False), "IntUniformDistribution": (True, False),
    "IntLogUniformDistribution": (True, True),
}  # fmt: skip


def is_optuna(raw: Mapping[str, Any]) -> bool:
    """Whether a file's content is distributions by parameter."""
    names = [str(_parsed(one).get("name")) for one in raw.values()]
    return bool(names) and all(name.endswith("Distribution") for name in names)


def convert(raw: Mapping[str, Any]) -> Draft:
    """Return the space of distributions, each as Optuna's ``distribution_to_json`` writes it."""
    draft = Draft("an Optuna study")
    for name, one in raw.items():
        domain = domain_of(one, draft.about(name))
        if domain is None:
            draft.lose(f"parameter {name}: {_parsed(one).get('name')}")
        else:
            draft.add(name, domain)
    finish(draft, ["minimize"])
    draft.note("mode: distributions do not say whether less is better; min here")
    return draft


def finish(
    draft: Draft, directions: list[str], names: list[str] | None = None, title: str = ""
) -> None:
    """Declare all but the parameters, which are there."""
    draft.members["title"] = title or "An Optuna study"
    draft.members["strategy"] = "auto" if len(directions) == 1 else "tpe"
    objectives(draft, ["max" if one.lower() == "maximize" else "min" for one in directions],
               names or [])  # fmt: skip
    take_epochs(draft)
    epochs = draft.members.pop("epochs_argument", None)
    own = [] if epochs is None else [f"--{escaped(epochs)}={{epochs}}"]
    draft.members["command"] = ["python", "train.py", *own, *arguments(draft, "--{name}={value}")]
    draft.note("command: a study names no program; train.py here")
    draft.note("trial.suggest_...(): the program reads its parameters from its arguments")
    draft.lose("the study's sampler and pruner, which are not stored with it")


def _parsed(raw: Any) -> Mapping[str, Any]:
    """Return a distribution's members, which may be a JSON text."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return {}
    return raw if isinstance(raw, Mapping) else {}


def domain_of(raw: Any, note: domains.Note) -> Any:
    """Return the domain of one distribution, None where it has no counterpart."""
    parsed = _parsed(raw)
    name, members = str(parsed.get("name")), parsed.get("attributes")
    if not isinstance(members, Mapping):
        return None
    if name == "CategoricalDistribution" and isinstance(members.get("choices"), list):
        return domains.choice(members["choices"], note) if members["choices"] else None
    low: Any = members.get("low")
    high: Any = members.get("high")
    if name not in _OLD or not is_number(low) or not is_number(high):
        return None
    whole, log = _OLD[name]
    step = members.get("step", members.get("q"))
    return domains.interval(
        low, high, note, whole=whole, step=step if is_number(step) else None,
        log=log or members.get("log") is True,
    )  # fmt: skip
