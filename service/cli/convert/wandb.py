"""Weights & Biases sweeps: https://docs.wandb.ai/guides/sweeps/sweep-config-keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from search_spaces import is_number
from service.cli.convert import domains
from service.cli.convert.draft import Draft, arguments, escaped, take_epochs

_KNOWN = (
    "program", "method", "metric", "parameters", "early_terminate", "command", "run_cap", "name",
    "description",
)  # fmt: skip
_METHODS = {"grid": "grid", "random": "random", "bayes": "tpe"}
_SHAPE = ("min", "max", "mu", "sigma", "q")
_PARAMETER = ("value", "values", "distribution", "parameters", *_SHAPE)
_DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
#: What stands between ${env} and the program: NAME=value.
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)")
_HYPERBAND_ETA = 3


def is_wandb(raw: Mapping[str, Any]) -> bool:
    """Whether a file's content is a sweep: it has parameters in W&B's form, and a W&B key."""
    parameters = raw.get("parameters")
    return isinstance(parameters, Mapping) and ("method" in raw or "program" in raw)


def convert(raw: Mapping[str, Any]) -> Draft:
    """Return the space of a sweep."""
    draft = Draft("a W&B sweep")
    for name, one in raw.get("parameters", {}).items():
        _parameter(draft, str(name), _declared(one))
    draft.members["title"] = str(raw.get("name") or raw.get("program") or "A W&B sweep")
    if raw.get("description"):
        draft.members["description"] = str(raw["description"])
    _metric(draft, raw.get("metric"))
    _method(draft, raw)
    _early(draft, raw.get("early_terminate"))
    _command(draft, raw)
    draft.lose_others(raw, _KNOWN)
    draft.note(
        "the program prints its metrics as JSON lines instead of wandb.log, and reads its "
        "parameters from its arguments or the file named by ARGBEST_CONFIG instead of wandb.config"
    )
    return draft


def _declared(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {"value": raw}


def _parameter(draft: Draft, name: str, raw: Mapping[str, Any]) -> None:
    if isinstance(raw.get("parameters"), Mapping):
        draft.note(f"parameter {name}: its members are parameters of their own, {name}.<member>")
        for inner, one in raw["parameters"].items():
            _parameter(
                draft, f"{name}.{inner}", one if isinstance(one, Mapping) else {"value": one}
            )
        return
    note = draft.about(name)
    draft.lose_others(raw, _PARAMETER, f"parameter {name}: ")
    if "value" in raw:
        draft.add(name, domains.plain(raw["value"], note))
    elif isinstance(raw.get("values"), list) and raw["values"]:
        draft.add(name, domains.choice(raw["values"], note))
    elif (domain := _distribution(raw, draft, name)) is not None:
        draft.add(name, domain)
    else:
        draft.lose(f"parameter {name}: no values, and no min and max that are numbers")


def _distribution(raw: Mapping[str, Any], draft: Draft, name: str) -> Any:
    note = draft.about(name)
    numbers = {key: raw[key] for key in _SHAPE if is_number(raw.get(key))}
    kind = str(raw.get("distribution", "uniform" if _is_float(raw) else "int_uniform"))
    step = float(numbers.get("q", 1)) if kind.startswith("q_") else None
    base = kind.removeprefix("q_")
    if base in ("normal", "log_normal"):
        shape = numbers.get("mu", 0.0), numbers.get("sigma", 1.0)
        if base == "log_normal":
            return domains.log_normal(*shape, note)
        return domains.normal(*shape, note, step=step)
    if base == "beta":
        draft.lose(f"parameter {name}: a beta distribution; evenly from 0 to 1 here")
        return domains.interval(0.0, 1.0, note)
    if not {"min", "max"} <= numbers.keys():
        return None
    low, high = numbers["min"], numbers["max"]
    if base in ("log_uniform", "inv_log_uniform"):
        try:
            low, high = (float(f"{2.718281828459045**end:.6g}") for end in (low, high))
        except OverflowError:
            return None
        note(f"{kind} has exponents of e as its ends: {low:g} to {high:g}")
    if base.startswith("inv_"):
        draft.lose(f"parameter {name}: the distribution {kind}; an ordinary logarithmic scale here")
    log = "log_uniform" in base
    if step is not None:
        return domains.rounded(low, high, step, note, log=log)
    return domains.interval(low, high, note, whole=base == "int_uniform", log=log)


def _is_float(raw: Mapping[str, Any]) -> bool:
    return any(isinstance(raw.get(key), float) for key in ("min", "max"))


def _metric(draft: Draft, raw: Any) -> None:
    metric = raw if isinstance(raw, Mapping) else {}
    name = metric.get("name")
    if not name:
        draft.note("metric: the sweep names none; write what the program prints")
    mode = "max" if metric.get("goal") == "maximize" else "min"
    draft.members |= {"metric": str(name or "val_loss"), "mode": mode}
    if is_number(metric.get("target")):
        draft.members["budget"] = {"target": metric["target"]}
    draft.lose_others(metric, ("name", "goal", "target"), "metric: ")


def _method(draft: Draft, raw: Mapping[str, Any]) -> None:
    method = str(raw.get("method", "random"))
    if method not in _METHODS:
        draft.lose(f"method {method}; strategy auto here")
    draft.members["strategy"] = _METHODS.get(method, "auto")
    if method == "bayes":
        draft.note("method bayes is a Gaussian process; tpe takes lists and conditions too")
    if method == "grid":
        return
    if isinstance(raw.get("run_cap"), int):
        draft.members["trials"] = raw["run_cap"]
    else:
        draft.note("trials: a sweep without run_cap goes on without end; 20 here")


def _early(draft: Draft, raw: Any) -> None:
    most = None
    if isinstance(raw, Mapping) and raw.get("type", "hyperband") == "hyperband":
        eta = raw.get("eta", _HYPERBAND_ETA)
        eta = eta if isinstance(eta, int) and eta > 1 else _HYPERBAND_ETA
        first, most, brackets = raw.get("min_iter"), raw.get("max_iter"), raw.get("s")
        if isinstance(most, int) and not isinstance(first, int):
            first = max(1, most // eta ** (brackets if isinstance(brackets, int) else 1))
        first = first if isinstance(first, int) and first > 0 else 1
        draft.members["scheduler"] = {
            "name": "asha", "reduction_factor": eta, "min_epochs": first, "stops": True,
        }  # fmt: skip
        most = most if isinstance(most, int) and most > first else None
        draft.lose_others(raw, ("type", "eta", "min_iter", "max_iter", "s"), "early_terminate: ")
    elif raw:
        draft.lose("early_terminate of another type than hyperband")
    take_epochs(draft, most)


def _command(draft: Draft, raw: Mapping[str, Any]) -> None:
    program = str(raw.get("program", "train.py"))
    if "program" not in raw:
        draft.note("command: the sweep names no program; train.py here")
    parts = raw.get("command") or _DEFAULT_COMMAND
    command: list[str] = []
    for part in parts if isinstance(parts, list | tuple) else [parts]:
        if not command and (variable := _VARIABLE.fullmatch(str(part))):
            draft.members.setdefault("environment", {})[variable[1]] = escaped(variable[2])
        else:
            command += _part(draft, str(part), program)
    if (name := draft.members.pop("epochs_argument", None)) is not None:
        at = command.index("{args}") if "{args}" in command else len(command)
        command.insert(at, f"--{escaped(name)}={{epochs}}")
    draft.members["command"] = command


def _part(draft: Draft, part: str, program: str) -> list[str]:
    match part:
        case "${env}" | "/usr/bin/env":
            return []
        case "${interpreter}":
            return ["python"]
        case "${program}":
            return [program]
        case "${args}":
            return arguments(draft, "--{name}={value}")
        case "${args_no_hyphens}":
            return arguments(draft, "{name}={value}")
        case "${args_no_boolean_flags}":
            for name, domain in draft.parameters.items():
                if {True, False} & {value for value in domains.values_of(domain)
                                    if isinstance(value, bool)}:  # fmt: skip
                    draft.flags[name] = {"true": f"--{draft.originals[name]}", "false": ""}
            return arguments(draft, "--{name}={value}")
        case "${args_json_file}":
            return ["{config}"]
        case "${args_json}":
            draft.lose("${args_json}: the path of a file with the same JSON here")
            return ["{config}"]
    for variable in re.findall(r"\$\{envvar:\w+\}", part):
        draft.lose(f"{variable} in command: name the value under environment")
    return [escaped(part).replace("${{program}}", program).replace("${{interpreter}}", "python")]
