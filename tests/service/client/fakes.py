"""A clock and answers for tests of the client, which needs no network and no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from service.client.client import Client
from service.client.connection import Clock

URL = "http://server.test"
TIME = "2026-01-02T03:04:05Z"


class FakeTime:
    """A clock that moves when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self._sleep)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def job(state: str = "queued") -> dict[str, Any]:
    """A job as the API sends it."""
    progress = dict.fromkeys(
        ("trials", "finished", "failed", "running", "epochs_done", "epochs_total"), 0
    )
    return {
        "id": "j",
        "name": "job",
        "state": state,
        "progress": progress,
        "best": None,
        "spec": {},
        "fingerprint": "f",
        "error": None,
        "created_at": TIME,
        "started_at": None,
        "finished_at": None,
        "dashboard_url": None,
        "links": {},
    }


def trial(number: int = 0) -> dict[str, Any]:
    """A trial as the API sends it."""
    return {
        "number": number,
        "state": "running",
        "parameters": {},
        "seed": 42,
        "metrics": {},
        "epochs": 0,
        "seconds": 0.0,
        "node": None,
        "attempts": 1,
        "error": None,
        "started_at": None,
        "finished_at": None,
    }


def change(number: int, state: str = "running", trial: int | None = None) -> dict[str, Any]:
    """A change of state as the API sends it."""
    return {
        "id": number, "job_id": "j", "trial": trial, "state": state, "at": TIME,
        "attempt": None if trial is None else 1, "detail": "",
    }  # fmt: skip


def listed(*items: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A list as the API sends it."""
    return {"items": list(items), "next_cursor": None, **keys}


class Script:
    """Answers with each of ``answers`` in turn (an exception is raised), and keeps the requests."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(
    handler: Callable[[httpx2.Request], httpx2.Response],
    time: FakeTime | None = None,
    **options: Any,
) -> Client:
    """A client whose requests ``handler`` answers."""
    transport = httpx2.MockTransport(handler)
    return Client(URL, transport=transport, clock=(time or FakeTime()).clock(), **options)


def ok(content: Any = None) -> httpx2.Response:
    return httpx2.Response(200, json=content if content is not None else {})


def busy(**headers: str) -> httpx2.Response:
    return httpx2.Response(503, json={"title": "Busy", "detail": "no room"}, headers=headers)
