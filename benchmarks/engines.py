"""Shared by the benchmarks of the engines; each runs in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import peak_memory_bytes
from benchmarks.records import BenchmarkError, EngineRow, Figure
from benchmarks.tables import engines_table
from service.settings import Settings
from trainables import datasets
from trainables.contract import DatasetUnavailable
from trainables.datasets.types import ClassificationData, RegressionData

ROOT = Path(__file__).parents[1]
#: BLAS and numba read these when they are imported, so they are set before a process starts.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


def ames() -> RegressionData:
    """Return the Ames data."""
    data = datasets.load("ames", Settings().datasets_dir)
    assert isinstance(data, RegressionData)
    return data


def fashion_mnist() -> ClassificationData:
    """Return Fashion-MNIST from the data folder of the settings; raise ``DatasetUnavailable``."""
    settings = Settings()
    source = settings.fashion_mnist_dir
    data = datasets.load("fashion_mnist", settings.datasets_dir, source=source)
    assert isinstance(data, ClassificationData)
    return data


def main(description: str, run: Callable[[bool], list[EngineRow]]) -> None:
    """Run the command line: print the table of ``run(quick)``; write it to a file if asked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repeats")
    parser.add_argument("--output", type=Path, help="write the measurements there, as JSON")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.exit(2, "set OMP_NUM_THREADS=1: the engines are timed on one core\n")
    try:
        rows = run(options.quick)
    except DatasetUnavailable as error:
        parser.exit(1, f"{error}\n")
    print(engines_table(rows))
    if options.output:
        content = {"engines": list(map(asdict, rows)), "peak_memory_bytes": peak_memory_bytes()}
        options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def measure(module: str, settings: Settings, *, quick: bool) -> tuple[list[EngineRow], Figure]:
    """Run an engines' benchmark in a process with one thread; return its rows and its memory.

    Raises :class:`BenchmarkError` when it fails; its messages go to stderr.
    """
    options = ["--quick"] if quick else []
    with TemporaryDirectory(prefix="argbest-bench-") as folder:
        file = Path(folder) / "engines.json"
        run_python(module, *options, "--output", str(file), environment=settings.environment())
        content = json.loads(file.read_text(encoding="utf-8"))
    rows = [EngineRow(**row) for row in content["engines"]]
    peak = content["peak_memory_bytes"] / 1e6
    return rows, Figure("peak memory (RSS) of the process that measured", "MB", (peak,))


def run_python(
    module: str, *arguments: str, environment: Mapping[str, str], **options: Any
) -> None:
    """Run ``python -m module`` with one thread; only its stderr is shown.

    Raises :class:`BenchmarkError` unless it ends with status 0.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, **ONE_THREAD},
        stdout=subprocess.DEVNULL,
        check=False,
        **options,
    )
    if done.returncode:
        raise BenchmarkError(f"python -m {module} ended with status {done.returncode}")
