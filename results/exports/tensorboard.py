"""A job's curves and parameters as TensorBoard's event files, a folder for each trial.

TensorBoard itself is not needed: tensorboardX, which Ray Tune brings along, has the format.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter
from tensorboardX.summary import hparams

from results import export
from results.exports.source import Source
from results.records import Curve, TrialRecord

#: Points that are written at most, about: each takes some 50 microseconds.
MOST_POINTS = 500_000
_FILE = "events.out.tfevents.0.argbest"


def write(source: Source, path: Path) -> None:
    """Write a folder ``trial-0007`` and so on for each trial that has reported.

    Metrics are scalars by epoch; of very long jobs every second, third ... epoch is written.
    Parameters are hyperparameters, as text where they are neither numbers, texts nor truth values.
    The time of all points is that of the trial's start, or its job's where it waits to go on.
    """
    digits = len(str(max((trial.number for trial in source.trials), default=0)))
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryDirectory(dir=path.parent) as folder,
    ):
        for trial, curve in source.with_curves(_every(source)):
            if curve.epochs:
                file = Path(folder) / _FILE
                _write_events(file, _events(trial, curve, source.job.started_at))
                archive.write(file, f"trial-{trial.number:0{digits}}/{_FILE}")


def _every(source: Source) -> int:
    metrics = len(export.metric_names(source.trials))
    points = metrics * sum(trial.epochs for trial in source.trials)
    return max(1, -(-points // MOST_POINTS))


def _write_events(path: Path, events: Iterable[Any]) -> None:
    writer = RecordWriter(str(path))
    try:
        for event in events:
            writer.write(event.SerializeToString())
    finally:
        writer.close()


def _events(trial: TrialRecord, curve: Curve, start: datetime | None) -> Iterator[Any]:
    # One that waits to go on, of a job that was extended, has no start.
    began = trial.started_at or trial.finished_at or start
    time = began.timestamp() if began else 0.0
    yield Event(wall_time=time, file_version="brain.Event:2")
    parameters = {name: _plain(value) for name, value in trial.parameters.items()}
    for summary in hparams({**parameters, "seed": trial.seed}, dict(trial.metrics)):
        yield Event(wall_time=time, summary=summary)
    for place, epoch in enumerate(curve.epochs):
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, column in curve.metrics.items()
            if (value := column[place]) is not None
        ]
        yield Event(wall_time=time, step=epoch, summary=Summary(value=values))


def _plain(value: Any) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)
