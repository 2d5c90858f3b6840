"""Event files are read back record by record, as TensorBoard does."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tensorboardX.proto.event_pb2 import Event

from results.exports.tensorboard import MOST_POINTS
from tests.results import fakes
from tests.results.exports.exporting import METRIC, exported


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
