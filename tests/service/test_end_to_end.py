"""The whole service for real: HTTP, controller, driver, Ray Tune, real data, restarts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from service.engine import processes
from tests.real_data import ensure_fashion_mnist
from tests.service.running import Service

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"))
    service.start()
    yield service
    service.stop()
    assert service.processes() == []


def steps(**parameters: Any) -> dict[str, Any]:
    """A space of the plugin's trainable."""
    return {
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": 3,
        "metric": "score", "mode": "max", "strategy": "grid", "parameters": parameters,
    }  # fmt: skip


@pytest.fixture(scope="module")
def fashion_mnist() -> None:
    ensure_fashion_mnist()


def test_linear_regression_gives_the_published_figures(service: Service) -> None:
    job = service.wait(service.submit("q2_linear_regression"))
    assert job["state"] == "succeeded"
    metrics = job["best"]["metrics"]
    assert round(metrics["train_rmse"], 3) == 0.111
    assert round(metrics["test_rmse"], 3) == 0.238
    curve = service.get(f"{job['id']}/trials/0/curve")
    lowest = min(curve["test_rmse"])
    assert round(lowest, 3) == 0.195
    assert abs(curve["epoch"][curve["test_rmse"].index(lowest)] - 71) <= 2


@pytest.mark.usefixtures("fashion_mnist")
def test_the_perceptron_gives_the_published_figures(service: Service) -> None:
    job = service.wait(service.submit("q3_perceptron"))
    assert job["best"]["metrics"]["validation_accuracy"] == 0.7126
    assert job["best"]["metrics"]["test_accuracy"] == 0.7013


def test_the_same_seed_gives_the_same_curves_also_beside_other_trials(service: Service) -> None:
    alone = service.wait(service.submit("q2_neural_regression", epochs=3))
    beside = service.submit("q2_neural_regression", epochs=3)
    others = service.submit(
        "q2_neural_regression",
        epochs=3,
        strategy="grid",
        parameters={"learning_rate": {"values": [0.0001, 0.0005]}},
    )
    service.wait(beside)
    service.wait(others)
    assert service.get(f"{alone['id']}/curves") == service.get(f"{beside}/curves")


def test_lists_and_names_with_dots_reach_the_trials(service: Service) -> None:
    space = steps(
        x={"values": [1.0, 2.0]},
        **{"model.sizes": {"values": [[64, 64], [], [8]], "when": {"x": {"at_least": 2}}}},
    )
    sampled = service.submit({**space, "strategy": "tpe", "trials": 6})
    grid = service.wait(service.submit(space))
    assert grid["best"]["parameters"] == {"x": 2.0, "model.sizes": [64, 64]}
    for job in (grid, service.wait(sampled)):
        assert job["state"] == "succeeded"
        for trial in service.get(f"{job['id']}/trials")["items"]:
            parameters = trial["parameters"]
            assert ("model.sizes" in parameters) == (parameters["x"] == 2)
            score = parameters["x"] + sum(parameters.get("model.sizes", []))
            assert trial["metrics"]["score"] == score


def test_one_of_two_jobs_is_cancelled(service: Service) -> None:
    doomed = service.submit(steps(x={"values": [1.0, 2.0]}, pause_s=0.2), epochs=1000)
    service.wait_for_epochs(doomed, 2)
    other = service.submit("q2_linear_regression")
    assert processes.trial_processes(doomed)
    service.cancel(doomed)
    job = service.wait(doomed)
    assert job["state"] == "cancelled"
    assert not processes.trial_processes(doomed), "it is called so once they have gone"
    trials = service.get(f"{doomed}/trials")["items"]
    assert {trial["state"] for trial in trials} == {"cancelled"}
    assert service.wait(other)["state"] == "succeeded"


@pytest.mark.parametrize(
    ("role", "ending"),
    [
        ("service.engine.driver", signal.SIGKILL),
        # Tune takes it for the end of a run that its user has had enough of.
        ("service.engine.driver", signal.SIGUSR1),
        ("service.engine.controller", signal.SIGKILL),
    ],
)
def test_a_lost_driver_or_controller_costs_no_finished_trial(
    service: Service, role: str, ending: signal.Signals
) -> None:
    space = steps(x={"values": [1.0, 2.0, 3.0]}, pause_s=0.3)
    job_id = service.submit(space, max_concurrent_trials=1, epochs=4)
    service.wait_for_epochs(job_id, 5)
    (doomed,) = service.find(role)
    doomed.send_signal(ending)
    job = service.wait(job_id)
    trials = service.get(f"{job_id}/trials")["items"]
    assert job["state"] == "succeeded"
    assert [t["state"] for t in trials] == ["succeeded"] * 3
    assert trials[0]["attempts"] == 1
    assert sum(t["attempts"] for t in trials) == (4 if role == "service.engine.driver" else 3)
    assert [len(c["epoch"]) for c in service.get(f"{job_id}/curves")["items"]] == [4, 4, 4]


def test_failed_trials_do_not_sink_the_job(service: Service) -> None:
    space = steps(second_epoch={"values": ["go on", "raise", "diverge", "die", "skip"]})
    job = service.wait(service.submit(space, max_failures=1))
    assert job["state"] == "succeeded"
    assert job["best"]["trial"] == 0
    well, raised, diverged, died, skipped = service.get(f"{job['id']}/trials")["items"]
    assert well["state"] == "succeeded"
    assert {t["state"] for t in (raised, diverged, died, skipped)} == {"failed"}
    assert raised["error"]["kind"] == "user_error"
    assert "too much" in raised["error"]["message"]
    assert "_misbehave" in raised["error"]["traceback"]
    assert raised["attempts"] == 2
    assert diverged["error"]["kind"] == "diverged"
    assert "score" in diverged["error"]["message"]
    assert diverged["attempts"] == 1
    assert died["error"]["kind"] == "worker_lost"
    assert died["attempts"] == 5, "once, max_failures and three times more"
    assert skipped["error"]["kind"] == "user_error"
    assert "reported epoch 3 after 1 of 3 epochs" in skipped["error"]["message"]
    assert all(t["epochs"] == 1 for t in (raised, diverged, died, skipped))


def test_trials_take_their_turns_in_the_same_processes(service: Service) -> None:
    """A process of its own for each costs more than a short trial trains."""
    space = steps(x={"values": [float(n) for n in range(8)]}, second_epoch="pid")
    job_id = service.submit(space, epochs=2, max_concurrent_trials=2)
    assert service.wait(job_id)["state"] == "succeeded"
    pids = [trial["metrics"]["score"] for trial in service.get(f"{job_id}/trials")["items"]]
    assert len(pids) == 8
    assert len(set(pids)) <= 2


def test_a_hanging_trial_is_ended_at_its_time_limit(service: Service) -> None:
    space = steps(second_epoch={"values": ["go on", "hang"]})
    job = service.wait(service.submit(space, time_limit_s=2))
    assert job["state"] == "succeeded"
    hung = service.get(f"{job['id']}/trials/1")
    assert hung["error"]["kind"] == "time_limit"
    assert "2 s" in hung["error"]["message"]


def test_a_job_without_a_success_fails_with_the_reason(service: Service) -> None:
    job = service.wait(service.submit(steps(second_epoch="raise")))
    assert job["state"] == "failed"
    assert "too much" in job["error"]["message"]
    assert job["best"] is None


def test_a_trial_that_fits_no_node_fails_its_job(service: Service) -> None:
    job = service.wait(service.submit(steps(), resources_per_trial={"cpu": 1000}))
    assert job["state"] == "failed"
    assert job["error"]["kind"] == "infeasible"
    assert "1000 CPU" in job["error"]["message"]


def test_a_sampler_searches_conditions(service: Service) -> None:
    space = steps(
        x={"low": 0.5, "high": 2.0},
        second_epoch={"values": ["go on", "diverge"]},
    )
    job = service.wait(service.submit({**space, "strategy": "tpe", "trials": 6}))
    trials = service.get(f"{job['id']}/trials")["items"]
    assert len(trials) == 6
    assert {t["state"] for t in trials} <= {"succeeded", "failed"}
    good = [t for t in trials if t["state"] == "succeeded"]
    assert job["best"]["value"] == max(t["parameters"]["x"] for t in good)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_ends_all_the_same_when_the_service_is_restarted(
    tmp_path_factory: pytest.TempPathFactory, ending: signal.Signals
) -> None:
    service = Service(tmp_path_factory.mktemp("restarted"))
    service.start()
    try:
        space = steps(x={"values": [1.0, 2.0, 3.0, 4.0]}, pause_s=0.5)
        job_id = service.submit(space, max_concurrent_trials=1, epochs=6)
        service.wait_for_epochs(job_id, 8)
        service.stop(ending)
        if ending == signal.SIGTERM:
            assert service.processes() == []
        service.start()
        job = service.wait(job_id)
        trials = service.get(f"{job_id}/trials")["items"]
    finally:
        service.stop()
    assert service.processes() == []
    assert job["state"] == "succeeded"
    assert [t["state"] for t in trials] == ["succeeded"] * 4
    assert trials[0]["attempts"] == 1, "a finished trial is not run again"
    assert job["progress"]["epochs_done"] == 24
