"""The Python client of the argbest API.

    with Client("http://127.0.0.1:8000") as client:
        job = client.submit({"search_space": "q4_feedforward"})
        job = client.wait(job["id"])
        print(client.best(job["id"])["parameters"])

It imports neither the server nor anything heavy. Answers are the API's own JSON
(:mod:`service.client.types`); every method raises the errors of :mod:`service.client.errors`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from service.client.connection import Clock, Connection, segment
from service.client.events import follow
from service.client.types import (
    DEFAULT_URL,
    Best,
    Curve,
    Event,
    Job,
    JobEvent,
    JobPage,
    JsonObject,
    Plan,
    PlotInfo,
    Trial,
)

if TYPE_CHECKING:
    import httpx2

API = "/api/v1"


class Client:
    """A connection to one argbest server; close it, or use it as a context manager.

    ``transport`` replaces the network (tests hand in one that answers by itself), ``clock`` the
    time. ``timeout`` is in seconds and counts for one answer, not for :meth:`wait`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        transport: httpx2.BaseTransport | None = None,
        timeout: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self._http = Connection(
            base_url, token=token, transport=transport, timeout=timeout, clock=clock or Clock()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @property
    def base_url(self) -> str:
        """The server's address, without a slash at the end."""
        return self._http.base_url

    # --- jobs ------------------------------------------------------------------------------

    def submit(self, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Job:
        """Submit a search and return its job, queued.

        A key of our own is made where none is given, so that a repeated request makes one job.
        """
        key = idempotency_key or str(uuid.uuid4())
        path, headers = f"{API}/jobs", {"Idempotency-Key": key}
        return cast(Job, self._http.json("POST", path, body=body, headers=headers))

    def plan(self, body: Mapping[str, Any]) -> Plan:
        """Check a search without running it; return its complete spec and its configurations."""
        params = {"dry_run": "true"}
        return cast(Plan, self._http.json("POST", f"{API}/jobs", params=params, body=body))

    def jobs(
        self,
        *,
        state: str | None = None,
        fingerprint: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> JobPage:
        """Return a page of jobs, newest first; ``next_cursor`` asks for the next one."""
        params = {"state": state, "fingerprint": fingerprint, "cursor": cursor, "limit": limit}
        return cast(JobPage, self._get("/jobs", **params))

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return cast(Job, self._get(_job(job_id)))

    def cancel(self, job_id: str) -> Job:
        """Ask for a job to be cancelled; return it, cancelled or cancelling."""
        return cast(Job, self._http.json("POST", f"{API}{_job(job_id)}/cancel"))

    def pause(self, job_id: str) -> Job:
        """Let a job start no more trials; return it, paused, or pausing while trials still run."""
        return cast(Job, self._http.json("POST", f"{API}{_job(job_id)}/pause"))

    def resume(self, job_id: str) -> Job:
        """Let a paused job go on; return it."""
        return cast(Job, self._http.json("POST", f"{API}{_job(job_id)}/resume"))

    def retry_failed(self, job_id: str) -> Job:
        """Run the failed trials of a finished job again; return it, queued."""
        return cast(Job, self._http.json("POST", f"{API}{_job(job_id)}/retry-failed"))

    def delete(self, job_id: str) -> None:
        """Delete a finished job with its trials and curves."""
        self._http.send("DELETE", f"{API}{_job(job_id)}", repeatable=False)

    def log(self, job_id: str, *, tail: int | None = None) -> str:
        """Return the log of the job's driver and trials, or its last ``tail`` lines."""
        return self._text(f"{_job(job_id)}/log", tail=tail)

    def wait(self, job_id: str, *, timeout: float | None = None) -> Job:
        """Return the job once it has finished; raise WaitTimeout after ``timeout`` seconds."""
        job = self.job(job_id)
        for event in follow(self._http, job, f"{API}{_job(job_id)}", timeout=timeout):
            if isinstance(event, JobEvent):
                job = event.data
        return job

    def events(self, job_id: str, *, timeout: float | None = None) -> Iterator[Event]:
        """Yield the job as it is, then each change of it and of its trials, until it has finished.

        Reconnects where the stream breaks and bears a server that is away for a minute. Raises
        WaitTimeout when the job has not finished ``timeout`` seconds from now.
        """
        job = self.job(job_id)
        yield JobEvent(job)
        yield from follow(self._http, job, f"{API}{_job(job_id)}", timeout=timeout)

    # --- results ---------------------------------------------------------------------------

    def trials(self, job_id: str) -> list[Trial]:
        """Return all trials of a job by number."""
        return [cast(Trial, item) for item in self._items(f"{_job(job_id)}/trials")]

    def trials_csv(self, job_id: str) -> str:
        """Return all trials of a job as CSV."""
        return self._text(f"{_job(job_id)}/trials", format="csv")

    def trial(self, job_id: str, number: int) -> Trial:
        """Return one trial."""
        return cast(Trial, self._get(f"{_job(job_id)}/trials/{segment(number)}"))

    def curve(self, job_id: str, number: int) -> Curve:
        """Return one trial's curve: ``epoch`` and each metric, lists of equal length."""
        return cast(Curve, self._get(f"{_job(job_id)}/trials/{segment(number)}/curve"))

    def curve_csv(self, job_id: str, number: int) -> str:
        """Return one trial's curve as CSV."""
        return self._text(f"{_job(job_id)}/trials/{segment(number)}/curve", format="csv")

    def curves(self, job_id: str) -> list[JsonObject]:
        """Return the curves of all trials: ``trial``, ``epoch`` and each metric."""
        return list(self._items(f"{_job(job_id)}/curves"))

    def curves_csv(self, job_id: str) -> str:
        """Return the curves of all trials as CSV."""
        return self._text(f"{_job(job_id)}/curves", format="csv")

    def best(self, job_id: str) -> Best:
        """Return the best trial; raises Conflict while there is none."""
        return cast(Best, self._get(f"{_job(job_id)}/best"))

    def best_text(self, job_id: str, style: Literal["json", "yaml", "curl"]) -> str:
        """Return the best configuration as JSON, as YAML or as a curl command that runs it."""
        return self._text(f"{_job(job_id)}/best", format=style)

    def report(self, job_id: str, style: Literal["html", "md", "json", "pdf"]) -> bytes:
        """Return the job's report as a file of that format."""
        return self._bytes(f"{_job(job_id)}/report", format=style)

    def report_json(self, job_id: str) -> JsonObject:
        """Return the job's report as JSON."""
        return cast(JsonObject, self._get(f"{_job(job_id)}/report", format="json"))

    def plots(self, job_id: str) -> list[PlotInfo]:
        """Return which plots the job has."""
        return [cast(PlotInfo, item) for item in self._items(f"{_job(job_id)}/plots")]

    def plot(self, job_id: str, name: str, style: Literal["png", "svg"]) -> bytes:
        """Return one plot as a PNG or SVG file."""
        return self._bytes(f"{_job(job_id)}/plots/{segment(name)}.{style}")

    # --- what there is ---------------------------------------------------------------------

    def search_spaces(self) -> JsonObject:
        """Return the declared search spaces as ``items``; ``broken`` are files that hold none."""
        return cast(JsonObject, self._get("/search_spaces"))

    def search_space(self, name: str) -> JsonObject:
        """Return one declared search space."""
        return cast(JsonObject, self._get(f"/search_spaces/{segment(name)}"))

    def trainables(self) -> list[JsonObject]:
        """Return the trainables, each with a JSON Schema of its parameters."""
        return list(self._items("/trainables"))

    def trainable(self, name: str) -> JsonObject:
        """Return one trainable."""
        return cast(JsonObject, self._get(f"/trainables/{segment(name)}"))

    def datasets(self) -> list[JsonObject]:
        """Return the data sets and whether the server has them."""
        return list(self._items("/datasets"))

    def cluster(self) -> JsonObject:
        """Return the nodes and resources that trials run on."""
        return cast(JsonObject, self._get("/cluster"))

    # --- the server itself -----------------------------------------------------------------

    def healthy(self) -> JsonObject:
        """Return the answer of /healthz: the process is alive."""
        return cast(JsonObject, self._http.json("GET", "/healthz"))

    def readiness(self) -> JsonObject:
        """Return the answer of /readyz, also where it says that a part is not ready (503)."""
        accepted = frozenset({503})
        return cast(JsonObject, self._http.json("GET", "/readyz", accepted=accepted))

    def version(self) -> JsonObject:
        """Return the server's versions."""
        return cast(JsonObject, self._http.json("GET", "/version"))

    def server_metrics(self) -> str:
        """Return the server's own metrics in Prometheus' text format."""
        return self._http.send("GET", "/metrics").text

    # --- helpers ---------------------------------------------------------------------------

    def _get(self, path: str, **params: Any) -> Any:
        return self._http.json("GET", f"{API}{path}", params=params)

    def _text(self, path: str, **params: Any) -> str:
        return self._http.send("GET", f"{API}{path}", params=params).text

    def _bytes(self, path: str, **params: Any) -> bytes:
        return self._http.send("GET", f"{API}{path}", params=params).content

    def _items(self, path: str) -> Iterator[JsonObject]:
        cursor: str | None = None
        while True:
            page = self._get(path, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return


def _job(job_id: str) -> str:
    return f"/jobs/{segment(job_id)}"
