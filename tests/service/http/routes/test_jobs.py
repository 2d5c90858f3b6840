"""Jobs are paged, paused, resumed, retried, extended, confirmed, cancelled and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import EpochReport, NewTrial
from results.states import JobState, Purpose, TrialState
from results.store import Store
from service.api import create_app
from service.http.live import RecentFleet
from service.settings import Settings
from tests.service.http.samples import metrics_at, run, submit
from tests.service.stand_ins import claim

YAML = {"Content-Type": "application/yaml"}


def test_jobs_are_accepted_while_ray_is_away(client: TestClient) -> None:
    assert client.get("/readyz").json()["parts"]["ray"] != "ok"
    assert submit(client)["state"] == "queued"


def test_jobs_are_paged_newest_first(client: TestClient) -> None:
    ids = [submit(client)["id"] for _ in range(5)][::-1]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/v1/jobs", params=query).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


def test_cancel_and_delete(client: TestClient) -> None:
    job_id = submit(client)["id"]
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    cancelled = client.post(f"/api/v1/jobs/{job_id}/cancel")
    assert cancelled.status_code == 202
    assert cancelled.json()["state"] == "cancelled"
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_pause_resume_and_retry(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]

    def ask(verb: str) -> Any:
        return client.post(f"/api/v1/jobs/{job_id}/{verb}")

    assert (ask("pause").status_code, ask("pause").json()["state"]) == (202, "paused")
    assert client.get("/api/v1/jobs?state=paused").json()["items"][0]["id"] == job_id
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 409
    assert (ask("resume").status_code, ask("resume").json()["state"]) == (202, "queued")
    run(store, job_id)
    for verb in ("pause", "resume", "retry-failed"):
        refused = ask(verb)
        assert refused.status_code == 409
        assert job_id in refused.json()["detail"]
        assert refused.json()["hint"]


def test_the_priority_of_a_job_is_changed(client: TestClient, store: Store) -> None:
    assert submit(client)["priority"] == 1
    job = submit(client, priority=5, keep=0)
    assert (job["priority"], job["slots"], job["spec"]["keep"]) == (5, None, 0)
    path = f"/api/v1/jobs/{job['id']}"
    for _ in range(2):
        answer = client.post(f"{path}/priority", json={"priority": 9})
        assert (answer.status_code, answer.json()["priority"]) == (202, 9)
    assert client.get(path).json()["priority"] == store.job(job["id"]).priority == 9
    assert client.post("/api/v1/jobs/none/priority", json={"priority": 2}).status_code == 404


def test_a_finished_job_is_extended_and_a_repeated_request_changes_nothing(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]
    path = f"/api/v1/jobs/{job_id}/extend"
    early = client.post(path, json={"epochs": 4})
    assert early.status_code == 409
    assert early.json()["hint"]
    run(store, job_id)
    best = store.job(job_id).best
    for epochs in (3, 2):
        refused = client.post(path, json={"epochs": epochs})
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert (error["pointer"], "at least 4" in error["hint"]) == ("/epochs", True)
    answer = client.post(path, json={"epochs": 5})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.json()["spec"]["epochs"] == 5
    assert answer.json()["progress"]["epochs_total"] == 15
    assert answer.json()["restarts"] == [0, 1, 2]  # nothing here wrote a checkpoint
    again = client.post(path, json={"epochs": 5})
    assert (again.status_code, again.json()["id"]) == (202, job_id)
    assert client.post(path, json={"epochs": 6}).status_code == 409
    assert store.job(job_id).best == best
    assert store.job(job_id).fingerprint != submit(client)["fingerprint"]
    assert store.job(job_id).fingerprint == submit(client, epochs=5)["fingerprint"]


def test_a_cancelled_extension_is_asked_for_again(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    path = f"/api/v1/jobs/{job_id}"
    run(store, job_id)
    client.post(f"{path}/extend", json={"epochs": 5})
    assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    refused = client.post(f"{path}/extend", json={"epochs": 4})
    assert (refused.status_code, "at least 5" in refused.text) == (422, True)
    answer = client.post(f"{path}/extend", json={"epochs": 5})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.json()["restarts"] == [0, 1, 2]


def test_a_finished_job_is_confirmed(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    path, body = f"/api/v1/jobs/{job_id}/confirm", {"top": 2, "seeds": 3}
    early = client.post(path, json=body)
    assert (early.status_code, early.json()["hint"]) == (409, "wait until it has finished")
    run(store, job_id)
    best = client.get(f"/api/v1/jobs/{job_id}/best").json()
    assert (best["confirmation"], best["spent"]["useful"]["epochs"]) == (None, 9)
    answer = client.post(path, json=body)
    assert answer.status_code == 202, answer.text
    found = answer.json()
    assert (found["state"], found["progress"]["trials"]) == ("queued", 12)
    assert found["spec"]["confirm"] == body
    assert client.post(path, json=body).json()["progress"] == found["progress"]
    lease = claim(store)
    for number, seed in enumerate((43, 44, 45), start=3):
        parameters = store.trial(job_id, 1).parameters
        new = NewTrial(number, parameters, seed, Purpose.CONFIRM, configuration=1)
        store.add_trial(lease, new)
        store.start_trial(lease, number, node="here")
        reports = [EpochReport(number, 1, e, metrics_at(e, 0.8), 1.0) for e in (1, 2, 3)]
        store.write_reports(lease, reports)
        store.finish_trial(lease, number, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    best = client.get(f"/api/v1/jobs/{job_id}/best").json()
    assert (best["trial"], best["value"]) == (1, 0.9)
    assert best["confirmation"]["winner"] == 1
    assert best["confirmation"]["verdict"]
    again = client.post(path, json=body)
    assert (again.status_code, "more seeds" in again.json()["hint"]) == (409, True)


def test_a_search_with_repeats_is_not_confirmed(client: TestClient, store: Store) -> None:
    job_id = submit(client, repeats=2)["id"]
    store.finish_job(claim(store), JobState.SUCCEEDED)
    answer = client.post(f"/api/v1/jobs/{job_id}/confirm", json={})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == ""


def test_a_sampled_search_is_extended_to_no_more_than_there_is_to_draw(
    client: TestClient, store: Store
) -> None:
    space = {"values": [0.1, 0.2, 0.3, 0.4]}
    sampled = {"strategy": "random", "trials": 2, "parameters": {"learning_rate": space}}
    job_id = submit(client, **sampled)["id"]
    lease = claim(store)
    store.finish_job(lease, JobState.SUCCEEDED)
    path = f"/api/v1/jobs/{job_id}/extend"
    refused = client.post(path, json={"trials": 10_001})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/trials")
    both = client.post(path, json={"trials": 2, "epochs": 3}).json()["errors"]
    assert [error["pointer"] for error in both] == ["/trials", "/epochs"]
    for trials in (9, 9, 4):
        answer = client.post(path, json={"trials": trials})
        assert answer.status_code == 202, answer.text
        assert answer.json()["progress"]["trials"] == 4
    store.finish_job(claim(store), JobState.SUCCEEDED)
    refused = client.post(path, json={"trials": 9})
    assert refused.status_code == 422
    assert "there are only 4 different configurations" in refused.json()["detail"]
    full = create_app(Settings(data_dir=store_folder(store), min_free_bytes=2**62), store)
    with TestClient(full, base_url="http://127.0.0.1") as later:
        assert later.post(path, json={"epochs": 9}).status_code == 503


def test_a_job_cancelled_before_all_of_a_small_space_ran_says_which_total_runs_it(
    client: TestClient, store: Store
) -> None:
    """No answer says that all have run, and the total that the hint names is accepted."""
    values = {"values": [0.1, 0.2]}
    sampled = {"strategy": "random", "trials": 50, "parameters": {"learning_rate": values}}
    job_id = submit(client, **sampled)["id"]
    store.request_cancel(job_id)
    path = f"/api/v1/jobs/{job_id}/extend"
    (error,) = client.post(path, json={"trials": 3}).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/trials", "too_many_trials")
    assert "all have run" not in error["detail"]
    assert error["hint"].startswith("give 2,")
    (small,) = client.post(path, json={"trials": 1}).json()["errors"]
    assert "at least 2" in small["hint"]
    assert client.post(path, json={"trials": 2}).status_code == 202


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_of_a_space_of_which_all_has_run_no_total_is_hinted(
    client: TestClient, store: Store, trials: int
) -> None:
    values = {"values": [0.1, 0.2]}
    sampled = {"strategy": "random", "trials": 2, "parameters": {"learning_rate": values}}
    job_id = submit(client, **sampled)["id"]
    store.finish_job(claim(store), JobState.SUCCEEDED)
    answer = client.post(f"/api/v1/jobs/{job_id}/extend", json={"trials": trials})
    (error,) = answer.json()["errors"]
    assert "all have run" in error["detail"]
    assert "at least" not in error["hint"]


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_too_few_epochs_are_refused_where_the_request_names_them(
    client: TestClient, store: Store, is_cancelled: bool
) -> None:
    """Also where the scheduler could not have so few; the hint's total is accepted."""
    asha = {"name": "asha", "min_epochs": 3}
    rate = {"learning_rate": {"low": 0.01, "high": 0.1}}
    members = {"strategy": "random", "trials": 2, "epochs": 9, "parameters": rate}
    job_id = submit(client, **members, scheduler=asha)["id"]
    if is_cancelled:
        store.request_cancel(job_id)
    else:
        store.finish_job(claim(store), JobState.SUCCEEDED)
    path, least = f"/api/v1/jobs/{job_id}/extend", 9 if is_cancelled else 10
    (error,) = client.post(path, json={"epochs": 3}).json()["errors"]
    assert (error["pointer"], f"at least {least}," in error["hint"]) == ("/epochs", True)
    assert client.post(path, json={"epochs": least}).status_code == 202


def store_folder(store: Store) -> Path:
    return Path(store.url.removeprefix("sqlite:///")).parent


def test_lists_and_jobs_say_why_they_wait(settings: Settings, store: Store) -> None:
    app = create_app(settings, store)
    app.state.fleet = RecentFleet(store, 8, keep_seconds=0)
    client = TestClient(app)
    waits = submit(client)
    assert waits["waiting"].startswith("for a controller to take it")
    run(store, waits["id"])
    assert client.get(f"/api/v1/jobs/{waits['id']}").json()["waiting"] is None
    for _ in range(8):
        submit(client)
        claim(store)
    behind = submit(client)
    assert behind["waiting"].startswith("behind 8 running jobs: a controller runs 8 at once")
    listed = client.get("/api/v1/jobs").json()["items"]
    assert listed[0] == behind


def test_jobs_are_searched_edited_and_made_again(client: TestClient, store: Store) -> None:
    first, second = (submit(client, name=name)["id"] for name in ("one", "two"))

    def edit(job_id: str, **changes: Any) -> Any:
        return client.patch(f"/api/v1/jobs/{job_id}", json=changes)

    def listed(query: str) -> list[str]:
        answer = client.get(f"/api/v1/jobs?{query}")
        assert answer.status_code == 200, answer.text
        return [job["name"] for job in answer.json()["items"]]

    changed = edit(first, tags={"team": "a=b", "old": "x"}, notes="a\nb", priority=3)
    assert (changed.status_code, changed.json()["notes"], changed.json()["priority"]) == (
        200, "a\nb", 3,
    )  # fmt: skip
    assert edit(first, tags={"old": None}).json()["tags"] == {"team": "a=b"}
    assert listed("tag=team&tag=team%3Da%3Db&q=ONE&state=queued&state=running") == ["one"]
    assert listed("sort=name") == ["one", "two"]
    assert listed("state=failed") == []
    assert edit(second, before=first).status_code == 200
    assert listed("state=queued&sort=queue") == ["two", "one"]
    run(store, second)
    items = client.get("/api/v1/jobs?history=true").json()["items"]
    histories = {job["name"]: job["history"] for job in items}
    assert histories == {"one": [], "two": [[1, 0.7], [2, 0.9]]}
    assert "history" not in client.get("/api/v1/jobs").json()["items"][0]

    for body, pointer in (
        ({}, ""), ({"before": "0" * 16}, "/before"), ({"tags": {"a\n": "b"}}, r"/tags/a\u000a"),
        ({"priority": 0}, "/priority"), ({"name": "x"}, "/name"), ({"notes": 1}, "/notes"),
    ):  # fmt: skip
        refused = edit(first, **body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert edit(second, before=first).status_code == 409
    for query in ("sort=age", "state=lost", "tag=%00", "q=%00", "cursor=x&sort=name"):
        refused = client.get(f"/api/v1/jobs?{query}")
        assert refused.status_code == 422, query
        assert refused.json()["errors"][0]["pointer"].startswith(f"/query/{query.split('=')[0]}")

    body = client.get(f"/api/v1/jobs/{first}/request").json()
    text = client.get(f"/api/v1/jobs/{first}/request?format=yaml")
    assert text.headers["content-type"].startswith("application/yaml")
    for sent in ({"json": body}, {"content": text.content, "headers": YAML}):
        again = client.post("/api/v1/jobs", **sent).json()
        assert (again["name"], again["tags"], again["priority"]) == ("one", {"team": "a=b"}, 3)
        assert again["spec"] == {**store.job(first).spec.to_json(), "tags": {"team": "a=b"}}


def test_a_search_space_is_posted_as_the_yaml_of_its_file(client: TestClient) -> None:
    space = "name: mine\ntrainable: numpy_mlp\ndataset: fashion_mnist\nepochs: 1\n"
    space += "metric: validation_accuracy\nmode: max\nparameters:\n  learning_rate: 0.1\n"
    made = client.post("/api/v1/jobs", content=space, headers=YAML)
    assert (made.status_code, made.json()["name"]) == (202, "mine")
    wrong = client.post("/api/v1/jobs", content=space.replace("0.1", "-1"), headers=YAML)
    assert wrong.json()["errors"][0]["pointer"] == "/search_space/parameters/learning_rate"
    for text, detail in (("a: [1", "line 1"), ("a: 1\na: 2", "line 2"), ("a: *b", "alias")):
        refused = client.post("/api/v1/jobs", content=text, headers=YAML)
        assert (refused.status_code, detail in refused.json()["detail"]) == (400, True)

    read = client.post("/api/v1/yaml", content=space, headers=YAML).json()
    assert read["search_space"]["parameters"] == {"learning_rate": 0.1}
    assert read["lines"]["/parameters/learning_rate"] == 8
    for text, status in (("a: [1", 400), ("a: .inf", 422), (b"\xff", 400)):
        refused = client.post("/api/v1/yaml", content=text, headers=YAML)
        assert refused.status_code == status, text
