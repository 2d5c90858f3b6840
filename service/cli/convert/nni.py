"""NNI search spaces and experiment files: https://nni.readthedocs.io/en/stable/hpo/search_space.html."""

from __future__ import annotations

import shlex
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

_EXPERIMENT = (
    "searchSpace", "trialCommand", "trialCodeDirectory", "trialConcurrency", "maxTrialNumber",
    "maxExperimentDuration", "experimentName", "tuner", "assessor",
)  # fmt: skip
_TUNERS = {
    "TPE": "tpe", "Random": "random", "GridSearch": "grid", "Evolution": "random", "Anneal": "tpe",
    "GP": "gp", "GPTuner": "gp", "SMAC": "tpe", "BOHB": "tpe", "Metis": "gp", "MetisTuner": "gp",
    "Hyperband": "random",
}  # fmt: skip
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def is_nni(raw: Mapping[str, Any]) -> bool:
    """Whether a file's content is a search space of NNI, or an experiment with one."""
    if "searchSpace" in raw or "searchSpaceFile" in raw or "trialCommand" in raw:
        return True
    return bool(raw) and all(isinstance(one, Mapping) and "_type" in one for one in raw.values())


def convert(raw: Mapping[str, Any]) -> Draft:
    """Return the space of a search space, or of an experiment that holds one."""
    draft = Draft("an NNI search space")
    is_experiment = not all(isinstance(one, Mapping) and "_type" in one for one in raw.values())
    if is_experiment and not isinstance(raw.get("searchSpace"), Mapping):
        raise NotConvertible("the experiment names a searchSpaceFile: convert that file")
    experiment = raw if is_experiment else {}
    for name, one in (raw["searchSpace"] if is_experiment else raw).items():
        _parameter(draft, str(name), one)
    draft.members["title"] = str(experiment.get("experimentName") or "An NNI search space")
    tuner = _mapping(experiment.get("tuner"))
    _tuner(draft, tuner)
    mode = _mapping(tuner.get("classArgs")).get("optimize_mode", "maximize")
    objectives(draft, ["min" if mode == "minimize" else "max"])
    take_epochs(draft)
    _assessor(draft, _mapping(experiment.get("assessor")))
    _limits(draft, experiment)
    words = shlex.split(str(experiment.get("trialCommand", "python train.py")))
    if "trialCommand" not in experiment:
        draft.note("command: the file names no program; train.py here")
    epochs = draft.members.pop("epochs_argument", None)
    own = [] if epochs is None else [f"--{escaped(epochs)}={{epochs}}"]
    draft.members["command"] = [
        *map(escaped, words), *own, *arguments(draft, "--{name}={value}"),
    ]  # fmt: skip
    draft.note(
        "nni.get_next_parameter(): the program reads its parameters from its arguments, or from "
        "the file named by ARGBEST_CONFIG; nni.report_intermediate_result(): it prints JSON lines"
    )
    if is_experiment:
        draft.lose_others(raw, _EXPERIMENT)
    return draft


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _parameter(draft: Draft, name: str, raw: Any, when: Mapping[str, Any] | None = None) -> None:
    one = _mapping(raw)
    kind, values = str(one.get("_type")), one.get("_value")
    if not isinstance(values, list) or not values:
        draft.lose(f"parameter {name}: {kind} without a list as _value")
        return
    if kind == "choice":
        _choice(draft, name, values, when)
        return
    domain = _numbers(kind, values, draft, name)
    if domain is None:
        draft.lose(f"parameter {name}: {kind} of {len(values)} values")
    else:
        draft.add(name, _under(domain, when))


def _choice(draft: Draft, name: str, values: list[Any], when: Mapping[str, Any] | None) -> None:
    """Declare a choice; what a choice's option holds in turn exists under that option alone."""
    nested = {
        str(value["_name"]): value
        for value in values
        if isinstance(value, Mapping) and "_name" in value
    }
    names = [str(v["_name"]) if isinstance(v, Mapping) and "_name" in v else v for v in values]
    own = draft.add(name, _under(domains.choice(names, draft.about(name)), when))
    for option, members in nested.items():
        for inner, one in members.items():
            if inner != "_name":
                _parameter(draft, f"{name}.{option}.{inner}", one, {own: option})


def _under(domain: Any, when: Mapping[str, Any] | None) -> Any:
    if not when:
        return domain
    return {**(domain if isinstance(domain, Mapping) else {"value": domain}), "when": dict(when)}


def _numbers(kind: str, values: list[Any], draft: Draft, name: str) -> Any:
    """Return the domain of a distribution of numbers, None where the values do not fit it."""
    note = draft.about(name)
    if not all(map(is_number, values)):
        return None
    match kind, values:
        case "randint", [low, high] if high > low:
            return domains.interval(low, high - 1, note, whole=True)
        case "uniform", [low, high]:
            return domains.interval(low, high, note)
        case "quniform", [low, high, step]:
            return domains.rounded(low, high, step, note)
        case "loguniform", [low, high]:
            return domains.interval(low, high, note, log=True)
        case "qloguniform", [low, high, step]:
            return domains.rounded(low, high, step, note, log=True)
        case "normal", [mean, deviation]:
            return domains.normal(mean, deviation, note)
        case "qnormal", [mean, deviation, step]:
            return domains.normal(mean, deviation, note, step=step)
        case (("lognormal" | "qlognormal"), [mean, deviation, *_]):
            return domains.log_normal(mean, deviation, note)
    return None


def _tuner(draft: Draft, tuner: Mapping[str, Any]) -> None:
    name = tuner.get("name") or tuner.get("builtinTunerName")
    if name is None:
        draft.members["strategy"] = "auto"
        return
    strategy = _TUNERS.get(str(name))
    if strategy is None:
        draft.lose(f"tuner {name}; strategy auto here")
    elif str(name) in ("Evolution", "Anneal", "SMAC", "BOHB", "Metis", "MetisTuner", "Hyperband"):
        draft.lose(f"tuner {name}; strategy {strategy} here")
    draft.members["strategy"] = strategy or "auto"
    draft.lose_others(_mapping(tuner.get("classArgs")), ("optimize_mode",), f"tuner {name}: ")


def _assessor(draft: Draft, assessor: Mapping[str, Any]) -> None:
    name = assessor.get("name") or assessor.get("builtinAssessorName")
    if name == "Medianstop":
        start = _mapping(assessor.get("classArgs")).get("start_step", 1)
        first = start if isinstance(start, int) and start > 0 else 1
        draft.members["scheduler"] = {"name": "median", "min_epochs": first}
    elif name is not None:
        draft.lose(f"assessor {name}; scheduler none here")


def _limits(draft: Draft, experiment: Mapping[str, Any]) -> None:
    most = experiment.get("maxTrialNumber")
    if isinstance(most, int) and draft.members["strategy"] != "grid":
        draft.members["trials"] = most
    duration = str(experiment.get("maxExperimentDuration", ""))
    if duration[:-1].isdigit() and duration[-1] in _SECONDS:
        draft.members["budget"] = {"seconds": int(duration[:-1]) * _SECONDS[duration[-1]]}
    if "trialConcurrency" in experiment:
        workers = experiment["trialConcurrency"]
        draft.note(f"trialConcurrency: submit with --max-concurrent-trials {workers}")
