"""What the store promises of trials and their curves: attempts, and each report at most once."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from results.errors import JobNotFound, TrialNotFound
from results.records import Curve, EpochReport, NewTrial
from results.states import JobState
from results.store import Store
from tests.results.store.samples import SPACE, SPEC, accept, claim, claim_expired, report, started


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


def test_the_curve_is_that_of_the_latest_attempt(store: Store) -> None:
    job = accept(store, 1)
    old = claim_expired(store)
    store.start_trial(old, 0, node=None)
    store.write_reports(old, [report(0, 1, 0.1), report(0, 2, 0.2)])
    lease = claim(store)
    assert store.curve(job.id, 0).epochs == (1, 2)
    assert store.start_trial(lease, 0, node=None) == 2
    assert store.curve(job.id, 0) == Curve(0, (), {})
    assert list(store.curves(job.id)) == []
    # A late report of the first attempt is kept, and changes nothing that is shown.
    assert store.write_reports(lease, [report(0, 3, 0.3)]) == 1
    assert store.trial(job.id, 0).metrics == {}
    assert store.write_reports(lease, [report(0, 1, 0.4, attempt=2)]) == 1
    assert store.curve(job.id, 0) == Curve(0, (1,), {"validation_accuracy": (0.4,)})
    assert store.trial(job.id, 0).metrics == {"validation_accuracy": 0.4}


def test_curves_are_read_in_several_goes(store: Store) -> None:
    # So many epochs that one trial's are read at a time; trial 2 reports nothing.
    job = store.create_job(
        replace(SPEC, trials=5, space=replace(SPACE, epochs=20_000)),
        fingerprint="long",
        trials=[NewTrial(number, {}, 42) for number in range(5)],
    )
    lease = claim(store)
    for number in (0, 1, 3, 4):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, 1, 0.1 * number), report(number, 2, 0.5)])
    found = store.curves(job.id)
    assert next(found) == store.curve(job.id, 0)
    # What comes later is read when it is asked for.
    store.write_reports(lease, [report(4, 3, 0.9)])
    assert [(curve.trial, curve.epochs[-1]) for curve in found] == [(1, 2), (3, 2), (4, 3)]
    assert [curve.trial for curve in store.curves(job.id, {4, 2, 1})] == [1, 4]
    assert list(store.curves(job.id, [])) == []
    begun = store.curves(job.id)
    store.finish_job(lease, JobState.SUCCEEDED)
    store.delete_job(job.id)
    assert next(begun).trial == 0
    with pytest.raises(JobNotFound):
        list(begun)


def test_a_metric_that_some_epoch_lacks_is_not_in_the_curve(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.1, rare=1.0), report(0, 2, 0.2), report(0, 3, 0.3)])
    assert set(store.curve(lease.job_id, 0).metrics) == {"validation_accuracy"}


def test_values_are_kept_to_the_last_bit(store: Store) -> None:
    lease = started(store)
    values = [0.1 + 0.2, 5e-324, -1.7976931348623157e308, -0.0, 1 / 3]
    store.write_reports(lease, [report(0, epoch, v) for epoch, v in enumerate(values, 1)])
    kept = store.curve(lease.job_id, 0).metrics["validation_accuracy"]
    assert [value.hex() for value in kept] == [value.hex() for value in values]


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
        (EpochReport(0, 0, 1, {}, 0.0), "attempt must be"),
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
