"""CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.results import fakes
from tests.results.exports.exporting import FORMULA, exported, read, with_first


def test_csv_has_trials_and_curves_and_runs_no_formula(tmp_path: Path) -> None:
    fake = with_first(fakes.sampled(12), parameters={"optimizer": FORMULA}, node="-evil")
    path = exported("csv", tmp_path, fake)
    assert path.name == f"{fake.job.id}-csv.zip"
    trials = list(csv.DictReader(io.StringIO(read(path, "trials.csv").read().decode())))
    assert [int(row["number"]) for row in trials] == list(range(12))
    assert (trials[0]["parameters.optimizer"], trials[0]["node"]) == (f"'{FORMULA}", "'-evil")
    curves = list(csv.DictReader(io.StringIO(read(path, "curves.csv").read().decode())))
    assert len(curves) == sum(len(curve.epochs) for curve in fake.curves)
