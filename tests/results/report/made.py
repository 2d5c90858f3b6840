"""Reports of made-up jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from results import plots, report
from results.analysis import JobResults
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake
from trainables.contract import Metric

NOON = datetime(2026, 3, 1, 12, 30, 15, 500, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> #import "x" | *b* $x$ [a](http://evil.example) `c`'


def built(fake: Fake, **changes: Any) -> report.Report:
    return report.build(JobResults.of(*fake), generated_at=NOON, **changes)


def drawn(fake: Fake, *names: str) -> dict[str, bytes]:
    return {name: plots.draw(name, JobResults.of(*fake), "svg") for name in names}


def hostile() -> Fake:
    """A job in which every text that a user or a plugin can choose is hostile."""
    fake = fakes.feedforward(2, failed={2: replace(DIVERGED, message=HOSTILE)})
    configurations = [{**t.parameters, "activation": HOSTILE} for t in fake.trials]
    spec = {**fake.job.spec.to_json(), "title": HOSTILE, "dataset": HOSTILE}
    label = Metric("validation_accuracy", HOSTILE, "max", "validation", HOSTILE)
    return fakes.make(
        spec,
        configurations,
        fakes.classification_curve,
        {**fakes.CLASSIFICATION, "validation_accuracy": label},
        {2: replace(DIVERGED, message=HOSTILE)},
        name=HOSTILE,
    )
