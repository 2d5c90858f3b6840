"""A feed returns each change once, and reads trials only when they may have changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.errors import JobNotFound
from results.records import EpochReport, TrialRecord
from results.states import JobState
from results.store import Store
from service.http.job_feed import REFRESH_SECONDS, JobFeed
from service.settings import Settings
from tests.service.http.samples import metrics_at, submit


class CountingStore(Store):
    """Counts how often the trials of a job were read."""

    reads = 0

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        self.reads += 1
        return super().trials(job_id)


@pytest.fixture
def counting(settings: Settings) -> Iterator[CountingStore]:
    store = CountingStore(settings.store_url)
    yield store
    store.close()


def changes(feed: JobFeed) -> list[tuple[str, Any]]:
    return [(kind, json.loads(text)) for kind, text in feed.changes()]


def test_a_feed_returns_each_change_once(
    client: TestClient, store: Store, counting: CountingStore
) -> None:
    job_id, now = submit(client)["id"], 0.0
    feed = JobFeed(counting, job_id, "", lambda: now)
    assert [kind for kind, _ in changes(feed)] == ["trial", "trial", "trial", "job"]
    now += REFRESH_SECONDS - 0.001
    assert (changes(feed), counting.reads) == ([], 1)
    now += 0.001
    assert (changes(feed), counting.reads) == ([], 2)
    lease = store.claim_job("test", 60)
    assert lease is not None
    attempt = store.start_trial(lease, 1, node="here")
    store.write_reports(lease, [EpochReport(1, attempt, 1, metrics_at(1, 0.5), 1.0)])
    (kind, trial), (last, job) = changes(feed)
    assert (kind, trial["number"], last) == ("trial", 1, "job")
    assert job["progress"]["epochs_done"] == 1
    assert not feed.has_ended
    store.request_cancel(job_id)
    store.finish_job(lease, JobState.CANCELLED)
    assert changes(feed)[-1][1]["state"] == "cancelled"
    assert feed.has_ended
    store.delete_job(job_id)
    with pytest.raises(JobNotFound):
        feed.changes()
