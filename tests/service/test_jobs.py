"""Jobs are planned, accepted once per key, refused on a full disk, and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.storage import Storage
from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.http.samples import JOB, run, submit


def test_a_job_is_accepted_with_a_complete_specification(client: TestClient) -> None:
    job = submit(client, name="rates", tags={"course": "dl"}, seed=7)
    assert job["state"] == "queued"
    assert job["name"] == "rates"
    assert job["progress"] == {
        "trials": 3, "finished": 0, "failed": 0, "running": 0, "epochs_done": 0, "epochs_total": 9,
        "stopped": 0, "paused": 0,
    }  # fmt: skip
    spec = job["spec"]
    assert spec["parameters"]["learning_rate"]["values"] == [0.001, 0.01, 0.1]
    assert spec["seed"] == 7
    assert spec["resources_per_trial"] == {"cpu": 1.0, "gpu": 0.0}
    assert client.get(f"/api/v1/jobs/{job['id']}").json() == job
    trials = client.get(f"/api/v1/jobs/{job['id']}/trials").json()["items"]
    assert [trial["parameters"]["learning_rate"] for trial in trials] == [0.001, 0.01, 0.1]


def test_dry_run_answers_the_plan_and_keeps_nothing(client: TestClient) -> None:
    plan = client.post("/api/v1/jobs?dry_run=true", json={"search_space": "q4_grid"})
    assert plan.status_code == 200
    assert plan.json()["trials"] == len(plan.json()["configurations"]) == 144
    sampled = client.post(
        "/api/v1/jobs?dry_run=true",
        json={"search_space": "q4_grid", "strategy": "tpe", "trials": 5},
    ).json()
    assert sampled["configurations"] is None
    assert sampled["sampling"] == {"sampler": "tpe", "seed": 42, "trials": 5}
    assert client.get("/api/v1/jobs").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("changes", "distinct"),
    [
        ({"search_space": "q4_grid"}, 144),
        ({"search_space": "q4_grid", "strategy": "random", "trials": 5}, 144),
        ({"search_space": "q4_grid", "strategy": "single"}, 1),
        ({"strategy": "random", "trials": 8,
          "parameters": {"learning_rate": {"values": [0.1, 0.2]}}}, 2),
        ({"strategy": "tpe", "trials": 8,
          "parameters": {"learning_rate": {"low": 0.1, "high": 0.2}}}, None),
    ],
)  # fmt: skip
def test_the_plan_says_how_many_different_configurations_there_are(
    client: TestClient, changes: dict[str, Any], distinct: int | None
) -> None:
    plan = client.post("/api/v1/jobs?dry_run=true", json={**JOB, **changes}).json()
    assert plan["distinct"] == distinct
    # No configuration is planned twice: with the same seed it would give the same numbers.
    assert plan["trials"] <= (distinct or 8)
    assert plan["spec"]["trials"] == plan["trials"]


RATES = {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}}
SAMPLED = {**JOB, "strategy": "random", "trials": 8, "parameters": RATES}


@pytest.mark.parametrize(
    "change",
    [
        {"scheduler": {"name": "asha", "reduction_factor": 4, "min_epochs": 1, "stops": True}},
        {"scheduler": {"name": "median", "min_epochs": 2, "min_trials": 3}},
        {"budget": {"seconds": 60, "target": 0.9}},
        {"repeats": 2},
        {"confirm": {"top": 2, "seeds": 3}},
        {"objectives": [{"metric": "train_loss", "mode": "min"},
                        {"metric": "seconds", "mode": "min"}]},
        {"constraints": [{"metric": "model_bytes", "at_most": 1000000}]},
        {"strategy": "gp"},
    ],
)  # fmt: skip
def test_what_a_job_says_of_its_search_is_in_its_specification(
    client: TestClient, change: dict[str, Any]
) -> None:
    job = submit(client, **{**SAMPLED, **change})
    assert {key: job["spec"][key] for key in change} == change
    assert client.get(f"/api/v1/jobs/{job['id']}").json()["spec"] == job["spec"]


def planned(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/jobs?dry_run=true", json={**SAMPLED, **changes})
    assert answer.status_code == 200, answer.text
    plan: dict[str, Any] = answer.json()
    return plan


def test_the_plan_says_what_auto_chose_and_the_job_has_it(client: TestClient) -> None:
    plan = planned(client, strategy="auto", epochs=30)
    spec = plan["spec"]
    assert plan["sampling"]["sampler"] == spec["strategy"] == "gp"
    assert spec["scheduler"]["name"] == "asha"
    assert spec["confirm"] == {"top": 3, "seeds": 5}
    assert plan["chosen"].startswith("gp, a Gaussian process")
    assert "asha, which pauses trials" in plan["chosen"]
    job = submit(client, **{**SAMPLED, "strategy": "auto", "epochs": 30})
    assert job["chosen"] == job["spec"]["chosen"] == plan["chosen"]
    assert client.get(f"/api/v1/jobs/{job['id']}").json()["chosen"] == plan["chosen"]
    assert submit(client)["chosen"] == ""
    assert job["spec"] == spec
    assert job["fingerprint"] == plan["fingerprint"]


def test_auto_keeps_to_what_the_job_says(client: TestClient) -> None:
    said = {"scheduler": "none", "confirm": False}
    spec = planned(client, strategy="auto", epochs=30, **said)["spec"]
    assert ("scheduler" in spec, "confirm" in spec) == (False, False)
    assert planned(client)["chosen"] == ""


def test_a_space_of_ranges_without_strategy_is_left_to_auto(client: TestClient) -> None:
    space = client.get("/api/v1/search_spaces/q4_logistic_regression").json()
    del space["strategy"]
    space["parameters"] = RATES
    assert planned(client, search_space=space, strategy=None)["spec"]["strategy"] == "gp"


def test_enqueued_configurations_are_kept_complete(client: TestClient) -> None:
    parameters = {**RATES, "batch_size": {"values": [10, 20], "default": 20}}
    enqueue = [{"batch_size": 10}, {"learning_rate": 0.1}]
    job = submit(client, **{**SAMPLED, "parameters": parameters, "enqueue": enqueue})
    assert job["spec"]["enqueue"] == [
        {"learning_rate": rate, "optimizer": "sgd", "l2_decay": 0.0, "batch_size": size}
        for rate, size in ((0.001, 10), (0.1, 20))
    ]


def test_repeats_multiply_the_trials_and_have_their_own_seeds(
    client: TestClient, store: Store
) -> None:
    job = submit(client, repeats=3, seed=2**32 - 2)
    assert job["progress"]["trials"] == job["spec"]["trials"] == 9
    seeds = [2**32 - 2, 2**32 - 1, 0]
    found = [
        (t.parameters["learning_rate"], t.seed, t.configuration) for t in store.trials(job["id"])
    ]
    assert found == [
        (rate, seed, first) for rate, first in ((0.001, 0), (0.01, 3), (0.1, 6)) for seed in seeds
    ]
    sampled = submit(client, **{**SAMPLED, "repeats": 2})
    assert (sampled["spec"]["trials"], sampled["progress"]["trials"]) == (16, 16)


def test_a_confirmation_is_planned_for_at_most(client: TestClient) -> None:
    job = submit(client, confirm={"top": 2, "seeds": 3})
    assert (job["spec"]["trials"], job["progress"]["trials"]) == (3, 3 + 3 * 3)


def test_a_job_switches_off_what_its_space_declares(client: TestClient) -> None:
    space = client.get("/api/v1/search_spaces/q4_logistic_regression").json()
    declared = {**space, "scheduler": "asha", "confirm": True, "budget": {"seconds": 9}}
    off = {"scheduler": "none", "confirm": False, "budget": {}}
    plain = submit(client, search_space=space, epochs=None)
    job = submit(client, search_space=declared, epochs=None, **off)
    assert job["fingerprint"] == plain["fingerprint"]
    assert submit(client, search_space=declared, epochs=None)["spec"]["scheduler"]["name"] == "asha"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"scheduler": {"name": "asha", "eta": 3}}, "/scheduler/eta"),
        ({"enqueue": [{"learning_rate": 3}]}, "/enqueue/0/learning_rate"),
        ({"objectives": [{"metric": "train_loss"}]}, "/objectives/0/mode"),
        ({"budget": {"hours": 3}}, "/budget/hours"),
        ({"repeats": 0}, "/repeats"),
    ],
)
def test_replaced_members_are_refused_with_their_pointers(
    client: TestClient, changes: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/api/v1/jobs?dry_run=true", json={**JOB, **changes})
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]


def test_the_fingerprint_ignores_names_and_sees_everything_else(client: TestClient) -> None:
    job = submit(client)
    assert submit(client, name="other", tags={"a": "b"})["fingerprint"] == job["fingerprint"]
    assert submit(client, seed=1)["fingerprint"] != job["fingerprint"]
    found = client.get("/api/v1/jobs", params={"fingerprint": job["fingerprint"]}).json()["items"]
    assert len(found) == 2


def test_the_fingerprint_is_of_numbers_not_of_their_spelling(client: TestClient) -> None:
    def fingerprint(**changes: Any) -> str:
        return str(submit(client, **changes)["fingerprint"])

    assert fingerprint() == fingerprint(resources_per_trial={"cpu": 1, "gpu": 0})
    assert fingerprint() == fingerprint(resources_per_trial={"cpu": 1.0})
    for whole, real in ((1, 1.0), ({"values": [1, 2]}, {"values": [1.0, 2.0], "default": 1})):
        written = fingerprint(parameters={"learning_rate": whole})
        assert written == fingerprint(parameters={"learning_rate": real})
    assert fingerprint(parameters={"batch_size": 1}) == fingerprint()
    assert fingerprint(parameters={"batch_size": 2}) != fingerprint()


def test_the_fingerprint_counts_what_is_left_out_as_the_trainables_default(
    client: TestClient,
) -> None:
    def fingerprint(strategy: str, **parameters: Any) -> str:
        space = {
            "name": "mine", "trainable": "numpy_neural_regression", "dataset": "ames",
            "epochs": 1, "metric": "train_rmse", "mode": "min", "strategy": strategy,
            "parameters": {"hidden_size": {"values": [50, 150], "default": 150}, **parameters},
        }  # fmt: skip
        answer = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["fingerprint"])

    for strategy in ("single", "grid"):
        assert fingerprint(strategy, learning_rate=0.001) == fingerprint(strategy)
        assert fingerprint(strategy, learning_rate=0.01) != fingerprint(strategy)
    assert fingerprint("single", hidden_size=150) == fingerprint("single")


def test_the_fingerprint_ignores_how_a_space_is_called(client: TestClient) -> None:
    space = client.get("/api/v1/search_spaces/q2_linear_regression").json()
    renamed = {**space, "name": "mine", "title": "Mine", "description": "as it was"}
    declared, inline = (
        submit(client, search_space="q2_linear_regression", epochs=None),
        submit(client, search_space=renamed, epochs=None),
    )
    assert inline["fingerprint"] == declared["fingerprint"]


def test_conditions_on_a_float_are_met_by_its_whole_number(client: TestClient) -> None:
    space = {
        **client.get("/api/v1/search_spaces/q4_feedforward").json(),
        "strategy": "grid",
        "parameters": {
            "learning_rate": {"values": [1, 2]},
            "hidden_size": {"values": [10, 20], "when": {"learning_rate": 1}},
        },
    }
    plan = client.post("/api/v1/jobs?dry_run=true", json={"search_space": space}).json()
    assert plan["spec"]["parameters"]["hidden_size"]["when"] == {"learning_rate": 1.0}
    assert [json.dumps(c, sort_keys=True) for c in plan["configurations"]] == [
        '{"hidden_size": 10, "learning_rate": 1.0}',
        '{"hidden_size": 20, "learning_rate": 1.0}',
        '{"learning_rate": 2.0}',
    ]


def test_an_idempotency_key_makes_one_job(client: TestClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers)
    again = client.post("/api/v1/jobs", json=JOB, headers=headers)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    for change in ({"seed": 1}, {"tags": {"for": "another"}}):
        clash = client.post("/api/v1/jobs", json=JOB | change, headers=headers)
        assert clash.status_code == 409, change


@pytest.mark.parametrize(
    "since",
    ["fingerprint = 'of an older version'", "request_digest = NULL, fingerprint = 'older still'"],
)
def test_a_request_repeated_after_an_upgrade_gives_its_job(
    client: TestClient, store: Store, since: str
) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers).json()
    with store._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET {since}")
    again = client.post("/api/v1/jobs", json=JOB, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first["id"])


def test_a_request_repeated_on_a_full_disk_gives_its_job(
    client: TestClient, settings: Settings, store: Store
) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/jobs", json=JOB, headers=headers).json()
    full = settings.model_copy(update={"min_free_bytes": 2**62})
    with TestClient(create_app(full, store)) as later:
        again = later.post("/api/v1/jobs", json=JOB, headers=headers)
        assert (again.status_code, again.json()["id"]) == (202, first["id"])
        assert later.post("/api/v1/jobs", json=JOB).status_code == 503


def test_a_full_disk_refuses_new_jobs_and_keeps_answering(settings: Settings, store: Store) -> None:
    full = settings.model_copy(update={"min_free_bytes": 2**62})
    with TestClient(create_app(full, store)) as client:
        answer = client.post("/api/v1/jobs", json=JOB)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        assert "MiB are free" in answer.json()["detail"]
        assert client.get("/readyz").json()["parts"]["disk"] != "ok"
        assert client.get("/api/v1/jobs").json()["items"] == []


def test_a_data_folder_that_is_gone_refuses_new_jobs_and_is_named(
    settings: Settings, store: Store
) -> None:
    gone = settings.model_copy(update={"data_dir": settings.data_dir / "unmounted"})
    with TestClient(create_app(gone, store)) as client:
        answer = client.post("/api/v1/jobs", json=JOB)
        assert answer.status_code == 503
        assert f"{gone.data_dir} cannot be used: No such file" in answer.json()["detail"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["disk"] == answer.json()["detail"]


LOGISTIC = {"search_space": "q4_logistic_regression"}


INLINE = {
    "name": "rates", "trainable": "torch_logistic_regression", "dataset": "fashion_mnist",
    "epochs": 1, "metric": "validation_accuracy", "mode": "max", "strategy": "grid",
    "parameters": {"device": {"values": ["auto", "cuda"]}},
}  # fmt: skip


CUDA = {"parameters": {"device": "cuda"}}


def plan(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/jobs?dry_run=true", json=body)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**LOGISTIC, **CUDA}, "/parameters/device"),
        ({"search_space": INLINE}, "/search_space/parameters/device"),
        ({"search_space": INLINE, **CUDA}, "/parameters/device"),
    ],
)
def test_a_gpu_that_trials_are_not_given_is_refused_with_the_fix(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = plan(client, **body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "resources_per_trial.gpu (--gpus)" in error["hint"]
    assert plan(client, **body, resources_per_trial={"gpu": 0.5}).status_code == 200


def test_a_gpu_that_no_trial_uses_need_not_be_given(client: TestClient) -> None:
    assert plan(client, search_space=INLINE, strategy="single").status_code == 200
    assert plan(client, **LOGISTIC, parameters={"device": "cpu"}).status_code == 200


def test_a_deleted_job_leaves_no_files(
    client: TestClient, store: Store, settings: Settings
) -> None:
    job_id, storage = submit(client)["id"], Storage(settings.storage_uri)
    run(store, job_id)
    settings.logs_dir.mkdir()
    settings.log_file(job_id).write_text("line")
    for name in (f"jobs/{job_id}/0/3.npz", f"jobs/{job_id}/stop/segment", "jobs/other/0/3.npz"):
        storage.mark(name)
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert storage.names() == ["jobs/other/0/3.npz"]
    assert not settings.log_file(job_id).exists()


def test_a_storage_that_is_away_stops_no_deletion(
    client: TestClient, store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    (settings.data_dir / "storage").touch()  # a file where the folder should be
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404
    assert f"job {job_id}: files in the storage are deleted later: cannot delete" in caplog.text


def test_a_job_to_learn_from_must_exist(client: TestClient) -> None:
    change = {"strategy": "tpe", "warm_start": ["0123456789abcdef"]}
    answer = client.post("/api/v1/jobs", json={**SAMPLED, **change})
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["errors"]] == ["/warm_start/0"]
