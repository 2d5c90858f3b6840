"""The LCBench surrogate: validation accuracy of a network after each of 52 epochs, 34 data sets.

Zimmer, Lindauer, Hutter: "Auto-PyTorch Tabular" (2021); the surrogate is that of YAHPO Gym
(Pfisterer et al. 2022): a folder with ``model.onnx``, ``encoding.json`` and ``config_space.json``.
Its first epoch is the untrained network.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import BenchmarkError
from benchmarks.searches.problems import Configuration, Curve, Problem
from benchmarks.searches.tables import declared
from search_spaces import Domain, Range, SearchSpace, suggest

EPOCHS = 52
#: The order of the model's inputs after the epoch.
_INPUTS = (
    "batch_size",
    "learning_rate",
    "momentum",
    "weight_decay",
    "num_layers",
    "max_units",
    "max_dropout",
)
_ACCURACY = 1
#: The best of so many random configurations has regret 0, their median regret 1.
_REFERENCES = 2000


def datasets(folder: Path) -> tuple[str, ...]:
    """Return the OpenML task ids of the surrogate, as its configuration space lists them."""
    listed = _json(folder, "config_space.json")["hyperparameters"]
    (tasks,) = (one["choices"] for one in listed if one["name"] == "OpenML_task_id")
    return tuple(tasks)


def load(folder: Path, dataset: str) -> Problem:
    """Return the problem of one data set.

    Raises :class:`BenchmarkError` without onnxruntime, and for a folder without the surrogate.
    """
    space = _space(folder, f"lcbench/{dataset}")
    session = _session(folder)
    code = _json(folder, "encoding.json")["OpenML_task_id"][dataset]

    epochs = np.arange(1, EPOCHS + 1)

    @lru_cache(maxsize=10_000)
    def losses(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(_predict(session, code, epochs, np.array([values])).tolist())

    def curve(configuration: Configuration, seed: int | None) -> Curve:  # noqa: ARG001 - no noise
        return losses(tuple(float(configuration[name]) for name in _INPUTS))  # type: ignore[arg-type]

    drawn = np.array(_random_configurations(space, _REFERENCES))
    last = _predict(session, code, np.array([EPOCHS]), drawn)
    return Problem(
        f"lcbench/{dataset}", space, curve, best=float(last.min()), typical=float(np.median(last))
    )


def _predict(
    session: Any, code: int, epochs: NDArray[np.int64], configurations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return 100 minus the validation accuracy in percent, of one configuration or at one epoch.

    ``epochs`` and ``configurations`` have as many rows, or one of them has one.
    """
    count = max(len(epochs), len(configurations))
    rows = np.broadcast_to(configurations, (count, len(_INPUTS)))
    epoch = np.broadcast_to(epochs, count)[:, None]
    inputs = {
        "x_cat": np.full((count, 1), code, dtype=np.int32),
        "x_cont": np.hstack([epoch, rows]).astype(np.float32),
    }
    output: NDArray[np.float32] = session.run(None, inputs)[0]
    return 100.0 - output[:, _ACCURACY].astype(np.float64)


def _random_configurations(space: SearchSpace, count: int) -> list[list[float]]:
    """Return random configurations, always the same ones, as rows in the order of the inputs."""
    from optuna import create_study
    from optuna.samplers import RandomSampler

    study = create_study(sampler=RandomSampler(seed=2000))
    drawn = (suggest(space, study.ask()) for _ in range(count))
    return [[float(one[name]) for name in _INPUTS] for one in drawn]  # type: ignore[arg-type]


def _space(folder: Path, name: str) -> SearchSpace:
    listed = _json(folder, "config_space.json")["hyperparameters"]
    by_name = {one["name"]: one for one in listed}
    parameters: dict[str, Domain] = {
        name: Range(
            by_name[name]["lower"],
            by_name[name]["upper"],
            by_name[name]["default"],
            log=by_name[name]["log"],
            type="int" if by_name[name]["type"] == "uniform_int" else "float",
        )
        for name in _INPUTS
    }
    return declared(name, parameters, epochs=EPOCHS)


@cache
def _session(folder: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise BenchmarkError("onnxruntime is missing: pip install 'argbest[bench]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = folder / "model.onnx"
    if not file.is_file():
        raise BenchmarkError(f"{file} does not exist: --lcbench takes the surrogate's folder")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BenchmarkError(
            f"{folder / name} does not exist: --lcbench takes the surrogate's folder"
        ) from error
