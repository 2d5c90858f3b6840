"""The client's methods: the route that each asks, the model that it returns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.client.client import Client
from service.client.errors import UnexpectedAnswer
from service.code.pack import pack
from service.schemas import Answer
from tests.results.test_replay import REPLAY
from tests.service.client.fakes import FakeTime, Script, busy, client_of, job, listed, ok, trial
from tests.service.fake_api import BROKEN_TRAINABLE, VERSIONS

PLAN = {"spec": {}, "fingerprint": "f", "trials": 1, "configurations": None, "sampling": None}
BEST = {"trial": 1, "parameters": {}, "metric": "m", "value": 1.0, "metrics": {"m": 1.0}}
SPACE = {
    **dict.fromkeys(("name", "title", "trainable", "dataset", "metric", "mode", "strategy"), "x"),
    "epochs": 1,
    "parameters": {},
}
TRAINABLE = {"name": "x", "title": "X", "datasets": [], "metrics": [], "parameters": {}}
CLUSTER = {"address": "", "dashboard_url": "", "nodes": []}
JOBS = "/api/v1/jobs"

ROUTES: list[tuple[Callable[[Client], object], str, str, Any]] = [
    (lambda c: c.jobs(state="queued", limit=3), "GET", f"{JOBS}?state=queued&limit=3", listed()),
    (lambda c: c.jobs(fingerprint="f", cursor="x"), "GET", f"{JOBS}?fingerprint=f&cursor=x",
     listed()),
    (lambda c: c.job("j"), "GET", f"{JOBS}/j", job()),
    (lambda c: c.cancel("j"), "POST", f"{JOBS}/j/cancel", job()),
    (lambda c: c.pause("j"), "POST", f"{JOBS}/j/pause", job()),
    (lambda c: c.resume("j"), "POST", f"{JOBS}/j/resume", job()),
    (lambda c: c.retry_failed("j"), "POST", f"{JOBS}/j/retry-failed", job()),
    (lambda c: c.extend("j", epochs=4), "POST", f"{JOBS}/j/extend", {**job(), "restarts": [2]}),
    (lambda c: c.set_priority("j", 2), "POST", f"{JOBS}/j/priority", job()),
    (lambda c: c.delete("j"), "DELETE", f"{JOBS}/j", {}),
    (lambda c: c.log("j", tail=5), "GET", f"{JOBS}/j/log?tail=5", {}),
    (lambda c: c.plan({}), "POST", f"{JOBS}?dry_run=true", PLAN),
    (lambda c: c.trials("j"), "GET", f"{JOBS}/j/trials", listed(trial())),
    (lambda c: c.trials_csv("j"), "GET", f"{JOBS}/j/trials?format=csv", {}),
    (lambda c: c.trial("j", 7), "GET", f"{JOBS}/j/trials/7", trial(7)),
    (lambda c: c.curve("j", 7), "GET", f"{JOBS}/j/trials/7/curve", {"epoch": [1]}),
    (lambda c: c.curve_csv("j", 7), "GET", f"{JOBS}/j/trials/7/curve?format=csv", {}),
    (lambda c: c.curves("j"), "GET", f"{JOBS}/j/curves", listed()),
    (lambda c: c.curves_csv("j"), "GET", f"{JOBS}/j/curves?format=csv", {}),
    (lambda c: c.best("j"), "GET", f"{JOBS}/j/best", BEST),
    (lambda c: c.best_text("j", "curl"), "GET", f"{JOBS}/j/best?format=curl", {}),
    (lambda c: c.report("j", "pdf"), "GET", f"{JOBS}/j/report?format=pdf", {}),
    (lambda c: c.report_json("j"), "GET", f"{JOBS}/j/report?format=json", {}),
    (lambda c: c.replay("j", "median", min_trials=3), "GET",
     f"{JOBS}/j/replay?scheduler=median&min_trials=3", REPLAY.to_json()),
    (lambda c: c.plots("j"), "GET", f"{JOBS}/j/plots", listed()),
    (lambda c: c.figures("j"), "GET", f"{JOBS}/j/figures", listed()),
    (lambda c: c.figure("j", "slice", ["a", "b"]), "GET",
     f"{JOBS}/j/figures/slice?parameter=a&parameter=b", {"data": [], "layout": {}}),
    (lambda c: c.compare("j", "k"), "GET", "/api/v1/compare?jobs=j%2Ck",
     {"jobs": [], "differences": [], "repeats": []}),
    (lambda c: c.trial_log("j", 7, offset=3), "GET",
     f"{JOBS}/j/trials/7/log?offset=3&format=json", {"text": "", "offset": 3, "next_offset": 3}),
    (lambda c: c.plot("j", "rmse", "svg"), "GET", f"{JOBS}/j/plots/rmse.svg", {}),
    (lambda c: c.search_spaces(), "GET", "/api/v1/search_spaces", listed(broken=[])),
    (lambda c: c.search_space("q3_mlp"), "GET", "/api/v1/search_spaces/q3_mlp", SPACE),
    (lambda c: c.trainables(), "GET", "/api/v1/trainables", listed()),
    (lambda c: c.trainable("numpy_mlp"), "GET", "/api/v1/trainables/numpy_mlp", TRAINABLE),
    (lambda c: c.datasets(), "GET", "/api/v1/datasets", listed()),
    (lambda c: c.cluster(), "GET", "/api/v1/cluster", CLUSTER),
    (lambda c: c.healthy(), "GET", "/healthz", {"status": "ok"}),
    (lambda c: c.readiness(), "GET", "/readyz", {"status": "ok"}),
    (lambda c: c.version(), "GET", "/version", VERSIONS),
    (lambda c: c.server_metrics(), "GET", "/metrics", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "method", "target", "answer"), ROUTES, ids=[route[2] for route in ROUTES]
)
def test_method_asks_its_route(
    call: Callable[[Client], object], method: str, target: str, answer: Any
) -> None:
    script = Script(ok(answer))
    with client_of(script) as client:
        call(client)
    request = script.requests[0]
    assert (request.method, request.url.raw_path.decode()) == (method, target)


@pytest.mark.parametrize(
    ("trial", "target"), [(None, f"{JOBS}/j/best/model"), (0, f"{JOBS}/j/trials/0/model")]
)
def test_a_model_is_asked_for_and_written(tmp_path: Path, trial: int | None, target: str) -> None:
    script = Script(busy(), ok("model"))
    with client_of(script, FakeTime()) as client:
        client.model("j", tmp_path / "model.npz", trial=trial)
    paths = [request.url.raw_path.decode() for request in script.requests]
    assert paths == [target, target]
    assert (tmp_path / "model.npz").read_bytes() == b'"model"'


def test_an_extension_names_only_the_totals_that_are_given() -> None:
    script = Script(*[ok({**job(), "restarts": [0, 3]})] * 2)
    with client_of(script) as client:
        assert client.extend("j", trials=60).restarts == [0, 3]
        client.extend("j", trials=60, epochs=40)
    bodies = [json.loads(request.content) for request in script.requests]
    assert bodies == [{"trials": 60}, {"trials": 60, "epochs": 40}]


def test_a_confirmation_names_configurations_and_seeds() -> None:
    script = Script(*[ok(job())] * 2)
    with client_of(script) as client:
        client.confirm("j")
        client.confirm("j", top=1, seeds=9)
    bodies = [json.loads(request.content) for request in script.requests]
    assert bodies == [{"top": 3, "seeds": 5}, {"top": 1, "seeds": 9}]


def test_lists_of_a_job_are_lists_of_models() -> None:
    curve = {"trial": 0, "epoch": [1, 2], "train_loss": [0.5, 0.25]}
    plot = {"name": "rmse", "title": "RMSE", "caption": ""}
    script = Script(ok(listed(trial(3))), ok(listed(curve)), ok(listed(plot)))
    with client_of(script) as client:
        assert [found.number for found in client.trials("j")] == [3]
        assert [found.model_dump() for found in client.curves("j")] == [curve]
        assert [found.name for found in client.plots("j")] == ["rmse"]


def test_catalogs_name_the_broken_entries() -> None:
    with client_of(Script(ok(listed(TRAINABLE, broken=[BROKEN_TRAINABLE])))) as client:
        found = client.trainables()
    assert [one.name for one in found.items] == ["x"]
    assert found.broken[0].entry_point == "mine = others:MINE"
    assert found.broken[0].problems[0].hint == "install it"


def test_keys_and_states_of_a_newer_server_are_kept() -> None:
    with client_of(Script(ok({**job("hibernating"), "mood": "good"}))) as client:
        found = client.job("j")
    assert (found.state, found.is_finished) == ("hibernating", False)
    assert found.model_dump()["mood"] == "good"


@pytest.mark.parametrize(
    ("state", "finished", "succeeded"),
    [("running", False, False), ("failed", True, False), ("succeeded", True, True)],
)
def test_job_says_whether_it_has_finished(state: str, finished: bool, succeeded: bool) -> None:
    with client_of(Script(ok(job(state)))) as client:
        found = client.job("j")
    assert (found.is_finished, found.has_succeeded) == (finished, succeeded)


def test_answer_without_a_key_of_the_contract_is_unexpected() -> None:
    answer = {key: value for key, value in job().items() if key != "spec"}
    with client_of(Script(ok(answer))) as client, pytest.raises(UnexpectedAnswer, match="spec: "):
        client.job("j")


def test_submission_carries_its_body_and_a_new_key_each_time() -> None:
    script = Script(ok(job()), ok(job()), ok(job()))
    with client_of(script) as client:
        client.submit({"search_space": "q3_mlp"})
        client.submit({"search_space": "q3_mlp"})
        client.submit({"search_space": "q3_mlp"}, idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert json.loads(script.requests[0].content) == {"search_space": "q3_mlp"}
    assert len(keys[0]) == 36
    assert keys[0] != keys[1]
    assert keys[2] == "mine"


def test_hostile_id_and_plot_name_stay_one_segment() -> None:
    script = Script(ok(job()), ok(), ok())
    with client_of(script) as client:
        client.job("../../healthz?x=1#y")
        client.plot("j", "val/loss", "png")
        client.plot("j", "..", "png")
    paths = [request.url.raw_path.decode() for request in script.requests]
    assert paths == [
        "/api/v1/jobs/..%2F..%2Fhealthz%3Fx%3D1%23y",
        "/api/v1/jobs/j/plots/val%2Floss.png",
        "/api/v1/jobs/j/plots/...png",
    ]


def test_not_ready_is_an_answer_and_no_error() -> None:
    answer = {"status": "not ready", "parts": {"ray": "gone"}}
    with client_of(Script(httpx2.Response(503, json=answer))) as client:
        found = client.readiness()
    assert found.model_dump(exclude_unset=True) == answer


def code_view(digest: str, **more: Any) -> httpx2.Response:
    return ok({"digest": digest, "bytes": 1, "files": 1, "unpacked": 1, **more})


def test_code_is_sent_only_where_the_server_lacks_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n", encoding="utf-8")
    archive = pack(tmp_path)
    unknown = httpx2.Response(404, json={"title": "Not Found", "detail": "no code"})
    script = Script(unknown, code_view(archive.digest, is_new=True), code_view(archive.digest))
    client = client_of(script)
    assert client.send_code(tmp_path).is_new
    assert client.send_code(tmp_path).digest == archive.digest
    asked, sent, again = script.requests
    assert asked.url.path == again.url.path == f"/api/v1/code/{archive.digest}"
    assert (sent.method, sent.headers["Content-Type"]) == ("POST", "application/gzip")
    assert sent.content == archive.content


def test_code_that_arrives_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n", encoding="utf-8")
    unknown = httpx2.Response(404, json={"title": "Not Found"})
    client = client_of(Script(unknown, code_view("sha256:" + "0" * 64)))
    with pytest.raises(UnexpectedAnswer, match="arrived damaged"):
        client.send_code(tmp_path)


def test_a_file_is_sent_whole_at_each_attempt(tmp_path: Path) -> None:
    path, time = tmp_path / "data.csv", FakeTime()
    path.write_bytes(b"x" * 3_000_000)
    script, received = Script(busy(), ok()), []

    def handler(request: httpx2.Request) -> httpx2.Response:
        received.append(len(request.read()))
        return script(request)

    connection = client_of(handler, time)._http
    connection.send_file(Answer, "POST", "/x", path, content_type="text/csv")
    assert received == [3_000_000] * 2
