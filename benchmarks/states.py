"""Time the states of the built-in trainables: how long, how large, and what a trial pays for them.

    OMP_NUM_THREADS=1 python -m benchmarks.states [--quick] [--output FILE]

A state is taken from a training on the real data, after its first epoch, written to a temporary
file and read back. Then 20 epochs of q4_feedforward train with a state after every epoch and
without, in turn; there this process's CPU time counts, since a machine's other work changes more.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.engines import ames, fashion_mnist, run_python
from benchmarks.records import Figure
from service.settings import Settings
from trainables import registry, state_files
from trainables.contract import DatasetUnavailable, State

EPOCHS = 20
RATIO = f"{EPOCHS} epochs of q4_feedforward: a state after every epoch / none"
#: A configuration of each trainable whose states differ; with large batches one epoch is short.
CASES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("numpy_linear_regression", {}),
    ("numpy_neural_regression", {}),
    ("numpy_perceptron", {}),
    ("numpy_logistic_regression", {}),
    ("numpy_mlp", {}),
    ("torch_logistic_regression", {"batch_size": 64}),
    ("torch_feedforward", {"batch_size": 64}),
    ("torch_feedforward", {"batch_size": 64, "optimizer": "adam"}),
)
_ROOMY = 2**30


def of_state(name: str, config: Mapping[str, Any], data: Any, repeats: int) -> list[Figure]:
    """Train one epoch; time writing and reading its state, and count its bytes."""
    train: Callable[..., None] = registry.get(name).resolve()
    saving: list[float] = []
    reading: list[float] = []
    with TemporaryDirectory(prefix="argbest-bench-") as folder:
        file = Path(folder) / "state.npz"

        def report(*_: Any, state: Callable[[], State], **__: Any) -> None:
            for _turn in range(repeats + 1):
                saving.append(_milliseconds(lambda: state_files.save(file, state())))
                reading.append(_milliseconds(partial(state_files.load, file, max_bytes=_ROOMY)))

        train(config, data, report, epochs=1, seed=42)
        size = file.stat().st_size / 1000
    what = f"{name}, Adam" if config.get("optimizer") == "adam" else name
    return [
        Figure(f"{what}: size of a state", "kB", (size,)),
        Figure(f"{what}: make and write it", "ms", tuple(saving[1:])),
        Figure(f"{what}: read it", "ms", tuple(reading[1:])),
    ]


def of_training(data: Any, repeats: int, epochs: int = EPOCHS) -> list[Figure]:
    """Train with and without states, each first in turn, after one training that compiles."""
    _train(data, epochs=1, states=False)
    pairs = []
    for turn in range(repeats):
        both = [(s, _train(data, epochs=epochs, states=s)) for s in (turn % 2 == 0, turn % 2 == 1)]
        pairs.append((dict(both)[True], dict(both)[False]))
    training = f"{EPOCHS} epochs of q4_feedforward"
    return [
        Figure(f"{training} without states, CPU time", "s", tuple(p.total for _, p in pairs)),
        Figure(RATIO, "", tuple(kept.total / plain.total for kept, plain in pairs)),
        Figure(
            f"{training}: a state after every epoch, share of the CPU time",
            "%",
            tuple(100 * kept.in_states / kept.total for kept, _ in pairs),
        ),
    ]


@dataclass(slots=True)
class Seconds:
    """CPU time of a training, and what of it making and writing states took."""

    total: float = 0.0
    in_states: float = 0.0


def _train(data: Any, *, epochs: int, states: bool) -> Seconds:
    """Train the default configuration of q4_feedforward."""
    train: Callable[..., None] = registry.get("torch_feedforward").resolve()
    seconds = Seconds()
    with TemporaryDirectory(prefix="argbest-bench-") as folder:

        def report(epoch: int, *_: Any, state: Callable[[], State], **__: Any) -> None:
            if states:
                before = time.process_time()
                state_files.save(Path(folder) / f"{epoch}.npz", state())
                seconds.in_states += time.process_time() - before

        started = time.process_time()
        train({"device": "cpu"}, data, report, epochs=epochs, seed=42)
        seconds.total = time.process_time() - started
    return seconds


def _milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def run(*, quick: bool) -> list[Figure]:
    """Measure every trainable; ``quick`` takes fewer repeats."""
    data = {"ames": ames(), "fashion_mnist": fashion_mnist()}
    figures: list[Figure] = []
    for name, config in CASES:
        (dataset,) = registry.get(name).datasets
        figures += of_state(name, config, data[dataset], 5 if quick else 30)
    return figures + of_training(data["fashion_mnist"], 2 if quick else 6)


def measure(settings: Settings, *, quick: bool) -> list[Figure]:
    """Return the figures, measured in a process with one thread, as a trial has.

    Raises :class:`benchmarks.records.BenchmarkError` when it fails; its messages go to stderr.
    """
    options = ["--quick"] if quick else []
    with TemporaryDirectory(prefix="argbest-bench-") as folder:
        file = Path(folder) / "states.json"
        environment = settings.environment()
        run_python("benchmarks.states", *options, "--output", str(file), environment=environment)
        content = json.loads(file.read_text(encoding="utf-8"))
    return [Figure(f["name"], f["unit"], tuple(f["values"])) for f in content]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Time the states of the built-in trainables.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--output", type=Path, required=True, help="write the figures there")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.exit(2, "set OMP_NUM_THREADS=1: a trial has one core\n")
    try:
        figures = run(quick=options.quick)
    except DatasetUnavailable as error:
        parser.exit(1, f"{error}\n")
    content = json.dumps([asdict(figure) for figure in figures], indent=1)
    options.output.write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
