"""Unknown keys and words, with hints that name ours for those of other tools.

The words are those of Weights & Biases sweeps, Ray Tune, Optuna and hyperopt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from search_spaces.errors import Code, Problem, did_you_mean, pointer_to

_SPACE = {
    "method": "strategy", "sampler": "strategy", "algorithm": "strategy", "search_alg": "strategy",
    "objective": "metric", "goal": "mode", "direction": "mode", "optimize": "mode",
    "n_trials": "trials", "num_trials": "trials", "max_trials": "trials", "num_samples": "trials",
    "n_iter": "trials", "run_cap": "trials", "count": "trials", "max_epochs": "epochs",
    "num_epochs": "epochs", "n_epochs": "epochs", "params": "parameters",
    "hyperparameters": "parameters", "param_space": "parameters", "search_space": "parameters",
    "program": "command", "script": "command",
    "cmd": "command", "entrypoint": "command", "entry_point": "command", "executable": "command",
    "trialcommand": "command", "trial_command": "command", "trialcodedirectory": "code",
    "working_dir": "code", "source_dir": "code", "folder": "code", "env": "environment",
    "env_vars": "environment", "regex": "patterns", "regexes": "patterns", "boolean_flags": "flags",
    "model": "trainable", "data": "dataset",
    "pruner": "scheduler", "early_terminate": "scheduler", "early_stopping": "scheduler",
    "stopping": "scheduler", "directions": "objectives", "metrics": "objectives",
    "constraint": "constraints", "constraints_func": "constraints", "timeout": "budget",
    "time_budget_s": "budget", "max_time": "budget", "stop": "budget",
    "points_to_evaluate": "enqueue", "enqueue_trial": "enqueue", "initial_points": "enqueue",
    "prior_runs": "warm_start", "add_trials": "history", "prior_trials": "history",
    "repetitions": "repeats", "n_seeds": "repeats", "num_seeds": "repeats",
}  # fmt: skip
_SCHEDULER = {
    "type": "name", "grace_period": "min_epochs", "min_iter": "min_epochs",
    "min_resource": "min_epochs", "min_t": "min_epochs", "n_warmup_steps": "min_epochs",
    "eta": "reduction_factor", "min_samples_required": "min_trials",
    "n_startup_trials": "min_trials", "perturbation_interval": "interval",
    "interval_steps": "interval", "quantile_fraction": "quantile", "fraction": "quantile",
    "population_size": "population", "n_population": "population",
    "resample": "resample_probability", "resample_prob": "resample_probability",
    "perturbation_factors": "perturbation", "perturb_factors": "perturbation",
    "factor": "perturbation", "factors": "perturbation", "hyperparam_mutations": "perturb",
    "mutations": "perturb",
}  # fmt: skip
_LIMITS = {
    "timeout": "seconds", "time_budget_s": "seconds", "max_time": "seconds", "time": "seconds",
    "max_epochs": "epochs", "threshold": "target", "value": "target",
    "patience": "trials_without_improvement", "max_failures": "failed_trials",
    "direction": "mode", "goal": "mode", "name": "metric",
}  # fmt: skip
_DOMAIN = {
    "min": "low", "lower": "low", "minimum": "low", "max": "high", "upper": "high",
    "maximum": "high", "q": "step", "choices": "values", "options": "values",
    "categories": "values", "grid_search": "values", "const": "value", "constant": "value",
    "dtype": "type", "condition": "when", "conditions": "when", "depends_on": "when", "if": "when",
}  # fmt: skip
_CONDITION = {
    "min": "at_least", "low": "at_least", "gte": "at_least", "ge": "at_least", ">=": "at_least",
    "max": "at_most", "high": "at_most", "lte": "at_most", "le": "at_most", "<=": "at_most",
    "gt": "greater_than", ">": "greater_than", "lt": "less_than", "<": "less_than",
}  # fmt: skip
_STRATEGIES = {
    "bayes": "tpe", "bayesian": "tpe", "optuna": "tpe", "hyperopt": "tpe", "bohb": "tpe",
    "gridsearch": "grid", "gridsearchcv": "grid", "randomsearch": "random", "uniform": "random",
}  # fmt: skip
_SCHEDULERS = {
    "successivehalving": "asha", "successivehalvingpruner": "asha", "ashascheduler": "asha",
    "asynchyperband": "asha", "asynchyperbandscheduler": "asha", "sha": "asha",
    "hyperbandpruner": "hyperband", "hyperbandscheduler": "hyperband",
    "hyperbandforbohb": "hyperband", "medianpruner": "median", "medianstopping": "median",
    "medianstoppingrule": "median", "populationbasedtraining": "pbt",
    "populationbasedtrainer": "pbt", "pbttuner": "pbt", "population": "pbt",
    "nop": "none", "noppruner": "none", "fifo": "none",
    "fifoscheduler": "none",
}  # fmt: skip
#: What a job says, beside its space, and the options of ``argbest submit`` and ``run`` for it.
_JOB = {
    "resources_per_trial": "--cpus and --gpus", "gpus": "--gpus", "gpu": "--gpus", "cpus": "--cpus",
    "cpu": "--cpus", "resources": "--cpus and --gpus", "device": "--gpus 1",
    "num_gpus": "--gpus", "time_limit_s": "--time-limit", "max_failures": "--max-failures",
    "max_concurrent_trials": "--max-concurrent-trials", "parallelism": "--max-concurrent-trials",
    "n_jobs": "--max-concurrent-trials", "seed": "--seed", "priority": "--priority",
    "keep": "--keep", "tags": "--tag",
}  # fmt: skip
_DISTRIBUTION = 'leave it out; "log": true draws evenly on a logarithmic scale, "step" rounds'


def key_problems(raw: Mapping[Any, Any], known: Collection[str]) -> list[Problem]:
    """Return a problem for each key of ``raw`` that is not among ``known``."""
    return [
        Problem(
            pointer_to(key), "this key is not known here", Code.UNKNOWN_KEY, key_hint(key, known)
        )
        for key in raw
        if key not in known
    ]


def key_hint(key: object, known: Collection[str]) -> str:
    """Return a hint that names the one of the ``known`` keys that ``key`` may stand for."""
    if key == "distribution" and "low" in known:
        return _DISTRIBUTION
    if key in ("max_t", "max_resource", "max_iter") and "min_epochs" in known:
        return "leave it out: trials train at most the epochs of the space"
    for words in (_SPACE, _DOMAIN, _CONDITION, _SCHEDULER, _LIMITS):
        if words.get(str(key)) in known:
            return f"write {words[str(key)]} instead"
    if "parameters" in known and key in _JOB:
        return f"that is said of the job: {_JOB[str(key)]} of `argbest submit` and `run`"
    return did_you_mean(str(key), known)


def strategy_hint(strategy: object, known: Collection[str]) -> str:
    """Return a hint for a ``strategy`` that is not among the ``known``."""
    return _word_hint(strategy, _STRATEGIES, known)


def scheduler_hint(scheduler: object, known: Collection[str]) -> str:
    """Return a hint for a ``scheduler`` that is not among the ``known``."""
    return _word_hint(scheduler, _SCHEDULERS, known)


def _word_hint(word: object, ours: Mapping[str, str], known: Collection[str]) -> str:
    name = word if isinstance(word, str) else ""
    letters = "".join(filter(str.isalpha, name.lower()))
    if letters in ours:
        return f"write {ours[letters]} instead"
    return did_you_mean(name, known)
