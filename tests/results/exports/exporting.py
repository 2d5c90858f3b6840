"""Exports of made-up jobs, for the tests of each format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from results.exports import Format, Source, write_export
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
