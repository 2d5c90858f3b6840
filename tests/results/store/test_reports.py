"""Reports: each written at most once, and followed by their trial and job."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from results.errors import TrialNotFound
from results.records import Curve, EpochReport
from results.store import Store
from tests.results.store.samples import report, started


def test_each_report_is_written_at_most_once(store: Store) -> None:
    lease = started(store, 2)
    first = [report(0, 1, 0.1), report(1, 1, 0.2), report(0, 2, 0.3), report(0, 2, 0.4)]
    assert store.write_reports(lease, first) == 3
    assert store.write_reports(lease, first) == 0
    assert store.write_reports(lease, [report(0, 2, 0.9), report(0, 3, 0.5)]) == 1
    curve = Curve(0, (1, 2, 3), {"validation_accuracy": (0.1, 0.3, 0.5)})
    assert store.curve(lease.job_id, 0) == curve
    assert list(store.curves(lease.job_id)) == [
        curve, Curve(1, (1,), {"validation_accuracy": (0.2,)}),
    ]  # fmt: skip
    trial = store.trial(lease.job_id, 0)
    assert (trial.epochs, trial.metrics, trial.seconds) == (3, {"validation_accuracy": 0.5}, 3.0)
    assert store.job(lease.job_id).progress.epochs_done == 4


def test_a_trial_keeps_the_engine_that_its_reports_name(store: Store) -> None:
    lease = started(store)
    assert store.trial(lease.job_id, 0).engine == ""
    named = [replace(report(0, epoch, 0.5), engine=engine) for epoch, engine in ((1, "a"), (2, ""))]
    store.write_reports(lease, named)
    assert store.trial(lease.job_id, 0).engine == "a"
    store.write_reports(lease, [replace(report(0, 3, 0.5), engine="b")])
    assert store.trial(lease.job_id, 0).engine == "b"
    store.write_reports(lease, [report(0, 4, 0.5)])
    assert store.trial(lease.job_id, 0).engine == "b"
    store.start_trial(lease, 0, node=None)
    store.write_reports(lease, [replace(report(0, 5, 0.5), engine="a")])  # of the first attempt
    assert store.trial(lease.job_id, 0).engine == ""
    with pytest.raises(ValueError, match="engine"):
        store.write_reports(lease, [replace(report(0, 1, 0.5, attempt=2), engine="a\x00")])


def test_reports_out_of_order_leave_the_newest_epoch_last(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 3, 0.3)])
    store.write_reports(lease, [report(0, 1, 0.1)])
    trial = store.trial(lease.job_id, 0)
    assert (trial.epochs, trial.metrics) == (2, {"validation_accuracy": 0.3})
    assert store.curve(lease.job_id, 0).epochs == (1, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, True, "1", None])
def test_a_metric_that_is_no_finite_number_is_refused(store: Store, value: float) -> None:
    lease = started(store)
    with pytest.raises(ValueError, match=r"trial 0, epoch 2: metrics\.validation_accuracy must be"):
        store.write_reports(lease, [report(0, 1, 0.5), report(0, 2, value)])
    assert list(store.curves(lease.job_id)) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (EpochReport(0, 2, 1, {}, 0.0), "attempt 2 of trial 0 was never started"),
        (EpochReport(0, -1, 1, {}, 0.0), "attempt must be"),
        (EpochReport(0, 1, 0, {}, 0.0), "epoch must be"),
        (EpochReport(0, 1, 1, {}, -1.0), "seconds must be"),
        (EpochReport(0, 1, 1, {"a\x00": 1.0}, 0.0), "a key of"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(
    store: Store, bad: EpochReport, message: str
) -> None:
    lease = started(store)
    with pytest.raises(ValueError, match=message):
        store.write_reports(lease, [report(0, 1, 0.5), bad])
    assert list(store.curves(lease.job_id)) == []


def test_a_report_of_an_unknown_trial_is_refused(store: Store) -> None:
    lease = started(store)
    with pytest.raises(TrialNotFound):
        store.write_reports(lease, [report(0, 1, 0.5), report(5, 1, 0.5)])
    assert list(store.curves(lease.job_id)) == []


def test_a_large_batch_is_written_whole(store: Store) -> None:
    lease = started(store, 40)
    batch = [report(trial, epoch, 0.5) for trial in range(40) for epoch in range(1, 151)]
    assert store.write_reports(lease, batch) == 6000
    assert store.job(lease.job_id).progress.epochs_done == 6000


def test_a_trial_keeps_the_last_value_of_each_metric(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.1, rate=0.5), report(0, 2, 0.2, loss=2.0)])
    last = {"validation_accuracy": 0.2, "rate": 0.5, "loss": 2.0}
    assert store.trial(lease.job_id, 0).metrics == last
    only_a_loss = replace(report(0, 3, 0.3), metrics={"loss": 1.0})
    store.write_reports(lease, [only_a_loss])
    assert store.trial(lease.job_id, 0).metrics == last | {"loss": 1.0}


def test_a_late_report_changes_only_what_no_later_one_has(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 2, 0.2), report(0, 5, 0.5), report(0, 4, 0.4, loss=4.0)])
    store.write_reports(lease, [report(0, 3, 0.3, loss=3.0, rate=0.3), report(0, 1, 0.1, rate=0.1)])
    trial = store.trial(lease.job_id, 0)
    assert trial.metrics == {"validation_accuracy": 0.5, "loss": 4.0, "rate": 0.3}
    assert (trial.epochs, trial.seconds) == (5, 5.0)
