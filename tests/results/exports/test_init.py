"""Exports are read back by the programs that they are for."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pyarrow.parquet as pq
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from tensorboardX.proto.event_pb2 import Event

from results.exports import Format, Source, write_export
from results.exports.tensorboard import MOST_POINTS
from results.ranking import rank
from results.records import Curve
from tests.results import fakes

FORMULA = '=HYPERLINK("http://evil")'
METRIC = "validation_accuracy"


def exported(kind: Format, folder: Path, fake: fakes.Fake, asked: list[int] | None = None) -> Path:
    def curves(every: int) -> Iterator[Curve]:
        if asked is not None:
            asked.append(every)
        return iter(sorted(fake.curves, key=lambda curve: curve.trial))

    ranking = rank(fake.trials, fake.job.spec.space)
    return write_export(kind, Source(fake.job, fake.trials, ranking, curves), folder)


def with_first(fake: fakes.Fake, **changes: Any) -> fakes.Fake:
    return fake._replace(trials=(replace(fake.trials[0], **changes), *fake.trials[1:]))


def read(path: Path, name: str) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(name))


def test_csv_has_trials_and_curves_and_runs_no_formula(tmp_path: Path) -> None:
    fake = with_first(fakes.sampled(12), parameters={"optimizer": FORMULA}, node="-evil")
    path = exported("csv", tmp_path, fake)
    assert path.name == f"{fake.job.id}-csv.zip"
    trials = list(csv.DictReader(io.StringIO(read(path, "trials.csv").read().decode())))
    assert [int(row["number"]) for row in trials] == list(range(12))
    assert (trials[0]["parameters.optimizer"], trials[0]["node"]) == (f"'{FORMULA}", "'-evil")
    curves = list(csv.DictReader(io.StringIO(read(path, "curves.csv").read().decode())))
    assert len(curves) == sum(len(curve.epochs) for curve in fake.curves)


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


def test_optuna_reads_its_study(tmp_path: Path) -> None:
    fake = fakes.sampled(12)
    path = exported("optuna", tmp_path, fake)
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert study.user_attrs["objectives"] == [METRIC]
    assert [trial.user_attrs["number"] for trial in study.trials] == list(range(12))
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "FAIL"}
    found, best = study.best_trial, rank(fake.trials, fake.job.spec.space).configurations[0]
    assert found.value == best.value
    assert found.params["learning_rate"] == best.trial.parameters["learning_rate"]
    (curve,) = (one for one in fake.curves if one.trial == found.number)
    assert found.intermediate_values == dict(zip(curve.epochs, curve.metrics[METRIC], strict=True))


def events(content: bytes) -> Iterator[Any]:
    """Yield an event file's records: each is its length, a checksum, the record, a checksum."""
    place = 0
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        yield Event.FromString(content[place + 12 : place + 12 + length])
        place += 16 + length


def test_tensorboard_has_a_folder_for_each_trial(tmp_path: Path) -> None:
    fake = fakes.sampled(12)
    asked: list[int] = []
    path = exported("tensorboard", tmp_path, fake, asked)
    curve = min(fake.curves, key=lambda one: one.trial)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == len(fake.curves)
        name = f"trial-{curve.trial:02}/events.out.tfevents.0.argbest"
        version, *found = events(archive.read(name))
    assert version.file_version == "brain.Event:2"
    values = [(event.step, value) for event in found for value in event.summary.value]
    plugins = {value.metadata.plugin_data.plugin_name for _, value in values}
    assert "hparams" in plugins
    scalars = {step: value.simple_value for step, value in values if value.tag == METRIC}
    for epoch, value in zip(curve.epochs, curve.metrics[METRIC], strict=True):
        assert value is not None
        assert abs(scalars[epoch] - value) < 1e-6
    # Of a very long job only some epochs are written.
    long = tuple(replace(trial, epochs=MOST_POINTS) for trial in fake.trials)
    exported("tensorboard", tmp_path, fake._replace(trials=long), asked)
    metrics = {name for trial in fake.trials for name in trial.metrics}
    assert asked == [1, len(long) * len(metrics)]
