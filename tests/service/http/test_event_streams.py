"""Streams over real HTTP: the API is killed in the middle and started again, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx2
import pytest

from results.records import EpochReport, Event
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import Library
from service.client.client import Client
from service.client.connection import Clock
from service.job_request import JobRequest
from service.jobs import Jobs
from service.settings import Settings
from tests.chaos.nursery import Nursery, nursery
from tests.service.stand_ins import claim, opened

KILLS = 3
#: Events that a follower takes between two kills.
BETWEEN = 12


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("streams")
    return Settings(data_dir=folder, ray_address="127.0.0.1:1", min_free_bytes=0)


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[Nursery]:
    with opened(settings), nursery(settings) as running:
        yield running


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with opened(settings) as store:
        yield store


class Work(threading.Thread):
    """Runs trials of one job, as a driver does, until it is told to end; then the job ends."""

    def __init__(self, settings: Settings, job_id: str) -> None:
        super().__init__(daemon=True)
        self._settings, self._job_id = settings, job_id
        self._ended = threading.Event()

    def run(self) -> None:
        with opened(self._settings) as store:
            lease = claim(store)
            assert lease.job_id == self._job_id
            for number in range(store.job(self._job_id).progress.trials):
                if self._ended.wait(0.01):
                    break
                attempt = store.start_trial(lease, number, node="here")
                metrics = {"validation_accuracy": 0.5}
                store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 0.1)])
                store.finish_trial(lease, number, TrialState.SUCCEEDED)
            store.finish_job(lease, JobState.SUCCEEDED)

    def end(self) -> None:
        self._ended.set()
        self.join()


def submitted(settings: Settings, store: Store) -> str:
    return Jobs(store, Library(), settings).submit(JobRequest(search_space="q4_grid")).id


def patient(api: Nursery) -> Client:
    """A client that reconnects at once."""
    clock = Clock(sleep=lambda _: api.wait_until_it_answers())
    return Client(f"http://127.0.0.1:{api.port}", clock=clock)


def numbers_until(
    events: Iterator[object], api: Nursery, is_last: Callable[[object], bool]
) -> list[int]:
    """Return the ids of the events up to the last one; the API is killed now and then."""
    found: list[int] = []
    kills = count()
    for event in events:
        number = getattr(event, "id", None)
        if number is None:
            continue
        found.append(number)
        if len(found) % BETWEEN == 0 and next(kills) < KILLS:
            api.kill()
        if is_last(event):
            break
    assert next(kills) >= KILLS
    return found


def expected(store: Store, after: int, job_id: str | None = None) -> list[int]:
    rows: tuple[Event, ...] = store.events(after=after, job_id=job_id, limit=100_000)
    return [row.id for row in rows]


def test_a_job_is_followed_through_kills_of_the_api_without_loss_or_repetition(
    settings: Settings, store: Store, api: Nursery
) -> None:
    job_id = submitted(settings, store)
    begun = store.last_event()
    work = Work(settings, job_id)
    with patient(api) as client:
        events = client.events(job_id, timeout=120)
        first = [next(events) for _ in range(146)]  # the job, its trials, the job with an id
        assert first[-1].id == begun
        work.start()
        found = numbers_until(events, api, lambda _: False)
    work.end()
    assert found == expected(store, begun, job_id)
    assert len(found) >= 2 * 144


def test_all_jobs_are_followed_through_kills_of_the_api_without_loss_or_repetition(
    settings: Settings, store: Store, api: Nursery
) -> None:
    begun = store.last_event()
    job_id = submitted(settings, store)
    work = Work(settings, job_id)
    work.start()
    with patient(api) as client:

        def is_last(event: object) -> bool:
            data = getattr(event, "data", None)
            return (data.job_id, data.trial, data.state) == (job_id, None, "succeeded")  # type: ignore[union-attr]

        found = numbers_until(client.events(after=begun, timeout=120), api, is_last)
    work.end()
    assert found == expected(store, begun)


def test_a_browser_that_comes_back_goes_on_after_the_last_id(
    settings: Settings, store: Store, api: Nursery
) -> None:
    job_id = submitted(settings, store)
    store.request_cancel(job_id)
    rows = expected(store, 0, job_id)
    url = f"http://127.0.0.1:{api.port}/api/v1/jobs/{job_id}/events"
    for after, left in ((rows[0], rows[1:]), (rows[-1], [])):
        answer = httpx2.get(url, headers={"Last-Event-ID": str(after)})
        lines = answer.text.splitlines()
        assert [int(line[4:]) for line in lines if line.startswith("id: ")] == left
