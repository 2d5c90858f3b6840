"""Following a job live: its event stream, reconnects, deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from service.client.connection import Connection, Patience, first_fault
from service.client.errors import ServerBusy, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.schemas import JobView, TrialView

if TYPE_CHECKING:
    import httpx2

#: A stream without a byte for this long counts as dead; the server sends keep-alives more often.
SILENCE_S = 30.0
#: Pause before a stream that ended early is opened again.
RECONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class JobEvent:
    """The job changed; ``data`` is the whole job."""

    data: JobView
    kind: Literal["job"] = "job"


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """A trial changed; ``data`` is the whole trial."""

    data: TrialView
    kind: Literal["trial"] = "trial"


Event = JobEvent | TrialEvent


def follow(
    connection: Connection, job: JobView, path: str, *, timeout: float | None
) -> Iterator[Event]:
    """Yield each change of ``job`` (found at ``path``) and of its trials until it has finished.

    Raises WaitTimeout after ``timeout`` seconds. An outage that outlasts :class:`Patience` raises
    its cause.
    """
    now = connection.clock.now
    deadline = None if timeout is None else now() + timeout
    patience = Patience(connection.clock)

    def check_deadline() -> None:
        if deadline is not None and now() >= deadline:
            raise WaitTimeout(f"job {job.id} has not finished in time; it goes on")

    def on_bytes() -> None:  # keep-alives too: they are no events, but the time passes
        patience.reset()
        check_deadline()

    while not job.is_finished:
        try:
            check_deadline()
            silence = SILENCE_S if deadline is None else min(SILENCE_S, deadline - now())
            with connection.event_stream(f"{path}/events", silence, on_bytes) as messages:
                for event in map(_event, messages):
                    if isinstance(event, JobEvent):
                        job = event.data
                    if event is not None:
                        yield event
            if not job.is_finished:
                # The stream broke off, or its last event was lost: the job itself says which.
                connection.clock.sleep(RECONNECT_S)
                job = connection.model(JobView, "GET", path)
                yield JobEvent(job)
        except (ServerUnreachable, ServerBusy) as error:
            check_deadline()
            patience.bear(error)


def _event(message: httpx2.ServerSentEvent) -> Event | None:
    """Decode a message; None for a kind that a newer server may send."""
    try:
        if message.event == "job":
            return JobEvent(JobView.model_validate_json(message.data))
        if message.event == "trial":
            return TrialEvent(TrialView.model_validate_json(message.data))
    except ValidationError as error:
        raise UnexpectedAnswer(f"unreadable event of the server: {first_fault(error)}") from error
    return None
