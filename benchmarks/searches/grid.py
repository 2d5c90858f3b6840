"""Our own table: the curves of a grid that was really trained, in a compressed file.

``tools/grid_table.py`` makes the file from a finished job of ``q4_grid``. It is a CSV with a row
per training and epoch: the parameters, ``seed``, ``epoch``, then the metrics.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import BenchmarkError
from benchmarks.searches.problems import Configuration, Curve, Problem
from benchmarks.searches.tables import declared
from search_spaces import Choice, Value

FILE = Path(__file__).parent / "q4_grid.csv.xz"
#: The table by its name as a data set.
DATASETS = ("q4_grid",)
#: What is searched for, in the file's metrics; higher is better, and 1 the best possible.
METRIC = "validation_accuracy"


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a configuration; ``metrics`` hold the values after epochs 1, 2, ...

    One that diverged has NaN for the epochs that it did not report, an empty cell in the file.
    """

    parameters: Mapping[str, Value]
    seed: int
    metrics: Mapping[str, Sequence[float]]


def to_bytes(trainings: Sequence[Training]) -> bytes:
    """Return the file's content; all trainings have the same parameters, metrics and epochs."""
    names, metrics = list(trainings[0].parameters), list(trainings[0].metrics)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, "seed", "epoch", *metrics])
    for one in trainings:
        values = [_cell(one.parameters[name]) for name in names]
        epochs = zip(*(one.metrics[metric] for metric in metrics), strict=True)
        writer.writerows(
            [*values, one.seed, epoch, *("" if math.isnan(value) else value for value in reported)]
            for epoch, reported in enumerate(epochs, 1)
        )
    return lzma.compress(text.getvalue().encode())


def read(content: bytes) -> list[Training]:
    """Return the trainings of a file's content, in its order."""
    header, *rows = csv.reader(io.StringIO(lzma.decompress(content).decode(), newline=""))
    at = header.index("seed")
    names, metrics = header[:at], header[at + 2 :]
    reported: dict[tuple[str, ...], list[list[float]]] = {}
    for row in rows:
        reported.setdefault(tuple(row[: at + 1]), []).append(
            [float(cell or "nan") for cell in row[at + 2 :]]
        )
    return [
        Training(
            dict(zip(names, map(_value, key[:-1]), strict=True)),
            int(key[-1]),
            dict(zip(metrics, map(list, zip(*epochs, strict=True)), strict=True)),
        )
        for key, epochs in reported.items()
    ]


def _cell(value: Value) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


def _value(cell: str) -> Value:
    try:
        value: Value = json.loads(cell)
    except ValueError:
        return cell
    return value


def load(dataset: str, file: Path = FILE) -> Problem:
    """Return the problem of the table; raise :class:`BenchmarkError` where it was not made."""
    if not file.is_file():
        raise BenchmarkError(
            f"{file.name} is missing: python -m tools.grid_table makes it of a job of {dataset}"
        )
    return problem(f"grid/{dataset}", read(file.read_bytes()))


def best(file: Path = FILE) -> float:
    """Return the best value of :data:`METRIC` that a training of the grid ended with.

    Further seeds of the best configurations do not count: the grid itself has one seed.
    """
    trained = read(file.read_bytes())
    seed = trained[0].seed
    return max(float(one.metrics[METRIC][-1]) for one in trained if one.seed == seed)


def means(file: Path = FILE) -> Mapping[str, float]:
    """Return the mean of :data:`METRIC` at the last epoch by configuration (:func:`key_of`).

    Only configurations that were trained with several seeds are there: of single trainings the
    best had luck.
    """
    ends: dict[str, list[float]] = {}
    for one in read(file.read_bytes()):
        ends.setdefault(key_of(one.parameters), []).append(one.metrics[METRIC][-1])
    return {key: sum(found) / len(found) for key, found in ends.items() if len(found) > 1}


def key_of(parameters: Mapping[str, Value]) -> str:
    """Return what stands for a configuration."""
    return json.dumps(parameters, sort_keys=True)


def problem(name: str, trainings: Iterable[Training]) -> Problem:
    """Return the problem of trainings that fill a grid; constants are left out of its space.

    A configuration's true loss is the mean over the seeds with which it was trained; where one
    diverged, its loss is 1. Raises :class:`BenchmarkError` where a configuration of the grid is
    missing.
    """
    curves: dict[tuple[Value, ...], list[NDArray[np.float64]]] = {}
    trained = list(trainings)
    names = list(trained[0].parameters)
    for one in sorted(trained, key=lambda training: training.seed):
        key = tuple(one.parameters[name] for name in names)
        reached = np.nan_to_num(np.array(one.metrics[METRIC], dtype=np.float64), nan=0.0)
        curves.setdefault(key, []).append(1 - reached)
    values = {name: list(dict.fromkeys(one.parameters[name] for one in trained)) for name in names}
    if prod(map(len, values.values())) != len(curves):
        raise BenchmarkError(
            f"{name}: the table has {len(curves)} configurations, and no full grid"
        )
    epochs = len(next(iter(curves.values()))[0])
    true = {key: np.mean(seeds, axis=0) for key, seeds in curves.items()}

    def curve(configuration: Configuration, seed: int | None) -> Curve:
        key = tuple(configuration.get(name, values[name][0]) for name in names)
        found = true[key] if seed is None else curves[key][seed % len(curves[key])]
        return [float(loss) for loss in found]

    parameters = {
        name: Choice(tuple(listed), listed[0]) for name, listed in values.items() if len(listed) > 1
    }
    last = np.array([losses[-1] for losses in true.values()])
    space = declared(name, parameters, epochs=epochs)
    return Problem(name, space, curve, best=float(last.min()), typical=float(np.median(last)))
