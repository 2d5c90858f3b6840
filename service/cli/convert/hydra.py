"""Hydra's Optuna sweeper: https://hydra.cc/docs/plugins/optuna_sweeper/."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from search_spaces import is_number
from service.cli.convert import domains
from service.cli.convert.draft import (
    Draft,
    NotConvertible,
    arguments,
    escaped,
    objectives,
    take_epochs,
)
from service.cli.convert.scalars import scalar

_SWEEPER = (
    "params", "search_space", "direction", "n_trials", "n_jobs", "sampler", "study_name", "_target_"
)  # fmt: skip
_SAMPLERS = {
    "tpe": "tpe", "random": "random", "cmaes": "cmaes", "grid": "grid", "nsgaii": "nsga2",
    "motpe": "tpe", "gp": "gp", "qmc": "sobol",
}  # fmt: skip
_CALL = re.compile(r"\s*([a-z]+)\((.*)\)\s*", re.DOTALL)
_CLOSES = {"(": ")", "[": "]", "{": "}"}


def is_hydra(raw: Mapping[str, Any]) -> bool:
    """Whether a file's content has a sweep section, or is one."""
    if "hydra" in raw or "sweeper" in raw:
        return True
    return isinstance(raw.get("params"), Mapping) or isinstance(raw.get("search_space"), Mapping)


def convert(raw: Mapping[str, Any]) -> Draft:
    """Return the space of a sweep section, which may be a whole configuration's."""
    draft = Draft("a Hydra sweep")
    sweeper = _section(raw)
    for name, text in _mapping(sweeper.get("params")).items():
        _parameter(draft, str(name), text)
    for name, one in _mapping(sweeper.get("search_space")).items():
        _declared(draft, str(name), _mapping(one))
    draft.members["title"] = str(sweeper.get("study_name") or "A Hydra sweep")
    _strategy(draft, sweeper, raw)
    directions = sweeper.get("direction", "minimize")
    listed = directions if isinstance(directions, list) else [directions]
    objectives(draft, ["max" if str(one) == "maximize" else "min" for one in listed])
    take_epochs(draft)
    if isinstance(sweeper.get("n_trials"), int) and draft.members["strategy"] != "grid":
        draft.members["trials"] = sweeper["n_trials"]
    if isinstance(sweeper.get("n_jobs"), int) and sweeper["n_jobs"] > 0:
        draft.note(f"n_jobs: submit with --max-concurrent-trials {sweeper['n_jobs']}")
    epochs = draft.members.pop("epochs_argument", None)
    own = [] if epochs is None else [f"{escaped(epochs)}={{epochs}}"]
    draft.members["command"] = ["python", "my_app.py", *own, *arguments(draft, "{name}={value}")]
    draft.note("command: the file names no program; my_app.py here")
    draft.note("the value that the program's function returns is lost: let it print a JSON line")
    draft.lose_others(sweeper, _SWEEPER, "sweeper.")
    return draft


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _section(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _mapping(_mapping(raw.get("hydra")).get("sweeper") or raw.get("sweeper"))
    section = found or raw
    if not _mapping(section.get("params")) and not _mapping(section.get("search_space")):
        raise NotConvertible("the sweeper has neither params nor search_space")
    return section


def _parameter(draft: Draft, name: str, text: Any) -> None:
    """Declare an entry of params: choice(...), range(...), interval(...), tag(...) or values."""
    plain = name.lstrip("+")
    note = draft.about(name)
    if not isinstance(text, str):
        is_list = isinstance(text, list)
        draft.add(plain, domains.choice(text, note) if is_list else domains.plain(text, note))
        return
    domain = _sweep(text, note)
    if domain is None:
        draft.lose(f"parameter {name}: {text}")
    else:
        draft.add(plain, domain)


def _sweep(text: str, note: domains.Note, *, log: bool = False, whole: bool | None = None) -> Any:
    """Return the domain of a sweep in Hydra's grammar, None where it has no counterpart."""
    call = _CALL.fullmatch(text)
    if call is None:
        values = [_value(part) for part in _parts(text)]
        return domains.choice(values, note) if len(values) > 1 else domains.plain(values[0], note)
    name, parts = call[1], _parts(call[2])
    if name == "tag":
        return _sweep(parts[-1], note, log=log or "log" in parts[:-1], whole=whole)
    if name in ("shuffle", "sort", "int", "float", "str", "bool") and len(parts) >= 1:
        return _cast(name, parts[0], note, log=log, whole=whole)
    if name == "choice":
        return domains.choice(map(_value, parts), note)
    if name not in ("range", "interval"):
        return None
    given = dict(part.split("=", 1) for part in parts if "=" in part)
    positional = [part for part in parts if "=" not in part]
    if name == "range" and len(positional) == 1 and "stop" not in given:
        positional.insert(0, "0")
    keys = ("start", "stop", "step") if name == "range" else ("start", "end")
    named = dict(zip(keys, positional, strict=False)) | {k.strip(): v for k, v in given.items()}
    numbers = {key: scalar(value) for key, value in named.items()}
    if not all(map(is_number, numbers.values())) or not {*keys[:2]} <= numbers.keys():
        return None
    is_whole = all(isinstance(value, int) for value in numbers.values())
    return domains.interval(
        numbers["start"],
        numbers[keys[1]],
        note,
        step=numbers.get("step"),
        whole=is_whole if whole is None else whole,
        log=log,
    )


def _cast(name: str, text: str, note: domains.Note, *, log: bool, whole: bool | None) -> Any:
    if name in ("int", "float"):
        whole = name == "int"
    inner = _sweep(text, note, log=log, whole=whole)
    if name in ("str", "bool") and isinstance(inner, Mapping) and "values" in inner:
        cast = str if name == "str" else bool
        return domains.choice(map(cast, inner["values"]), note)
    return inner


def _parts(text: str) -> list[str]:
    """Return what commas separate, but those within brackets and quotes."""
    parts, closing, quote = [""], [""], ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _CLOSES:
            closing.append(_CLOSES[char])
        elif char == closing[-1]:
            closing.pop()
        elif char == "," and len(closing) == 1:
            parts.append("")
            continue
        parts[-1] += char
    return [part.strip() for part in parts]


def _value(text: str) -> Any:
    return scalar(text)


def _declared(draft: Draft, name: str, raw: Mapping[str, Any]) -> None:
    """Declare an entry of search_space, the older form: {type: float, low: 0, high: 1}."""
    plain, note, kind = name.lstrip("+"), draft.about(name), raw.get("type")
    low: Any = raw.get("low")
    high: Any = raw.get("high")
    step = raw.get("step")
    if kind == "categorical" and isinstance(raw.get("choices"), list):
        draft.add(plain, domains.choice(raw["choices"], note))
    elif kind in ("int", "float") and is_number(low) and is_number(high):
        draft.add(plain, domains.interval(
            low, high, note, whole=kind == "int", step=step if is_number(step) else None,
            log=raw.get("log") is True,
        ))  # fmt: skip
    else:
        draft.lose(f"parameter {name}: {kind}")


def _strategy(draft: Draft, sweeper: Mapping[str, Any], raw: Mapping[str, Any]) -> None:
    sampler = _mapping(sweeper.get("sampler"))
    target = str(sampler.get("_target_", "")).rpartition(".")[2].removesuffix("Sampler").lower()
    for entry in raw.get("defaults") or ():
        chosen = _mapping(entry).get("override hydra/sweeper/sampler")
        target = target or str(chosen or "")
    name = target.replace("cmaes", "cmaes") or "tpe"
    if name not in _SAMPLERS:
        draft.lose(f"sampler {name}; strategy auto here")
    draft.members["strategy"] = _SAMPLERS.get(name, "auto")
    if isinstance(sampler.get("seed"), int):
        draft.note(f"sampler.seed: submit with --seed {sampler['seed']}")
    draft.lose_others(sampler, ("_target_", "seed", "_partial_"), "sampler.")
