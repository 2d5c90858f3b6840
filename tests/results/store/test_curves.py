"""What the store promises of trials and their curves: attempts, and each report at most once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.errors import JobNotFound
from results.records import Curve, NewTrial
from results.states import JobState
from results.store import Store
from tests.results.store.samples import SPACE, SPEC, accept, claim, claim_expired, report, started


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


def test_a_metric_that_some_epochs_lack_has_no_value_there(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.1, rare=1.0), report(0, 2, 0.2), report(0, 3, 0.3)])
    store.write_reports(lease, [report(0, 4, 0.4, late=7.0, rare=2.0)])
    curve = store.curve(lease.job_id, 0)
    assert curve.epochs == (1, 2, 3, 4)
    assert curve.metrics == {
        "validation_accuracy": (0.1, 0.2, 0.3, 0.4),
        "rare": (1.0, None, None, 2.0),
        "late": (None, None, None, 7.0),
    }
    assert curve.reported("rare") == (1.0, 2.0)
    assert curve.reported("never") == ()


def test_values_are_kept_to_the_last_bit(store: Store) -> None:
    lease = started(store)
    values = [0.1 + 0.2, 5e-324, -1.7976931348623157e308, -0.0, 1 / 3]
    store.write_reports(lease, [report(0, epoch, v) for epoch, v in enumerate(values, 1)])
    kept = store.curve(lease.job_id, 0).metrics["validation_accuracy"]
    assert [value.hex() for value in kept] == [value.hex() for value in values]


def test_what_trials_reported_at_some_epochs_of_their_latest_attempt(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.25), report(0, 2, 0.5), report(0, 3, 0.75)])
    assert store.rung_values(lease.job_id, {1, 3, 9}) == {
        0: {
            1: {"validation_accuracy": 0.25, "seconds": 1.0},
            3: {"validation_accuracy": 0.75, "seconds": 3.0},
        }
    }
    store.start_trial(lease, 0, node=None)
    assert store.rung_values(lease.job_id, {1, 3, 9}) == {}


def test_what_is_new_of_curves_and_every_so_many_epochs(store: Store) -> None:
    job = accept(store, 3)
    lease = claim(store)
    for number in (0, 1):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, epoch, epoch / 8) for epoch in range(1, 6)])
    new = store.curves_after(job.id, {1: 3, 0: 5, 2: 0, 9: 0})
    assert new == (Curve(1, (4, 5), {"validation_accuracy": (0.5, 0.625)}),)
    assert [curve.trial for curve in store.curves_after(job.id, {0: 0, 1: 0})] == [0, 1]
    assert store.curves_after(job.id, {}) == ()
    assert [curve.epochs for curve in store.curves(job.id, every=2)] == [(1, 3, 5)] * 2
    assert [curve.epochs for curve in store.curves(job.id, every=9)] == [(1,)] * 2
    with pytest.raises(JobNotFound):
        store.curves_after("0" * 16, {0: 0})
