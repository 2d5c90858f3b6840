"""What the cluster holds, what runs in it, and what a trial uses of its machine."""

from __future__ import annotations

import pytest

from results.records import Capacity, Usage
from results.states import TrialState
from results.store import NoteUsage, StartTrial, Store
from tests.results.store.samples import accept, claim


def test_what_a_running_trial_uses_is_kept_with_its_peak(store: Store) -> None:
    accept(store)
    lease = claim(store)

    def noted(usage: Usage) -> Usage | None:
        store.write(lease, [NoteUsage(0, usage)])
        return store.trial(lease.job_id, 0).usage

    assert noted(Usage(1.0, 50)) is None  # it does not run
    store.start_trial(lease, 0, node="here")
    assert noted(Usage(1.5, 400)) == Usage(1.5, 400, 400)
    assert noted(Usage(0.5, 300, gpu=0.25, gpu_memory=7)) == Usage(0.5, 300, 400, 0.25, 7)
    (running,) = [one for one in store.running_trials() if one.job_id == lease.job_id]
    assert (running.number, running.node) == (0, "here")
    assert running.started_at is not None
    assert running.usage == Usage(0.5, 300, 400, 0.25, 7)
    with pytest.raises(ValueError, match="usage: cpu must be finite"):
        noted(Usage(float("nan"), 1))
    store.write(lease, [StartTrial(0, "there", is_retry=True)])
    assert store.trial(lease.job_id, 0).usage is None  # of another attempt
    assert noted(Usage(1.0, 100)) == Usage(1.0, 100, 100)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    assert noted(Usage(9.0, 900)) == Usage(1.0, 100, 100)
    assert [one for one in store.running_trials() if one.job_id == lease.job_id] == []
    changes = store.events(job_id=lease.job_id, trial=0)
    assert [change.state for change in changes] == ["running", "running", "succeeded"]
    assert {change.trial for change in changes} == {0}


def test_the_capacity_is_what_was_noted_and_the_database_has_a_size(store: Store) -> None:
    store.note_capacity(8.0, 2.0)
    assert store.capacity() == Capacity(8.0, 2.0)
    kind, size = store.database_size()
    assert kind == store.url.partition(":")[0].partition("+")[0]
    assert size > 10_000


def test_no_capacity_is_known_before_a_driver_has_seen_it(empty_store: Store) -> None:
    empty_store.migrate()
    assert empty_store.capacity() is None
    assert empty_store.running_trials() == ()
