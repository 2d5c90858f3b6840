"""Following a job live: server-sent events, reconnects, deadlines.

The stream's format is the HTML standard's, section 9.2 ("Server-sent events").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from service.client.connection import Connection, Patience
from service.client.errors import ServerBusy, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.client.types import Event, Job, JobEvent, Trial, TrialEvent, is_finished

#: Without a byte for this long a stream is taken for dead; the server sends keep-alives oftener.
SILENCE_S = 30.0
#: Before a stream that ended early is opened again.
RECONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event, undecoded."""

    event: str
    data: str
    id: str


def messages(lines: Iterable[str]) -> Iterator[Message | None]:
    """Yield the events of a stream's ``lines``, and None for each line that ends none.

    The None let the reader look at the clock while the server only sends keep-alives.
    """
    event, data, last_id = "", list[str](), ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            last_id = value
        elif not line:
            yield Message(event, "\n".join(data), last_id) if data else None
            event, data = "", []
            continue
        yield None


def follow(
    connection: Connection, job: Job, path: str, *, timeout: float | None
) -> Iterator[Event]:
    """Yield each change of ``job`` (found at ``path``) and of its trials until it has finished.

    Raises WaitTimeout after ``timeout`` seconds. An outage that outlasts :class:`Patience` raises
    what caused it.
    """
    deadline = _Deadline(connection, job["id"], timeout)
    patience, last_id = Patience(connection.clock), ""
    while not is_finished(job):
        try:
            with connection.event_lines(f"{path}/events", last_id, deadline.silence()) as lines:
                for message in messages(lines):
                    patience.reset()
                    deadline.check()
                    if message is None:
                        continue
                    last_id = message.id
                    event = _event(message)
                    if isinstance(event, JobEvent):
                        job = event.data
                    if event is not None:
                        yield event
            if not is_finished(job):
                # The stream broke off, or its last event was lost: the job itself says which.
                connection.clock.sleep(RECONNECT_S)
                job = cast(Job, connection.json("GET", path))
                yield JobEvent(job)
        except (ServerUnreachable, ServerBusy) as error:
            deadline.check()
            patience.bear(error)


class _Deadline:
    """The moment until which a job is waited for, None for ever."""

    def __init__(self, connection: Connection, job_id: str, timeout: float | None) -> None:
        self._now = connection.clock.now
        self._job_id = job_id
        self._at = None if timeout is None else self._now() + timeout

    def check(self) -> None:
        """Raise WaitTimeout past the deadline."""
        if self._at is not None and self._now() >= self._at:
            raise WaitTimeout(f"job {self._job_id} has not finished in time; it goes on")

    def silence(self) -> float:
        """Return for how many seconds a stream opened now may stay silent."""
        self.check()
        return SILENCE_S if self._at is None else min(SILENCE_S, self._at - self._now())


def _event(message: Message) -> Event | None:
    """Decode a message; None for a kind that a newer server may send."""
    if message.event not in ("job", "trial"):
        return None
    try:
        data = json.loads(message.data)
    except ValueError as error:
        raise UnexpectedAnswer(f"an event of the server is not JSON: {error}") from error
    return JobEvent(cast(Job, data)) if message.event == "job" else TrialEvent(cast(Trial, data))
