"""Routes that stream changes as server-sent events: of one job, and of all jobs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import WithJsonSchema

from results.errors import JobNotFound, StoreUnavailable, UnreadableJob
from service.http.dependencies import JobId, LiveDep, ReadingsDep, StoreDep
from service.http.feeds import EventFeed, Feed, JobFeed
from service.http.live import Live
from service.http.openapi import PROBLEMS

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["events"], responses=PROBLEMS)

#: Both databases number rows up to this.
_LARGEST_ID = 2**63 - 1
#: "null" is no id: a client that has none leaves it out.
_ID_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _LARGEST_ID})
LastEventId = Annotated[
    int | None,
    _ID_SCHEMA,
    Header(alias="Last-Event-ID", ge=0, le=_LARGEST_ID, description="as `after`, and before it"),
]
After = Annotated[
    int | None,
    _ID_SCHEMA,
    Query(ge=0, le=_LARGEST_ID, description="go on after the event with this id; 0: the oldest"),
]


def _existing(job_id: JobId, store: StoreDep) -> None:
    """Answer 404 before the stream begins."""
    store.job(job_id)


@router.get("/events", response_class=EventSourceResponse)
async def all_events(
    readings: ReadingsDep, live: LiveDep, after: After = None, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Stream each change of state of any job or trial as a `change` event with an id; no end.

    With `Last-Event-ID`, or `after`, the stream goes on after that event; otherwise it begins with
    a `start` event that has the id of the newest one, and goes on with the next. Where events after
    the given id are no longer kept, a `gone` event says so and all that are kept follow.
    """
    feed = EventFeed(readings.events, after if last_event_id is None else last_event_id)
    async for event in _follow(feed, live, "all jobs"):
        yield event


@router.get(
    "/jobs/{job_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(_existing)],
)
async def events(
    job_id: JobId,
    readings: ReadingsDep,
    live: LiveDep,
    after: After = None,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream `job` and `trial` events, each the whole job or trial, until the job has ended.

    A change of state has an id, and is the event's `change`; progress in between has none. With
    `Last-Event-ID`, or `after`, the stream goes on after that event; otherwise it begins with the
    job and all its trials as they are. Where events after the given id are no longer kept, a `gone`
    event says so and the stream begins as without one. The stream also ends when the job is
    deleted, when a newer version has changed it, or when the database does not answer.
    """
    given = after if last_event_id is None else last_event_id
    feed = JobFeed(readings.of_job(job_id), given)
    async for event in _follow(feed, live, f"job {job_id}"):
        yield event


async def _follow(feed: Feed, live: Live, what: str) -> AsyncIterator[ServerSentEvent]:
    look = await live.now()
    while look is not None and not feed.has_ended:
        if feed.concerns(look):
            try:
                events = await feed.shared.in_turn(partial(feed.changes, look))
            except (JobNotFound, StoreUnavailable, UnreadableJob) as error:
                logger.info("a stream of %s ends: %s", what, error)
                return
            for event in events:
                yield event
        if not (feed.has_more or feed.has_ended):
            look = await live.next()
