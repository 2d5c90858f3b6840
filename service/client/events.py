"""Following one job, or all jobs, live: event streams that are resumed, deadlines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError

from service.client.connection import Connection, Patience, first_fault
from service.client.errors import ServerBusy, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.schemas import ChangeView, GoneView, JobView, StartView, TrialView

if TYPE_CHECKING:
    import httpx2

#: A stream without a byte for this long counts as dead; the server sends keep-alives more often.
SILENCE_S = 30.0
#: Pause before a stream that ended early is opened again.
RECONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class JobEvent:
    """The job changed; ``data`` is the whole job. ``id`` is None unless its state changed."""

    data: JobView
    id: int | None = None
    kind: Literal["job"] = "job"


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """A trial changed; ``data`` is the whole trial. ``id`` is None unless its state changed."""

    data: TrialView
    id: int | None = None
    kind: Literal["trial"] = "trial"


@dataclass(frozen=True, slots=True)
class StartEvent:
    """A stream of all jobs begins; ``id`` is the newest change's, which is not sent."""

    data: StartView
    id: int | None = None
    kind: Literal["start"] = "start"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A job of any, or a trial of one, changed its state."""

    data: ChangeView
    id: int | None = None
    kind: Literal["change"] = "change"


@dataclass(frozen=True, slots=True)
class GoneEvent:
    """Changes are missing here: the server no longer keeps them."""

    data: GoneView
    id: int | None = None
    kind: Literal["gone"] = "gone"


#: What a stream of one job yields.
Event = JobEvent | TrialEvent | GoneEvent
#: What a stream of all jobs yields.
AnyEvent = StartEvent | ChangeEvent | GoneEvent

_KINDS: dict[str, tuple[type[Any], type[BaseModel]]] = {
    "job": (JobEvent, JobView),
    "trial": (TrialEvent, TrialView),
    "start": (StartEvent, StartView),
    "change": (ChangeEvent, ChangeView),
    "gone": (GoneEvent, GoneView),
}


def follow(
    connection: Connection, job: JobView, path: str, *, timeout: float | None, after: int | None
) -> Iterator[Event]:
    """Yield each change of ``job`` (found at ``path``) and of its trials until it has finished.

    Raises WaitTimeout after ``timeout`` seconds. An outage that outlasts :class:`Patience` raises
    its cause.
    """
    late = f"job {job.id} has not finished in time; it goes on"
    stream = _Stream(connection, f"{path}/events", after, timeout, late)
    is_over = job.is_finished and after is None
    while not is_over:
        try:
            for event in stream.events():
                if isinstance(event, JobEvent):
                    job = event.data
                yield event
            is_over = job.is_finished
            if not is_over:
                connection.clock.sleep(RECONNECT_S)
        except (ServerUnreachable, ServerBusy) as error:
            stream.bear(error)


def follow_all(
    connection: Connection, path: str, *, timeout: float | None, after: int | None
) -> Iterator[AnyEvent]:
    """Yield each change of any job or trial, for ``timeout`` seconds (None: without end).

    An outage that outlasts :class:`Patience` raises its cause.
    """
    stream = _Stream(connection, path, after, timeout, "the time to follow is over")
    while True:
        try:
            yield from stream.events()
            connection.clock.sleep(RECONNECT_S)
        except (ServerUnreachable, ServerBusy) as error:
            try:
                stream.bear(error)
            except WaitTimeout:
                return
        except WaitTimeout:
            return


class _Stream:
    """A stream of events that is opened again after the last event with an id.

    Each method raises WaitTimeout, which says ``late``, once ``timeout`` seconds have passed.
    """

    def __init__(
        self, connection: Connection, path: str, after: int | None, timeout: float | None, late: str
    ) -> None:
        self._connection, self._path, self._last, self._late = connection, path, after, late
        self._now = connection.clock.now
        self._deadline = math.inf if timeout is None else self._now() + timeout
        self._patience = Patience(connection.clock)

    def events(self) -> Iterator[Any]:
        """Open the stream and yield its events until it ends."""
        self._check_deadline()
        silence = min(SILENCE_S, self._deadline - self._now())
        headers = {} if self._last is None else {"Last-Event-ID": str(self._last)}
        opened = self._connection.event_stream(self._path, headers, silence, self._on_bytes)
        former = ""
        with opened as messages:
            for message in messages:
                # A message without an id has the former one's, as in a browser.
                event = _event(message, has_id=message.id != former)
                former = message.id
                if message.id:
                    self._last = int(message.id)
                if event is not None:
                    yield event

    def bear(self, error: ServerUnreachable | ServerBusy) -> None:
        """Wait before the next attempt; raise ``error`` when the outage has lasted too long."""
        self._check_deadline()
        self._patience.bear(error)

    def _on_bytes(self) -> None:  # keep-alives too: they are no events, but the time passes
        self._patience.reset()
        self._check_deadline()

    def _check_deadline(self) -> None:
        if self._now() >= self._deadline:
            raise WaitTimeout(self._late)


def _event(message: httpx2.ServerSentEvent, *, has_id: bool) -> Event | AnyEvent | None:
    """Decode a message; None for a kind that a newer server may send."""
    if message.event not in _KINDS:
        return None
    kind, model = _KINDS[message.event]
    try:
        number = int(message.id) if has_id else None
        made: Event | AnyEvent = kind(model.model_validate_json(message.data), number)
    except ValidationError as error:
        raise UnexpectedAnswer(f"unreadable event of the server: {first_fault(error)}") from error
    except ValueError as error:
        raise UnexpectedAnswer(f"unreadable id of an event: {message.id!r}") from error
    return made
