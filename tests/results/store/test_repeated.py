from __future__ import annotations

from dataclasses import replace

import pytest

from results.errors import JobNotFound
from results.store import Store
from tests.results.store.samples import accept, claim, expire, report


def test_what_a_later_attempt_did_not_go_on_from_was_trained_for_nothing(store: Store) -> None:
    job = accept(store, 3)
    lease = claim(store)
    for number in range(3):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, epoch, 0.1) for epoch in (1, 2, 3)])
    assert store.repeated(job.id) == {}
    expire(store, lease)
    lease = claim(store)
    # Trial 1 goes on after epoch 2 of 3, trial 2 begins again; an epoch takes a second.
    store.start_trial(lease, 1, node=None, resumed_from=2)
    store.start_trial(lease, 2, node=None)
    assert store.repeated(job.id) == {1: (1, 1.0), 2: (3, 3.0)}
    # Trial 2 is lost once more, after another epoch.
    again = [report(2, 1, 0.2, attempt=2), report(1, 3, 0.2, attempt=2)]
    store.write_reports(lease, [replace(each, seconds=each.seconds + 0.25) for each in again])
    expire(store, lease)
    lease = claim(store)
    store.start_trial(lease, 2, node=None)
    assert store.repeated(job.id) == {1: (1, 1.0), 2: (4, 4.25)}


def test_an_unknown_job_has_repeated_nothing(store: Store) -> None:
    with pytest.raises(JobNotFound):
        store.repeated("01JNX5Q0000000000000000000")
