"""What a population is planned as, and what is refused of it, as a client sees it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.records import EpochReport, NewTrial
from results.states import JobState, TrialState
from results.store import Store

RATE = {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}}
PBT: dict[str, Any] = {
    "search_space": "q3_mlp", "strategy": "random", "epochs": 4, "parameters": RATE,
    "scheduler": {"name": "pbt", "population": 2, "interval": 2},
}  # fmt: skip


def refusals(client: TestClient, **changes: Any) -> dict[str, str]:
    answer = client.post("/api/v1/jobs?dry_run=true", json={**PBT, **changes})
    assert answer.status_code == 422, answer.text
    return {p["pointer"]: f"{p['detail']}; {p['hint']}" for p in answer.json()["errors"]}


def test_the_plan_says_what_changes_and_what_it_costs_at_most(client: TestClient) -> None:
    plan = client.post("/api/v1/jobs?dry_run=true", json=PBT).json()
    scheduler = plan["spec"]["scheduler"]
    assert scheduler["perturb"] == ["learning_rate"]
    assert (scheduler["perturbation"], scheduler["quantile"]) == ([0.8, 1.2], 0.25)
    assert (plan["trials"], plan["spec"]["trials"]) == (2, 2)
    assert (plan["estimate"]["trials"], plan["estimate"]["epochs"]) == (3, 8)
    trainables = client.get("/api/v1/trainables").json()["items"]
    changeable = {found["name"]: found["changeable"] for found in trainables}
    assert changeable["numpy_mlp"] == ["learning_rate"]
    assert changeable["torch_feedforward"] == [
        "learning_rate", "dropout", "l2_decay", "batch_size",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer", "text"),
    [
        ({"strategy": "tpe"}, "/strategy", "pbt draws its first trials at random"),
        ({"strategy": "auto"}, "/strategy", "use one of: random, sobol"),
        ({"trials": 5}, "/trials", "pbt draws as many trials as its population has"),
        ({"repeats": 2}, "/repeats", "pbt compares single trials"),
        ({"confirm": True}, "/confirm", "pbt finds a schedule, whose parameters changed"),
        ({"budget": {"trials_without_improvement": 3}}, "/budget/trials_without_improvement",
         "the trials of pbt train side by side and end together"),
        ({"epochs": 2}, "/scheduler", "pbt compares trials before the last epoch, and there are 2"),
        ({"parameters": {"hidden_size": {"values": [50, 100]}}}, "/scheduler",
         "no parameter that varies may change while numpy_mlp trains; vary one of: learning_rate"),
        ({"scheduler": {"name": "pbt", "perturb": ["hidden_size"]},
          "parameters": {**RATE, "hidden_size": {"values": [50, 100]}}},
         "/scheduler/perturb/0", "hidden_size may not change while numpy_mlp trains: its state"),
        ({"scheduler": {"name": "pbt", "population_size": 4}}, "/scheduler/population_size",
         "write population instead"),
        ({"scheduler": "PopulationBasedTraining"}, "/scheduler", "write pbt instead"),
    ],
)  # fmt: skip
def test_what_is_refused(
    client: TestClient, changes: dict[str, Any], pointer: str, text: str
) -> None:
    assert text in refusals(client, **changes)[pointer]


@pytest.fixture
def finished(client: TestClient, store: Store) -> str:
    """Return the id of a finished job: trial 2 went on from trial 1 in the place of trial 0."""
    answer = client.post("/api/v1/jobs", json=PBT)
    assert answer.status_code == 202, answer.text
    assert answer.json()["progress"]["trials"] == 3
    assert answer.json()["progress"]["epochs_total"] == 8
    lease = store.claim_job("test", 60)
    assert lease is not None
    for number, rate, parent in ((0, 0.1, None), (1, 0.01, None), (2, 0.012, 1)):
        start = 0 if parent is None else 2
        new = NewTrial(number, {"learning_rate": rate}, 42, parent=parent, start_epoch=start)
        store.add_trial(lease, new)
        store.start_trial(lease, number, node="here", resumed_from=start)
        store.write_reports(lease, [
            EpochReport(number, 1, epoch, {"validation_accuracy": 0.1 * epoch + rate}, 1.0)
            for epoch in range(start + 1, 3 if number == 0 else 5)
        ])  # fmt: skip
        state = TrialState.STOPPED if number == 0 else TrialState.SUCCEEDED
        store.finish_trial(lease, number, state)
    store.finish_job(lease, JobState.SUCCEEDED)
    return str(answer.json()["id"])


def test_a_copy_is_shown_with_its_parent(client: TestClient, finished: str) -> None:
    job = f"/api/v1/jobs/{finished}"
    copy = client.get(f"{job}/trials/2").json()
    assert (copy["parent"], copy["start_epoch"], copy["epochs"]) == (1, 2, 4)
    assert client.get(f"{job}/trials/2/curve").json()["epoch"] == [3, 4]
    assert client.get(job).json()["progress"]["epochs_done"] == 2 + 4 + 2
    assert client.get(f"{job}/best").json()["trial"] == 2
    table = client.get(f"{job}/trials?format=csv").text.splitlines()
    assert table[0].endswith("parent,start_epoch")
    assert table[3].endswith(",1,2")
    report = client.get(f"{job}/report?format=md").text
    assert "Schedule of the best trial" in report
    assert "| trial 1, epoch 2 |" in report


@pytest.mark.parametrize(
    ("verb", "body", "text"),
    [
        ("extend", {"epochs": 8}, "pbt trains its trials side by side"),
        (
            "confirm",
            {},
            "pbt finds a schedule, whose parameters changed during training: "
            "no single configuration can be run again",
        ),
    ],
)
def test_a_schedule_is_not_run_again(
    client: TestClient, finished: str, verb: str, body: dict[str, Any], text: str
) -> None:
    answer = client.post(f"/api/v1/jobs/{finished}/{verb}", json=body)
    assert answer.status_code == 422
    assert text in answer.json()["errors"][0]["detail"]
    replayed = client.get(f"/api/v1/jobs/{finished}/replay")
    assert replayed.status_code == 409
    assert "pbt changed the parameters of its trials" in replayed.json()["detail"]
    again = client.get(f"/api/v1/jobs/{finished}/trials/2/request")
    assert again.status_code == 409
    assert "trial 2 went on from trial 1 after epoch 2" in again.json()["detail"]
    assert client.get(f"/api/v1/jobs/{finished}/trials/1/request").status_code == 200
