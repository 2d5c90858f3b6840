"""The Python client of the argbest API.

    with Client("http://127.0.0.1:8000") as client:
        job = client.submit({"search_space": "q4_feedforward"})
        job = client.wait(job.id)
        print(client.best(job.id).parameters)

It imports neither the server nor anything heavy. Answers are the models of :mod:`service.schemas`;
every method raises the errors of :mod:`service.client.errors`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from service import schemas
from service.client import DEFAULT_URL
from service.client.connection import Clock, Connection, Model, Token, segment
from service.client.errors import NotFound, UnexpectedAnswer
from service.client.events import AnyEvent, Event, JobEvent, follow, follow_all
from trainables.files import replace

if TYPE_CHECKING:
    import httpx2

    from service.code.pack import Archive

API = "/api/v1"
#: What a server may take to make a data set of a file.
READING_TIMEOUT_S = 600.0


class Client:
    """A connection to one argbest server; close it, or use it as a context manager.

    ``token`` may be a function that returns one: it is called again after a 401.
    Tests replace the network by ``transport`` and the time by ``clock``. ``timeout`` is in
    seconds and counts for one answer, not for :meth:`wait`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        token: Token = None,
        transport: httpx2.BaseTransport | None = None,
        timeout: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._http = Connection(base_url, token, transport, timeout, self.clock)
        #: The server's address, without a slash at the end.
        self.base_url = self._http.base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    # --- jobs ------------------------------------------------------------------------------

    def submit(
        self, body: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> schemas.JobView:
        """Submit a search and return its job, queued.

        Without a key a new one is made, so that a repeated request makes one job.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._http.model(schemas.JobView, "POST", f"{API}/jobs", body=body, headers=headers)

    def plan(self, body: Mapping[str, Any]) -> schemas.PlanView:
        """Check a search without running it; return its complete spec and its configurations."""
        params = {"dry_run": "true"}
        return self._http.model(schemas.PlanView, "POST", f"{API}/jobs", params=params, body=body)

    def jobs(
        self,
        *,
        state: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        q: str | None = None,
        sort: str | None = None,
        history: bool | None = None,
        fingerprint: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> schemas.JobList:
        """Return a page of jobs, newest first; ``next_cursor`` asks for the next one.

        Only those in one of the states, with every ``tag`` (a name, or ``name=value``) and all
        words of ``q``. ``sort`` is created, name, state, priority, finished, best or queue, with a
        minus in front for the largest first; ``history`` adds the course of each best value.
        """
        params = {
            "state": state, "tag": tag, "q": q, "sort": sort, "history": history,
            "fingerprint": fingerprint, "cursor": cursor, "limit": limit,
        }  # fmt: skip
        return self._get(schemas.JobList, "/jobs", **params)

    def edit(
        self,
        job_id: str,
        *,
        tags: Mapping[str, str | None] | None = None,
        notes: str | None = None,
        priority: int | None = None,
        before: str | None = None,
    ) -> schemas.JobView:
        """Change what is given; a tag that is None is taken away, the others stay.

        ``before`` is the queued job before which this queued one is to run, "" for after all.
        """
        given = {"tags": tags, "notes": notes, "priority": priority, "before": before}
        body = {name: value for name, value in given.items() if value is not None}
        return self._http.model(schemas.JobView, "PATCH", f"{API}{_job(job_id)}", body=body)

    def request(self, job_id: str) -> dict[str, Any]:
        """Return the body that makes this job again, for :meth:`submit`."""
        body: dict[str, Any] = self._http.json("GET", f"{API}{_job(job_id)}/request")
        return body

    def request_yaml(self, job_id: str) -> str:
        """Return the body that makes this job again as YAML."""
        return self._file(f"{_job(job_id)}/request", format="yaml").text

    def job(self, job_id: str) -> schemas.JobView:
        """Return a job."""
        return self._get(schemas.JobView, _job(job_id))

    def cancel(self, job_id: str) -> schemas.JobView:
        """Ask for a job to be cancelled; return it, cancelled or cancelling."""
        return self._act(job_id, "cancel")

    def pause(self, job_id: str) -> schemas.JobView:
        """Let a job's trials end at their next checkpoint; return it, pausing or paused."""
        return self._act(job_id, "pause")

    def resume(self, job_id: str) -> schemas.JobView:
        """Let a paused job go on; return it."""
        return self._act(job_id, "resume")

    def retry_failed(self, job_id: str) -> schemas.JobView:
        """Run the failed trials of a finished job again; return it, queued."""
        return self._act(job_id, "retry-failed")

    def delete(self, job_id: str) -> None:
        """Delete a finished job with its trials and curves."""
        self._http.send("DELETE", f"{API}{_job(job_id)}", repeatable=False)

    def log(self, job_id: str, *, tail: int | None = None) -> str:
        """Return the log of the job's driver and trials, or its last ``tail`` lines."""
        return self._file(f"{_job(job_id)}/log", tail=tail).text

    def trial_log(
        self, job_id: str, number: int, *, offset: int | None = None, tail: int | None = None
    ) -> schemas.LogPartView:
        """Return what a trial has printed: its last ``tail`` lines, or from byte ``offset`` on."""
        path = f"{_job(job_id)}/trials/{number}/log"
        return self._get(schemas.LogPartView, path, offset=offset, tail=tail, format="json")

    def extend(
        self, job_id: str, *, trials: int | None = None, epochs: int | None = None
    ) -> schemas.ExtendedView:
        """Let a finished job go on to these totals; return it, queued, with ``restarts``."""
        given = {"trials": trials, "epochs": epochs}
        body = {name: value for name, value in given.items() if value is not None}
        path = f"{API}{_job(job_id)}/extend"
        return self._http.model(schemas.ExtendedView, "POST", path, body=body)

    def confirm(self, job_id: str, *, top: int = 3, seeds: int = 5) -> schemas.JobView:
        """Run the ``top`` configurations of a finished job again; return it, queued."""
        path, body = f"{API}{_job(job_id)}/confirm", {"top": top, "seeds": seeds}
        return self._http.model(schemas.JobView, "POST", path, body=body)

    def set_priority(self, job_id: str, priority: int) -> schemas.JobView:
        """Give a job another weight (1 to 100) in the shares of the cluster; return it."""
        path, body = f"{API}{_job(job_id)}/priority", {"priority": priority}
        return self._http.model(schemas.JobView, "POST", path, body=body)

    def share(self, job_id: str, *, days: float = 7.0) -> schemas.ShareView:
        """Make a link that reads this job alone; its ``path`` follows the server's address.

        It expires after ``days``. Raises Unauthorized where the server asks for no token.
        """
        path, body = f"{API}{_job(job_id)}/share", {"days": days}
        return self._http.model(schemas.ShareView, "POST", path, body=body, repeatable=False)

    def wait(self, job_id: str, *, timeout: float | None = None) -> schemas.JobView:
        """Return the job once it has finished; raise WaitTimeout after ``timeout`` seconds."""
        for event in self.events(job_id, timeout=timeout):
            if isinstance(event, JobEvent):
                job = event.data
                if job.is_finished:
                    break
        return job

    @overload
    def events(
        self, job_id: None = None, *, timeout: float | None = None, after: int | None = None
    ) -> Iterator[AnyEvent]: ...

    @overload
    def events(
        self, job_id: str, *, timeout: float | None = None, after: int | None = None
    ) -> Iterator[Event]: ...

    def events(
        self, job_id: str | None = None, *, timeout: float | None = None, after: int | None = None
    ) -> Iterator[Event] | Iterator[AnyEvent]:
        """Yield what changes: of one job and its trials until it has finished, or of all jobs.

        Of one job, yield it as it is, then each change of it and of its trials, whole. Raises
        WaitTimeout if it has not finished ``timeout`` seconds from now. Without a ``job_id``, yield
        each change of state of any job or trial, until ``timeout`` seconds have passed.

        Begins after the event with the id ``after``, where it is given. Resumes after the last one
        when the stream broke, so that no change is lost or comes twice, and waits through an outage
        of the server of up to a minute.
        """
        if job_id is None:
            return follow_all(self._http, f"{API}/events", timeout=timeout, after=after)
        return self._events_of(job_id, timeout=timeout, after=after)

    def _events_of(
        self, job_id: str, *, timeout: float | None, after: int | None
    ) -> Iterator[Event]:
        job = self.job(job_id)
        yield JobEvent(job)
        yield from follow(self._http, job, f"{API}{_job(job_id)}", timeout=timeout, after=after)

    # --- results ---------------------------------------------------------------------------

    def trials(self, job_id: str) -> list[schemas.TrialView]:
        """Return all trials of a job by number."""
        return self._get(schemas.TrialList, f"{_job(job_id)}/trials").items

    def trials_csv(self, job_id: str) -> str:
        """Return all trials of a job as CSV."""
        return self._file(f"{_job(job_id)}/trials", format="csv").text

    def trial(self, job_id: str, number: int) -> schemas.TrialView:
        """Return one trial."""
        return self._get(schemas.TrialView, f"{_job(job_id)}/trials/{segment(number)}")

    def curve(self, job_id: str, number: int) -> schemas.Curve:
        """Return one trial's curve: ``epoch`` and each metric, lists of equal length."""
        return self._http.json("GET", f"{API}{_job(job_id)}/trials/{segment(number)}/curve")

    def curve_csv(self, job_id: str, number: int) -> str:
        """Return one trial's curve as CSV."""
        return self._file(f"{_job(job_id)}/trials/{segment(number)}/curve", format="csv").text

    def curves(self, job_id: str) -> list[schemas.CurveView]:
        """Return the curves of all trials: ``trial``, ``epoch`` and each metric."""
        return self._get(schemas.CurveList, f"{_job(job_id)}/curves").items

    def curves_csv(self, job_id: str) -> str:
        """Return the curves of all trials as CSV."""
        return self._file(f"{_job(job_id)}/curves", format="csv").text

    def best(self, job_id: str) -> schemas.BestDetailView:
        """Return the best trial; raises Conflict while there is none."""
        return self._get(schemas.BestDetailView, f"{_job(job_id)}/best")

    def best_text(self, job_id: str, style: Literal["json", "yaml", "curl"]) -> str:
        """Return the best configuration as JSON, as YAML or as a curl command that runs it."""
        return self._file(f"{_job(job_id)}/best", format=style).text

    def model(self, job_id: str, path: Path | str, *, trial: int | None = None) -> None:
        """Write the model of the best trial, or of another one that is kept, to a .npz file.

        The file is written whole or not at all; raises ``OSError`` where it cannot be written.
        """
        place = "best" if trial is None else f"trials/{segment(trial)}"

        def fetch(part: Path) -> None:
            with part.open("wb") as file:
                self._http.download(f"{API}{_job(job_id)}/{place}/model", file)

        replace(Path(path).resolve(), fetch)

    def report(self, job_id: str, style: Literal["html", "md", "json", "pdf"]) -> bytes:
        """Return the job's report as a file of that format."""
        return self._file(f"{_job(job_id)}/report", format=style).content

    def export(
        self,
        job_id: str,
        path: Path | str,
        style: Literal["optuna", "csv", "parquet", "tensorboard"],
    ) -> None:
        """Write the job's trials and curves to a file for another program.

        The file is written whole or not at all; raises ``OSError`` where it cannot be written.
        """

        def fetch(part: Path) -> None:
            with part.open("wb") as file:
                self._http.download(f"{API}{_job(job_id)}/export", file, format=style)

        replace(Path(path).resolve(), fetch)

    def report_json(self, job_id: str) -> dict[str, Any]:
        """Return the job's report as JSON."""
        path = f"{API}{_job(job_id)}/report"
        return self._http.json("GET", path, params={"format": "json"})

    def replay(
        self, job_id: str, scheduler: str = "asha", **parameters: int | bool
    ) -> schemas.ReplayView:
        """Return what a scheduler with these parameters would have saved and found."""
        params = {"scheduler": scheduler, **parameters}
        return self._get(schemas.ReplayView, f"{_job(job_id)}/replay", **params)

    def plots(self, job_id: str) -> list[schemas.PlotView]:
        """Return which plots the job has."""
        return self._get(schemas.PlotList, f"{_job(job_id)}/plots").items

    def plot(self, job_id: str, name: str, style: Literal["png", "svg"]) -> bytes:
        """Return one plot as a PNG or SVG file."""
        return self._file(f"{_job(job_id)}/plots/{segment(f'{name}.{style}')}").content

    def figures(self, job_id: str) -> list[schemas.FigureView]:
        """Return the interactive figures, and why the job has not all of them."""
        return self._get(schemas.FigureList, f"{_job(job_id)}/figures").items

    def figure(self, job_id: str, name: str, parameters: Sequence[str] = ()) -> dict[str, Any]:
        """Return one figure as plotly's JSON, which ``plotly.graph_objects.Figure`` takes."""
        chosen: dict[str, Any] = {"parameter": list(parameters)} if parameters else {}
        path = f"{_job(job_id)}/figures/{segment(name)}"
        return self._get(schemas.PlotlyView, path, **chosen).model_dump()

    def compare(self, *job_ids: str) -> schemas.ComparisonView:
        """Return two to eight jobs side by side: courses, values, differences, repeats."""
        return self._get(schemas.ComparisonView, "/compare", jobs=",".join(job_ids))

    # --- code ------------------------------------------------------------------------------

    def send_code(self, folder: Path | str, *, left_out: Sequence[Path] = ()) -> schemas.CodeView:
        """Pack a folder and send it, unless the server has it; a space names its ``digest``.

        Left out are the files that ``.gitignore`` and ``.argbestignore`` name, and the folders
        ``left_out``. Raises :class:`service.code.pack.PackError` for a folder that cannot be sent.
        """
        from service.code.pack import pack

        return self.send_archive(pack(Path(folder), left_out=left_out))

    def send_archive(self, archive: Archive) -> schemas.CodeView:
        """Send a packed folder, unless the server has it."""
        try:
            return self._get(schemas.CodeView, f"/code/{segment(archive.digest)}")
        except NotFound:
            pass
        sent = self._http.send_file(
            schemas.CodeView, "POST", f"{API}/code", archive.content,
            content_type="application/gzip",
        )  # fmt: skip
        if sent.digest != archive.digest:
            raise UnexpectedAnswer(f"the code arrived damaged at {self.base_url}; send it again")
        return sent

    # --- what there is ---------------------------------------------------------------------

    def search_spaces(self) -> schemas.SearchSpaceList:
        """Return the declared search spaces, and the files that declare none (``broken``)."""
        return self._get(schemas.SearchSpaceList, "/search_spaces")

    def search_space(self, name: str) -> schemas.SearchSpaceView:
        """Return one declared search space."""
        return self._get(schemas.SearchSpaceView, f"/search_spaces/{segment(name)}")

    def trainables(self) -> schemas.TrainableList:
        """Return the trainables, and the installed ones that cannot be used (``broken``)."""
        return self._get(schemas.TrainableList, "/trainables")

    def trainable(self, name: str) -> schemas.TrainableView:
        """Return one trainable, with the JSON Schema of its parameters."""
        return self._get(schemas.TrainableView, f"/trainables/{segment(name)}")

    def datasets(self) -> list[schemas.DatasetView]:
        """Return the data sets and whether the server has them."""
        return self._get(schemas.DatasetList, "/datasets").items

    def dataset(self, name: str) -> schemas.DatasetView:
        """Return a data set; a user's with its card."""
        return self._get(schemas.DatasetView, f"/datasets/{segment(name)}")

    def add_dataset(
        self,
        name: str,
        file: Path,
        *,
        target: str | None = None,
        task: Literal["regression", "classification"] | None = None,
        split: str | None = None,
        seed: str | int | None = None,
        types: Sequence[str] = (),
    ) -> schemas.DatasetView:
        """Send a CSV, TSV, Parquet or NPZ file; return the data set made of it, with its card.

        ``target`` names the column to predict, ``split`` has the shares of training, validation and
        test rows (``"0.6,0.2,0.2"``), which ``seed`` draws, and ``types`` corrects what columns are
        (``"size=number,zip code=category"``). A file that was sent before under this name changes
        nothing. Raises OSError where the file cannot be read.
        """
        given = {
            "name": name, "target": target, "task": task, "split": split, "seed": seed,
            "types": list(types) or None,
        }  # fmt: skip
        return self._http.send_file(
            schemas.DatasetView, "POST", f"{API}/datasets", file, params=given,
            content_type="application/octet-stream", timeout=READING_TIMEOUT_S,
        )  # fmt: skip

    def remove_dataset(self, name: str) -> None:
        """Remove a user's data set; jobs that were accepted with it keep their data."""
        self._http.send("DELETE", f"{API}/datasets/{segment(name)}", repeatable=False)

    def cluster(self) -> schemas.ClusterView:
        """Return the nodes and resources that trials run on."""
        return self._get(schemas.ClusterView, "/cluster")

    # --- the server itself -----------------------------------------------------------------

    def healthy(self) -> schemas.HealthView:
        """Return the answer of /healthz: the process is alive."""
        return self._http.model(schemas.HealthView, "GET", "/healthz")

    def readiness(self) -> schemas.ReadinessView:
        """Return the answer of /readyz, also if a part is not ready (503)."""
        return self._http.model(schemas.ReadinessView, "GET", "/readyz", accepted=frozenset({503}))

    def version(self) -> schemas.VersionView:
        """Return the server's versions."""
        return self._http.model(schemas.VersionView, "GET", "/version")

    def server_metrics(self) -> str:
        """Return the server's own metrics in Prometheus' text format."""
        return self._http.send("GET", "/metrics").text

    # --- helpers ---------------------------------------------------------------------------

    def _get(self, kind: type[Model], path: str, **params: Any) -> Model:
        return self._http.model(kind, "GET", f"{API}{path}", params=params)

    def _act(self, job_id: str, verb: str) -> schemas.JobView:
        return self._http.model(schemas.JobView, "POST", f"{API}{_job(job_id)}/{verb}")

    def _file(self, path: str, **params: Any) -> httpx2.Response:
        return self._http.send("GET", f"{API}{path}", params=params)


def _job(job_id: str) -> str:
    return f"/jobs/{segment(job_id)}"
