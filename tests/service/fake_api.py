"""A small HTTP server that speaks the API's contract, for the command line's tests.

Jobs move by themselves: each look at a job (or each event of its stream) is one step of its life,
queued, running, finished. A search named ``fails`` ends failed, one named ``endless`` never ends.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any]
EPOCHS = 2
TIME = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:04:15Z"
REPORT_BYTES = {"html": b"<p>report</p>", "md": b"# report\n", "pdf": b"%PDF-1.7 report"}


def problem(status: int, detail: str, **members: Any) -> Answer:
    """A problem document."""
    return status, {"type": "about:blank", "title": "Problem", "detail": detail, **members}


class FakeApi:
    """The server's state; ``requests`` is what it was asked, ``canned`` what it answers first."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any, dict[str, str]]] = []
        self.canned: list[tuple[int, dict[str, str], bytes]] = []
        self.token = ""
        self.broken: dict[str, list[dict[str, Any]]] = {"search_spaces": [], "trainables": []}
        self.cluster: Answer = (200, CLUSTER)
        self.broken_plots: set[str] = set()
        self.lock = threading.Lock()
        self.url = ""

    def paths(self, method: str) -> list[str]:
        """The paths that were asked for with ``method``, in order."""
        return [path for verb, path, *_ in self.requests if verb == method]

    # --- jobs -------------------------------------------------------------------------------

    def add_job(self, name: str = "fine", **changes: Any) -> dict[str, Any]:
        """Make a job, queued."""
        spec = {
            "trainable": "torch_feedforward",
            "dataset": "fashion_mnist",
            "strategy": "grid",
            "seed": 42,
            "epochs": EPOCHS,
            "metric": "validation_accuracy",
            "mode": "max",
            "parameters": {"learning_rate": {"values": [0.1, 0.01]}, "optimizer": "sgd"},
        }
        job: dict[str, Any] = {
            "id": f"j{len(self.jobs) + 1}",
            "name": name,
            "state": "queued",
            "progress": _progress(0, 0),
            "best": None,
            "spec": spec,
            "error": None,
            "fingerprint": f"fp-{name}",
            "dashboard_url": "http://127.0.0.1:8265",
            "created_at": TIME,
            "started_at": None,
            "finished_at": None,
            "links": {},
            "priority": 1,
            "slots": None,
            "waiting": None,
            "tags": {},
            "notes": "",
        }
        self.jobs[job["id"]] = {**job, **changes}
        return self.jobs[job["id"]]

    def finish(self, job: dict[str, Any]) -> dict[str, Any]:
        """Move a job to its end."""
        for _ in range(2):
            self.step(job)
        return job

    def step(self, job: dict[str, Any]) -> None:
        """Move a job one state on."""
        if job["state"] == "queued":
            job |= {"state": "running", "started_at": TIME, "progress": _progress(0, 1, running=1)}
        elif job["state"] == "running" and job["name"] != "endless":
            if job["name"] == "fails":
                error = {"kind": "user_error", "message": "it broke", "traceback": None}
                end = {"state": "failed", "error": error, "progress": _progress(2, 1, failed=2)}
            else:
                end = {"state": "succeeded", "best": best(), "progress": _progress(2, 4)}
            job |= {**end, "finished_at": LATER}

    def trials(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """The trials of a job, two."""
        states = {"queued": ("queued", "queued"), "running": ("running", "queued")}
        made = states.get(job["state"], (job["state"], job["state"]))
        changes = job.get("changes", ({}, {}))
        return [self._trial(n, state) | changes[n] for n, state in enumerate(made)]

    def _trial(self, number: int, state: str) -> dict[str, Any]:
        failed = {"kind": "diverged", "message": "train_loss is NaN", "traceback": None}
        return {
            "number": number,
            "state": state,
            "parameters": {"learning_rate": [0.1, 0.01][number], "optimizer": "sgd"},
            "seed": 42,
            "metrics": {} if state == "queued" else {"validation_accuracy": 0.8125},
            "epochs": {"queued": 0, "running": 1}.get(state, EPOCHS),
            "seconds": 1.5,
            "node": "here",
            "attempts": 1,
            "error": failed if state == "failed" else None,
            "started_at": None if state == "queued" else TIME,
            "finished_at": None if state in ("queued", "running") else LATER,
            "engine": "" if state == "queued" else "numba",
            "rank": 2 - number if state == "succeeded" else None,
            "resumed_from": 0,
            "checkpoint": 0,
        }


def best() -> dict[str, Any]:
    """The best trial of any job that succeeded."""
    return {
        "trial": 1,
        "parameters": {"learning_rate": 0.01, "optimizer": "sgd"},
        "metric": "validation_accuracy",
        "value": 0.8125,
        "metrics": {"validation_accuracy": 0.8125, "test_accuracy": 0.8},
    }


def _progress(finished: int, epochs: int, *, failed: int = 0, running: int = 0) -> dict[str, int]:
    return {
        "trials": 2,
        "finished": finished,
        "failed": failed,
        "running": running,
        "epochs_done": epochs,
        "epochs_total": 2 * EPOCHS,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers one request out of :class:`FakeApi`."""

    api: FakeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its signature
        """Say nothing."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_file = self.headers.get("Content-Type") == "application/octet-stream"
        body = json.loads(raw) if raw and not is_file else None
        with self.api.lock:
            self.api.requests.append((self.command, url.path, query, body, dict(self.headers)))
            if self.api.canned:
                status, headers, content = self.api.canned.pop(0)
                self._send(status, content, headers)
                return
            token = self.api.token
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                self._answer(problem(401, "a token is needed"))
                return
            for method, pattern, route in ROUTES:
                found = re.fullmatch(pattern, url.path)
                if found and method == self.command:
                    self._answer(route(self.api, *found.groups(), query=query, body=body))
                    return
            self._answer(problem(404, f"there is nothing at {url.path}"))

    def _answer(self, answer: Answer) -> None:
        status, content = answer
        if isinstance(content, bytes):
            kind = "text/event-stream" if content.startswith(b"event:") else "application/pdf"
            self._send(status, content, {"Content-Type": kind})
        elif isinstance(content, str):
            self._send(status, content.encode(), {"Content-Type": "text/plain"})
        else:
            kind = "application/json" if status < 400 else "application/problem+json"
            self._send(status, json.dumps(content).encode(), {"Content-Type": kind})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def submit(api: FakeApi, *, query: dict[str, str], body: Any) -> Answer:
    space = body["search_space"]
    if space == "unknown":
        errors = [
            {
                "pointer": "/search_space",
                "detail": "no search space is called 'unknown'",
                "code": "unknown_search_space",
                "hint": "did you mean 'q3_mlp'?",
            },
            {"pointer": "/parameters/dropout", "detail": "must be below 1", "code": "invalid"},
        ]
        return problem(422, "two fields are wrong", errors=errors, hint="did you mean 'q3_mlp'?")
    name = space if isinstance(space, str) else space["name"]
    if query.get("dry_run"):
        sampled = body.get("strategy") == "tpe"
        listed = [{"learning_rate": 0.1, "optimizer": "sgd"}, {"learning_rate": 0.01}]
        spec = api.add_job(name)["spec"] | {"strategy": body.get("strategy", "grid")}
        api.jobs.popitem()
        return 200, {
            "spec": spec,
            "fingerprint": f"fp-{name}",
            "trials": 2,
            "configurations": None if sampled else listed,
            "sampling": {"sampler": "tpe", "seed": 42, "trials": 2} if sampled else None,
            "distinct": 1 if name == "few" else 2,
        }
    return 202, api.add_job(name)


def list_jobs(api: FakeApi, *, query: dict[str, str], body: Any) -> Answer:
    wanted = {key: query[key] for key in ("state", "fingerprint") if key in query}
    found = [job for job in api.jobs.values() if all(job[k] == v for k, v in wanted.items())]
    newest = found[::-1]
    start, limit = int(query.get("cursor", 0)), int(query.get("limit", 50))
    end = start + limit
    return 200, {
        "items": newest[start:end],
        "next_cursor": str(end) if end < len(newest) else None,
    }


def of_job(route: Callable[..., Answer]) -> Callable[..., Answer]:
    """Look the job up; 404 if there is none."""

    def found(api: FakeApi, job_id: str, *rest: str, **options: Any) -> Answer:
        if job_id not in api.jobs:
            return problem(404, f"no job has the id {job_id}")
        return route(api, api.jobs[job_id], *rest, **options)

    return found


def show(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    api.step(job)
    return 200, job


def delete(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    if job["finished_at"] is None:
        return problem(409, f"job {job['id']} is {job['state']}", hint="cancel it first")
    del api.jobs[job["id"]]
    return 204, ""


def cancel(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    job["state"] = "cancelled"
    job["finished_at"] = LATER
    return 202, job


def move(state: str) -> Callable[..., Answer]:
    """Answer with the job in another state."""

    def answer(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
        if state == "queued" and job["finished_at"] is None:
            return problem(409, f"job {job['id']} is {job['state']}", hint="wait for it")
        job |= {"state": state, "finished_at": None}
        return 202, job

    return answer


def extend(api: FakeApi, job: dict[str, Any], *, body: Any, **_: Any) -> Answer:
    """Answer as if trial 1 had no checkpoint."""
    if job["finished_at"] is None:
        return problem(409, f"job {job['id']} is {job['state']}", hint="wait for it")
    job |= {"state": "queued", "finished_at": None, "progress": _progress(0, 4)}
    return 202, {**job, "restarts": [1] if "epochs" in body else []}


def confirm(api: FakeApi, job: dict[str, Any], *, body: Any, **_: Any) -> Answer:
    if job["finished_at"] is None:
        return problem(409, f"job {job['id']} is {job['state']}", hint="wait for it")
    trials = 2 + body["top"] * body["seeds"]
    job |= {"state": "queued", "finished_at": None}
    job["progress"] = {**job["progress"], "trials": trials}
    return 202, job


def priority(api: FakeApi, job: dict[str, Any], *, body: Any, **_: Any) -> Answer:
    job["priority"] = body["priority"]
    return 202, job


def edit(api: FakeApi, job: dict[str, Any], *, body: Any, **_: Any) -> Answer:
    tags = {**job["tags"], **body.get("tags", {})}
    job |= {**body, "tags": {name: value for name, value in tags.items() if value is not None}}
    return 200, job


def request(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    if query.get("format") == "yaml":
        return 200, f"search_space: {job['name']}\n"
    return 200, {"search_space": job["name"]}


def trials(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    if query.get("format") == "csv":
        return 200, "number,state\r\n0,succeeded\r\n"
    return 200, {"items": api.trials(job), "next_cursor": None}


def trial(api: FakeApi, job: dict[str, Any], number: str, **_: Any) -> Answer:
    return 200, api.trials(job)[int(number)]


def curve(
    api: FakeApi, job: dict[str, Any], number: str, *, query: dict[str, str], **_: Any
) -> Answer:
    if int(number) > 1:
        return problem(404, f"the job has no trial {number}")
    if query.get("format") == "csv":
        return 200, "trial,epoch,train_loss\r\n0,1,0.5\r\n"
    return 200, {"epoch": [1, 2], "train_loss": [0.5, 0.25]}


def curves(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    return 200, {"items": [{"trial": 0, "epoch": [1], "train_loss": [0.5]}], "next_cursor": None}


def show_best(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    if job["best"] is None:
        return problem(409, "no trial succeeded yet", hint="wait for one")
    if query.get("format") in ("yaml", "curl"):
        return 200, f"as {query['format']}\n"
    return 200, job["best"]


def model(api: FakeApi, job: dict[str, Any], number: str = "1", **_: Any) -> Answer:
    if job["best"] is None:
        return problem(409, "no trial succeeded yet", hint="wait for one")
    return 200, f"model of trial {number}".encode()


def export(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    return 200, f"for {query['format']}".encode()


def report(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    style = query.get("format", "html")
    return 200, {"title": "report"} if style == "json" else REPORT_BYTES[style]


def plots(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    names = ["train_loss", *sorted(api.broken_plots)]
    items = [{"name": name, "title": "Training loss", "caption": "It falls."} for name in names]
    return 200, {"items": items, "next_cursor": None}


def plot(api: FakeApi, job: dict[str, Any], name: str, style: str, **_: Any) -> Answer:
    if name in api.broken_plots:
        return problem(500, "no data on a log axis")
    return 200, f"{name} as {style}".encode()


def log(api: FakeApi, job: dict[str, Any], *, query: dict[str, str], **_: Any) -> Answer:
    lines = ["first", "\x1b[31mred\ttab", "third"]
    if job["state"] == "succeeded":
        lines.append("last")
    return 200, "".join(f"{line}\n" for line in lines[-int(query.get("tail", 500)) :])


def trial_log(
    api: FakeApi, job: dict[str, Any], number: str, *, query: dict[str, str], **_: Any
) -> Answer:
    """What the trial has printed: more with each state of its job; a line is cut in two."""
    if int(number) > 1:
        return problem(404, "no such trial")
    texts = {"queued": "", "running": "first\n\x1b[31mre", "succeeded": "first\n\x1b[31mred\nlast"}
    text = texts[job["state"]]
    begin = int(query["offset"]) if "offset" in query else 0
    if "tail" in query:
        begin = len(text) - len("".join(text.splitlines(True)[-int(query["tail"]) :]))
    api.step(job)
    return 200, {"text": text[begin:], "offset": begin, "next_offset": len(text)}


def events(api: FakeApi, job: dict[str, Any], **_: Any) -> Answer:
    """One step of the job's life a stream; the client has to come back for the next."""
    api.step(job)
    parts = [("trial", trial) for trial in api.trials(job)] + [("job", job)]
    return 200, "".join(
        f": keep-alive\n\nevent: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in parts
    ).removeprefix(": keep-alive\n\n").encode()


def constant(content: Any, status: int = 200) -> Callable[..., Answer]:
    return lambda api, *_, **__: (status, content)


def catalog(api: FakeApi, kind: str, **_: Any) -> Answer:
    items = {"search_spaces": [_SPACE], "trainables": [_TRAINABLE]}[kind]
    return 200, {"items": items, "next_cursor": None, "broken": api.broken[kind]}


BROKEN_SPACE = {
    "file": "bad.yaml",
    "problems": [{"pointer": "", "detail": "line 3: a tab", "code": "bad_file", "hint": "indent"}],
}
_SPACE = {
    "name": "q3_mlp",
    "title": "MLP",
    "trainable": "numpy_mlp",
    "dataset": "fashion_mnist",
    "epochs": 20,
    "metric": "validation_accuracy",
    "mode": "max",
    "strategy": "single",
    "parameters": {"learning_rate": 0.001},
}
_TRAINABLE = {
    "name": "numpy_mlp",
    "title": "Multi-layer perceptron",
    "datasets": ["fashion_mnist"],
    "metrics": [{"name": "train_loss", "label": "Training loss", "mode": "min", "split": "train"}],
    "parameters": {
        "properties": {
            "learning_rate": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 10,
                "default": 0.001,
                "description": "step size",
            },
            "optimizer": {"enum": ["sgd", "adam"], "default": "sgd"},
            "dropout": {
                "anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}],
                "default": None,
            },
            "hidden_size": {"type": "integer"},
        }
    },
}
BROKEN_TRAINABLE = {
    "package": "others 1.0",
    "entry_point": "mine = others:MINE",
    "problems": [
        {
            "pointer": "",
            "detail": "no module named 'jax'",
            "code": "broken_trainable",
            "hint": "install it",
        }
    ],
}
#: A node of the Ray cluster.
NODE = {
    "host": "here",
    "address": "127.0.0.1",
    "state": "alive",
    "is_head": True,
    "resources": {"CPU": 2.0, "memory": 1e9},
    "cpu_percent": None,
    "memory_bytes": None,
}
VERSIONS = {"argbest": "9.9.9"} | dict.fromkeys(("python", "ray", "torch", "numpy", "optuna"), "1")
CLUSTER = {
    "address": "127.0.0.1:6379",
    "dashboard_url": "",
    "nodes": [NODE, {**NODE, "resources": {}}],
}
_JOB = "/api/v1/jobs/([^/]+)"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", "/api/v1/jobs", submit),
    ("GET", "/api/v1/jobs", list_jobs),
    ("GET", _JOB, of_job(show)),
    ("DELETE", _JOB, of_job(delete)),
    ("PATCH", _JOB, of_job(edit)),
    ("GET", f"{_JOB}/request", of_job(request)),
    ("POST", f"{_JOB}/cancel", of_job(cancel)),
    ("POST", f"{_JOB}/pause", of_job(move("paused"))),
    ("POST", f"{_JOB}/resume", of_job(move("running"))),
    ("POST", f"{_JOB}/retry-failed", of_job(move("queued"))),
    ("POST", f"{_JOB}/extend", of_job(extend)),
    ("POST", f"{_JOB}/confirm", of_job(confirm)),
    ("POST", f"{_JOB}/priority", of_job(priority)),
    ("GET", f"{_JOB}/trials", of_job(trials)),
    ("GET", f"{_JOB}/trials/(\\d+)", of_job(trial)),
    ("GET", f"{_JOB}/trials/(\\d+)/curve", of_job(curve)),
    ("GET", f"{_JOB}/curves", of_job(curves)),
    ("GET", f"{_JOB}/best", of_job(show_best)),
    ("GET", f"{_JOB}/best/model", of_job(model)),
    ("GET", f"{_JOB}/trials/(\\d+)/model", of_job(model)),
    ("GET", f"{_JOB}/report", of_job(report)),
    ("GET", f"{_JOB}/export", of_job(export)),
    ("GET", f"{_JOB}/plots", of_job(plots)),
    ("GET", f"{_JOB}/plots/([^/]+)\\.(png|svg)", of_job(plot)),
    ("GET", f"{_JOB}/log", of_job(log)),
    ("GET", f"{_JOB}/trials/(\\d+)/log", of_job(trial_log)),
    ("GET", f"{_JOB}/events", of_job(events)),
    ("GET", "/api/v1/(search_spaces)", catalog),
    ("GET", "/api/v1/search_spaces/q3_mlp", constant(_SPACE)),
    ("GET", "/api/v1/(trainables)", catalog),
    ("GET", "/api/v1/trainables/numpy_mlp", constant(_TRAINABLE)),
    ("GET", "/healthz", constant({"status": "ok"})),
    ("GET", "/readyz", constant({"status": "ok", "parts": {"database": "ok", "ray": "ok"}})),
    ("GET", "/version", constant(VERSIONS)),
    ("GET", "/api/v1/cluster", lambda api, **_: api.cluster),
]


@contextmanager
def serving() -> Iterator[FakeApi]:
    """Serve a fake API on a free port for the length of a test."""
    api = FakeApi()
    handler = type("BoundHandler", (Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
