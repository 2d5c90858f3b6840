"""All that wait share one look at the store; nobody looks while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service.http.live import Live, Look, RecentFleet, read_running
from service.settings import Settings
from tests.service.http.samples import submit
from tests.service.stand_ins import away, claim


class CountingStore(Store):
    """Counts the looks."""

    looks = 0

    def last_event(self) -> int:
        self.looks += 1
        return super().last_event()


@pytest.fixture
def counting(settings: Settings, store: Store) -> Iterator[CountingStore]:
    counting = CountingStore(store.url)
    yield counting
    counting.close()


def test_fifty_that_wait_share_each_look(counting: CountingStore) -> None:
    async def wait() -> list[Look | None]:
        live = Live(counting, 8, poll_seconds=0.01)
        for _ in range(3):
            looks = await asyncio.gather(*[live.next() for _ in range(50)])
        return looks

    looks = asyncio.run(wait())
    assert counting.looks == 3
    assert len({id(look) for look in looks}) == 1


def test_one_that_leaves_takes_the_look_from_no_other(counting: CountingStore) -> None:
    async def leave() -> Look | None:
        live = Live(counting, 8, poll_seconds=0.05)
        first, second = (asyncio.create_task(live.next()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert isinstance(asyncio.run(leave()), Look)
    assert counting.looks == 1


def test_a_look_holds_the_jobs_that_may_report_and_their_shares(
    client: TestClient, store: Store
) -> None:
    running, queued = submit(client)["id"], submit(client)["id"]
    lease = claim(store)
    store.start_trial(lease, 0, node="here")
    look = asyncio.run(Live(store, 3).now())
    assert look is not None
    assert [*look.running] == [*look.fleet.shares] == [running]
    assert look.running[running] == store.job(running)
    assert (look.fleet.shares[running].running, look.fleet.max_jobs) == (1, 3)
    assert look.last == store.last_event() > 0
    store.request_pause(running)
    assert [job.id for job in read_running(store)] == [running]
    store.request_cancel(queued)
    later = asyncio.run(Live(store, 3).now())
    assert later is not None
    assert later.last > look.last


def test_the_shares_are_read_anew_after_a_while(client: TestClient, store: Store) -> None:
    now = 0.0
    recent = RecentFleet(store, 3, keep_seconds=0.5, clock=lambda: now)
    empty = recent.read()
    running = submit(client)["id"]
    claim(store)
    now = 0.4
    assert recent.read() is empty
    now = 0.5
    assert [*recent.read().shares] == [running]
    assert recent.read().max_jobs == 3


def test_without_an_answer_of_the_database_there_is_no_look(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with away(store):
        assert asyncio.run(Live(store, 8).now()) is None
    assert "event streams end" in caplog.text
