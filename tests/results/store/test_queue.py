"""Queued jobs are taken in an order that people change."""

from __future__ import annotations

import pytest

from results.errors import IllegalMove, JobNotFound
from results.states import JobState
from results.store import Store
from tests.results.store.samples import accept, claim


def test_the_order_is_changed_and_followed(store: Store) -> None:
    a, b, c, d = (accept(store, name=name).id for name in "abcd")

    def order() -> str:
        return "".join(job.name for job in store.jobs(state=JobState.QUEUED, sort="queue").items)

    store.queue_before(c, a)
    assert order() == "cabd"
    assert store.queue_before(a, None).id == a
    assert order() == "cbda"
    store.queue_before(b, d)
    store.queue_before(b, b)
    assert order() == "cbda"
    store.queue_before(d, c)
    assert order() == "dcba"
    assert accept(store, name="e").id
    assert order() == "dcbae"
    assert claim(store).job_id == d
    with pytest.raises(IllegalMove, match=f"job {d} is running"):
        store.queue_before(a, d)
    with pytest.raises(IllegalMove, match=f"job {d} is running"):
        store.queue_before(d, a)
    with pytest.raises(JobNotFound):
        store.queue_before(a, "0" * 16)
    assert [claim(store).job_id for _ in range(3)] == [c, b, a]
