"""The benchmark of the states covers every trainable and measures what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import states
from benchmarks.engines import ROOT
from tests.trainables.synthetic import image_data, regression_data
from trainables import registry


def test_every_built_in_trainable_is_measured() -> None:
    built_in = {n for n, t in registry.trainables().items() if t.entry.startswith("trainables.")}
    assert {name for name, _ in states.CASES} == built_in


def test_a_state_is_written_and_read_as_often_as_asked() -> None:
    data = {"ames": regression_data(), "fashion_mnist": image_data()}
    for name, config in states.CASES:
        (dataset,) = registry.get(name).datasets
        size, writing, reading = states.of_state(name, config, data[dataset], 3)
        assert (size.unit, writing.unit, reading.unit) == ("kB", "ms", "ms")
        assert size.median > 2
        assert len(writing.values) == len(reading.values) == 3
        assert min(*writing.values, *reading.values) > 0
    assert size.name == "torch_feedforward, Adam: size of a state"


def test_training_is_compared_pair_by_pair() -> None:
    without, ratio, share = states.of_training(image_data(), 2, epochs=2)
    assert (without.unit, len(without.values)) == ("s", 2)
    assert (ratio.name, ratio.unit, len(ratio.values)) == (states.RATIO, "", 2)
    assert min(ratio.values) > 0
    assert share.unit == "%"
    assert all(0 < value < 100 for value in share.values)


def test_several_threads_are_refused(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    output = tmp_path / "states.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.states", "--output", str(output)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "OMP_NUM_THREADS=1" in done.stderr
    assert not output.exists()
