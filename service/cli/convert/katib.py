"""Katib experiments: https://www.kubeflow.org/docs/components/katib/user-guides/katib-config/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces import is_number
from service.cli.convert import domains
from service.cli.convert.draft import Draft, escaped, take_epochs
from service.cli.convert.scalars import number, scalar

_SPEC = (
    "objective", "algorithm", "earlyStopping", "parallelTrialCount", "maxTrialCount",
    "maxFailedTrialCount", "parameters", "trialTemplate", "metricsCollectorSpec",
)  # fmt: skip
_ALGORITHMS = {
    "random": "random", "grid": "grid", "tpe": "tpe", "multivariate-tpe": "tpe", "sobol": "sobol",
    "bayesianoptimization": "gp", "cmaes": "cmaes", "hyperband": "random",
}  # fmt: skip
#: What Katib's collector finds in standard output: name=value.
_PRINTED = r"{name}\s*=\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
_REFERENCE = re.compile(r"\$\{trialParameters\.([\w-]+)\}")


def is_katib(raw: Mapping[str, Any]) -> bool:
    """Whether a file's content is an Experiment."""
    return raw.get("kind") == "Experiment" or "kubeflow" in str(raw.get("apiVersion", ""))


def convert(raw: Mapping[str, Any]) -> Draft:
    """Return the space of an Experiment."""
    draft = Draft("a Katib experiment")
    spec = _mapping(raw.get("spec"))
    draft.members["title"] = str(_mapping(raw.get("metadata")).get("name") or "A Katib experiment")
    for one in spec.get("parameters") or ():
        _parameter(draft, _mapping(one))
    metrics = _objective(draft, _mapping(spec.get("objective")))
    _algorithm(draft, _mapping(spec.get("algorithm")))
    _early(draft, _mapping(spec.get("earlyStopping")))
    _counts(draft, spec)
    _trial(draft, _mapping(spec.get("trialTemplate")))
    _collector(draft, _mapping(spec.get("metricsCollectorSpec")), metrics)
    draft.lose_others(spec, _SPEC, "spec.")
    return draft


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _parameter(draft: Draft, raw: Mapping[str, Any]) -> None:
    name, kind = str(raw.get("name", "")), raw.get("parameterType")
    note, feasible = draft.about(name), _mapping(raw.get("feasibleSpace"))
    if isinstance(feasible.get("list"), list) and feasible["list"]:
        values = feasible["list"]
        numeric = kind in ("discrete", "double", "int")
        draft.add(name, domains.choice([scalar(v) if numeric else str(v) for v in values], note))
        return
    ends = number(feasible.get("min")), number(feasible.get("max"))
    if ends[0] is None or ends[1] is None:
        draft.lose(f"parameter {name}: no list, and no min and max that are numbers")
        return
    distribution = str(feasible.get("distribution", "uniform"))
    if distribution.lower() in ("normal", "lognormal"):
        draft.lose(f"parameter {name}: the distribution {distribution}; evenly drawn here")
    log = distribution.lower().startswith("log")
    step, whole = number(feasible.get("step")), kind == "int"
    draft.add(name, domains.interval(ends[0], ends[1], note, whole=whole, step=step, log=log))


def _objective(draft: Draft, raw: Mapping[str, Any]) -> list[str]:
    """Declare the objective; return the names of all metrics."""
    name = str(raw.get("objectiveMetricName", "objective"))
    draft.members |= {"metric": name, "mode": "max" if raw.get("type") == "maximize" else "min"}
    goal = raw.get("goal")
    if is_number(goal):
        draft.members["budget"] = {"target": goal}
    for strategy in raw.get("metricStrategies") or ():
        value = _mapping(strategy).get("value")
        if value in ("max", "min"):
            draft.lose(f"metricStrategies {value}: trials are compared by their last value here")
    known = ("type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies")
    draft.lose_others(raw, known, "objective.")
    return [name, *map(str, raw.get("additionalMetricNames") or ())]


def _settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    listed = raw.get("algorithmSettings") or ()
    pairs = [_mapping(one) for one in listed]
    return {str(one.get("name")): scalar(one.get("value")) for one in pairs}


def _algorithm(draft: Draft, raw: Mapping[str, Any]) -> None:
    name, settings = str(raw.get("algorithmName", "random")), _settings(raw)
    if name not in _ALGORITHMS:
        draft.lose(f"algorithm {name}; strategy auto here")
    draft.members["strategy"] = _ALGORITHMS.get(name, "auto")
    most = None
    if name == "hyperband":
        most, eta = settings.pop("r_l", None), settings.pop("eta", 3)
        eta = int(eta) if is_number(eta) and eta >= 2 else 3
        draft.members["scheduler"] = {"name": "hyperband", "reduction_factor": eta}
        most = int(most) if is_number(most) and most > 1 else None
        if resource := draft.named(str(settings.pop("resource_name", ""))):
            del draft.parameters[resource]
            draft.members["epochs_argument"] = draft.originals.pop(resource)
    for setting in settings:
        if setting == "random_state":
            draft.note(f"random_state: submit with --seed {settings[setting]}")
        else:
            draft.lose(f"algorithm setting {setting}")
    take_epochs(draft, most)


def _early(draft: Draft, raw: Mapping[str, Any]) -> None:
    if not raw:
        return
    if raw.get("algorithmName") != "medianstop":
        draft.lose(f"earlyStopping {raw.get('algorithmName')}")
        return
    settings = _settings(raw)
    ours = {"min_trials_required": "min_trials", "start_step": "min_epochs"}
    scheduler: dict[str, Any] = {"name": "median"}
    for name, value in settings.items():
        if name in ours and isinstance(value, int) and value > 0:
            scheduler[ours[name]] = value
        else:
            draft.lose(f"earlyStopping setting {name}")
    draft.members["scheduler"] = scheduler


def _counts(draft: Draft, spec: Mapping[str, Any]) -> None:
    if isinstance(spec.get("maxTrialCount"), int) and draft.members["strategy"] != "grid":
        draft.members["trials"] = spec["maxTrialCount"]
    if isinstance(spec.get("maxFailedTrialCount"), int):
        budget = draft.members.setdefault("budget", {})
        budget["failed_trials"] = spec["maxFailedTrialCount"] + 1
    if "parallelTrialCount" in spec:
        most = spec["parallelTrialCount"]
        draft.note(f"parallelTrialCount: submit with --max-concurrent-trials {most}")


def _trial(draft: Draft, raw: Mapping[str, Any]) -> None:
    references = {
        str(one.get("name")): str(one.get("reference"))
        for one in map(_mapping, raw.get("trialParameters") or ())
    }
    containers = list(_containers(raw.get("trialSpec")))
    primary = raw.get("primaryContainerName")
    chosen = next((c for c in containers if c.get("name") == primary), None)
    container = chosen or (containers[0] if containers else {})
    words = [*_words(container.get("command")), *_words(container.get("args"))]
    if not words:
        draft.note("command: the trial's template has no container with a command; train.py here")
        words = ["python", "train.py"]
        words += [f"--{name}=${{trialParameters.{name}}}" for name in draft.originals.values()]
        references = {name: name for name in draft.originals.values()}
    draft.members["command"] = [_argument(draft, word, references) for word in words]
    passed = " ".join(draft.members["command"])
    for name in draft.parameters:
        if "{" + name + "}" not in passed:
            draft.note(f"parameter {name}: the command does not use it; add {{{name}}} to it")
    known = ("primaryContainerName", "trialParameters", "trialSpec")
    draft.lose_others(raw, known, "trialTemplate.")
    if "image" in container:
        draft.lose(f"image {container['image']}: the program runs in the nodes' own environment")
    for one in map(_mapping, container.get("env") or ()):
        if isinstance(one.get("value"), str):
            value = _argument(draft, one["value"], references)
            draft.members.setdefault("environment", {})[str(one.get("name"))] = value
        else:
            draft.lose(f"environment variable {one.get('name')} from the cluster")
    if "resources" in container:
        draft.note("resources: submit with --cpus and --gpus")
    draft.members.pop("epochs_argument", None)


def _words(raw: Any) -> list[str]:
    return [str(word) for word in raw] if isinstance(raw, list) else []


def _containers(raw: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the containers anywhere in a trial's template, whatever resource it is."""
    for key, value in _mapping(raw).items():
        if key == "containers" and isinstance(value, list):
            yield from map(_mapping, value)
        else:
            yield from _containers(value)


def _argument(draft: Draft, word: str, references: Mapping[str, str]) -> str:
    """Return one argument with our placeholders."""

    def placed(found: re.Match[str]) -> str:
        original = references.get(found[1], found[1])
        if original == draft.members.get("epochs_argument"):
            return "{epochs}"
        name = draft.named(original)
        if name is None:
            draft.lose(f"{found[0]}: the experiment has no parameter {original}")
            return escaped(found[0])
        return "{" + name + "}"

    pieces = re.split(f"({_REFERENCE.pattern.replace('(', '(?:', 1)})", word)
    return "".join(
        _REFERENCE.sub(placed, piece) if _REFERENCE.fullmatch(piece) else escaped(piece)
        for piece in pieces
    )


def _collector(draft: Draft, raw: Mapping[str, Any], metrics: list[str]) -> None:
    """Declare how Katib's collector finds the metrics: name=value in standard output."""
    kind = str(_mapping(raw.get("collector")).get("kind", "StdOut"))
    if kind not in ("StdOut", "File"):
        draft.lose(f"metricsCollector {kind}: let the program print its metrics")
    if kind == "File":
        draft.note("the metrics are in a file: let the program print them as well")
    if _mapping(_mapping(raw.get("source")).get("filter")).get("metricsFormat"):
        draft.lose("metricsFormat: write a pattern with one group for each metric")
    draft.members["patterns"] = {
        name: _PRINTED.replace("{name}", re.escape(name).replace(r"\ ", " "))
        for name in dict.fromkeys(metrics)
    }
