"""The trials of a job in a plain ``multiprocessing`` pool, to compare the service with.

    python -m benchmarks.bare_pool --job FILE --workers 2 --output FILE

Same functions, data and seed, but no service: only each trial's last metrics and training seconds
are kept; the seconds begin and end as those of a trial in the service. ``--job`` is the answer to a
dry run (``POST /api/v1/jobs?dry_run=true``).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from service.settings import Settings
from trainables import datasets, registry


@cache
def _data(name: str) -> datasets.RegressionData | datasets.ClassificationData:
    """Load the data once a process."""
    settings = Settings()
    return datasets.load(name, settings.datasets_dir, source=settings.fashion_mnist_dir)


def train(spec: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Train one trial; return its last ``metrics`` and its training ``seconds``.

    As in a trial process of the service, the seconds begin when the data are loaded and the
    trainable is imported, and end with the last report; they include loading compiled code.
    """
    data = _data(spec["dataset"])
    function = registry.get(spec["trainable"]).resolve()
    last: dict[str, float] = {}
    seconds = 0.0
    started = time.monotonic()

    def report(epoch: int, metrics: Mapping[str, float], **_: Any) -> None:  # noqa: ARG001
        nonlocal seconds
        last.update(metrics)
        seconds = time.monotonic() - started

    function(configuration, data, report, epochs=spec["epochs"], seed=spec["seed"])
    return {"metrics": last, "seconds": seconds}


def run(plan: Mapping[str, Any], workers: int) -> dict[str, Any]:
    """Run all trials of a plan; return them in order, and the seconds from first to last.

    The processes start anew (``spawn``), as Ray's do, and their start is part of ``wall_s``.
    """
    context = multiprocessing.get_context("spawn")
    started = time.monotonic()
    with context.Pool(workers) as pool:
        trials = pool.map(partial(train, plan["spec"]), plan["configurations"], chunksize=1)
    return {"wall_s": time.monotonic() - started, "trials": trials}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run the trials of a plan in a bare pool.")
    parser.add_argument("--job", type=Path, required=True, help="the plan, as JSON")
    parser.add_argument("--workers", type=int, required=True, help="processes")
    parser.add_argument("--output", type=Path, required=True, help="file to write, as JSON")
    options = parser.parse_args()
    plan = json.loads(options.job.read_text(encoding="utf-8"))
    options.output.write_text(json.dumps(run(plan, options.workers)), encoding="utf-8")


if __name__ == "__main__":
    main()
