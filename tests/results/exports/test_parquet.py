"""Parquet is read back by pyarrow."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from tests.results import fakes
from tests.results.exports.exporting import FORMULA, METRIC, exported, read, with_first


def test_parquet_has_typed_columns(tmp_path: Path) -> None:
    fake = with_first(fakes.sampled(12), parameters={"optimizer": FORMULA, "layers": [1, True]})
    path = exported("parquet", tmp_path, fake)
    trials = pq.read_table(read(path, "trials.parquet"))
    assert str(trials.schema.field("parameters.learning_rate").type) == "double"
    assert str(trials.schema.field("number").type) == "int64"
    columns = trials.to_pydict()
    assert columns["parameters.optimizer"][0] == FORMULA
    assert columns["parameters.layers"][0] == "[1, true]"
    rates = [trial.parameters["learning_rate"] for trial in fake.trials[1:]]
    assert columns["parameters.learning_rate"] == [None, *rates]
    curves = pq.read_table(read(path, "curves.parquet")).to_pylist()
    first = min(fake.curves, key=lambda curve: curve.trial)
    assert [row["epoch"] for row in curves if row["trial"] == first.trial] == list(first.epochs)
    assert curves[0][METRIC] == first.metrics[METRIC][0]
