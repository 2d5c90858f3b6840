"""Confirmations over HTTP: asked of a job that has succeeded, shown with its best configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import EpochReport, Lease, NewTrial
from results.states import JobState, Purpose, TrialState
from results.store import Store

PATH = "/api/v1/jobs"


def submitted(client: TestClient) -> str:
    space = {
        "name": "mine", "trainable": "numpy_neural_regression", "dataset": "ames", "epochs": 1,
        "metric": "train_rmse", "mode": "min", "strategy": "grid",
        "parameters": {"learning_rate": {"values": [0.001, 0.01, 0.1]}, "hidden_size": 10},
    }  # fmt: skip
    job_id: str = client.post(PATH, json={"search_space": space}).json()["id"]
    return job_id


def claimed(store: Store) -> Lease:
    lease = store.claim_job("test", 60)
    assert lease is not None
    return lease


def run(store: Store, lease: Lease, number: int, rmse: float) -> None:
    attempt = store.start_trial(lease, number, node="here")
    metrics: Mapping[str, float] = {"train_rmse": rmse, "test_rmse": rmse + 0.1}
    store.write_reports(lease, [EpochReport(number, attempt, 1, metrics, 0.5)])
    store.finish_trial(lease, number, TrialState.SUCCEEDED)


def searched(client: TestClient, store: Store) -> str:
    """Return the id of a job whose three trials have succeeded, the first one as the best."""
    job_id, lease = submitted(client), claimed(store)
    for number in range(3):
        run(store, lease, number, 0.1 * (number + 1))
    store.finish_job(lease, JobState.SUCCEEDED)
    return job_id


def test_a_search_of_one_seed_has_no_confirmation(client: TestClient, store: Store) -> None:
    found = client.get(f"{PATH}/{searched(client, store)}/best").json()
    assert (found["trial"], found["confirmation"], found["diagnosis"]) == (0, None, [])
    assert found["spent"]["total"] == {"trials": 3, "epochs": 3, "seconds": 1.5}


def test_a_confirmation_from_the_request_to_the_verdict(client: TestClient, store: Store) -> None:
    job_id = searched(client, store)
    answer = client.post(f"{PATH}/{job_id}/confirm", json={"top": 2, "seeds": 3})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.json()["spec"]["confirm"] == {"top": 2, "seeds": 3}
    lease = claimed(store)
    parameters = [trial.parameters for trial in store.trials(job_id)]
    for number in range(3, 9):
        first, seed = number % 2, 43 + (number - 3) // 2
        trial = NewTrial(number, parameters[first], seed, Purpose.CONFIRM, first)
        store.add_trial(lease, trial)
        run(store, lease, number, 0.3 - 0.1 * first + 0.01 * seed)
    running = client.get(f"{PATH}/{job_id}/best").json()["confirmation"]
    assert running["verdict"].startswith("So far: ")
    assert running["test"] == {}
    store.finish_job(lease, JobState.SUCCEEDED)
    best = client.get(f"{PATH}/{job_id}/best").json()
    found = best["confirmation"]
    assert best["trial"] == 0  # that of the search
    assert (found["winner"], found["is_clear"], found["is_over"]) == (1, True, True)
    assert found["to_second"]["mean"] == pytest.approx(0.1)
    assert "wins" in found["verdict"]
    assert "The search's best, trial 0, was ahead" in found["verdict"]
    assert list(found["test"]) == ["test_rmse"]
    assert best["spent"]["confirming"]["trials"] == 6
    report = client.get(f"{PATH}/{job_id}/report?format=md").text
    assert "Confirmation: " in report


def test_a_confirmation_that_is_cancelled_claims_nothing(client: TestClient, store: Store) -> None:
    job_id = searched(client, store)
    client.post(f"{PATH}/{job_id}/confirm", json={"top": 2, "seeds": 3})
    lease = claimed(store)
    parameters = store.trials(job_id)[0].parameters
    store.add_trial(lease, NewTrial(3, parameters, 43, Purpose.CONFIRM, 0))
    run(store, lease, 3, 0.1)
    running = client.get(f"{PATH}/{job_id}/best").json()["confirmation"]
    assert (running["is_clear"], running["is_complete"]) == (False, False)
    client.post(f"{PATH}/{job_id}/cancel")
    store.finish_job(lease, JobState.CANCELLED)
    found = client.get(f"{PATH}/{job_id}/best").json()["confirmation"]
    assert (found["is_over"], found["is_clear"], found["is_complete"]) == (True, False, False)
    assert found["seeds"] == [43]
    assert "wins" not in found["verdict"]
    assert "The confirmation is incomplete" in found["verdict"]
    report = client.get(f"{PATH}/{job_id}/report?format=md").text
    # Two of three and the defaults with three seeds each, of which one trial ran.
    assert "Trials: 3 succeeded. Trials to confirm the winner: 8 not run, 1 succeeded." in report


def test_what_cannot_be_confirmed_is_refused(client: TestClient, store: Store) -> None:
    waiting = submitted(client)
    assert client.post(f"{PATH}/{waiting}/confirm", json={}).status_code == 409
    for wrong, pointer in (({"top": 0}, "/top"), ({"seeds": 1}, "/seeds"), ({"seed": 3}, "/seed")):
        answer = client.post(f"{PATH}/{waiting}/confirm", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
    single = client.post(PATH, json={"search_space": "q2_linear_regression"}).json()["id"]
    refused = client.post(f"{PATH}/{single}/confirm", json={})
    assert refused.status_code == 422
    assert "one configuration" in refused.text


RATE = {"learning_rate": {"low": 0.001, "high": 0.1}}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"strategy": "random", "scheduler": {"name": "pbt", "population": 4}, "parameters": RATE,
          "epochs": 9}, "submit the search again with another scheduler"),
        ({"repeats": 3}, "the best one's mean is over 3 seeds"),
        ({"objectives": [{"metric": "validation_accuracy", "mode": "max"},
                         {"metric": "seconds", "mode": "min"}]},
         "submit the search again with one objective"),
        ({"strategy": "single"}, "(--repeats 5)"),
    ],
)  # fmt: skip
def test_what_cannot_be_confirmed_has_another_way(
    client: TestClient, changes: dict[str, Any], hint: str
) -> None:
    body = {"search_space": "q4_logistic_regression", **changes}
    submitted = client.post(PATH, json=body)
    assert submitted.status_code == 202, submitted.text
    answer = client.post(f"{PATH}/{submitted.json()['id']}/confirm", json={})
    assert answer.status_code == 422
    assert hint in answer.json()["hint"]
    assert "leave" not in answer.json()["hint"]
