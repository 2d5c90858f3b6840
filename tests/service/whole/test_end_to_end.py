"""The whole service for real: HTTP, controller, driver, Ray Tune, real data."""

from __future__ import annotations

import pytest

from service.engine import processes
from tests.service.running import Service, steps
from tests.trainables.own_data.files import table

# Its jobs run beside one another: the first test waits for most of them.
pytestmark = [pytest.mark.ray, pytest.mark.timeout(1200)]


class Jobs:
    """Jobs that are submitted together at the beginning, and waited for one by one."""

    def __init__(self, service: Service) -> None:
        rates = {"learning_rate": {"values": [0.001, 0.0005]}}
        misbehaviour = ["go on", "raise", "diverge", "die", "skip", "exit", "out of memory"]
        submit = service.submit
        one = {"max_concurrent_trials": 1}  # a trial process costs 4 s of processor time
        self.failures = submit(steps(second_epoch={"values": misbehaviour}), max_failures=1, **one)
        self.hanging = submit(
            steps(second_epoch={"values": ["go on", "hang"]}), time_limit_s=8, max_failures=1, **one
        )
        self.raising = submit(steps(second_epoch="raise"))
        self.linear = submit("q2_linear_regression")
        self.alone = submit("q2_neural_regression", epochs=3, parameters={"learning_rate": 0.001})
        self.beside = submit("q2_neural_regression", epochs=3, strategy="grid", parameters=rates)
        self.perceptron = submit("q3_perceptron")
        self.flats = self._on_own_data(service)
        sizes = {
            "x": {"values": [1.0, 2.0]},
            "model.sizes": {"values": [[64, 64], [], [8]], "when": {"x": {"at_least": 2}}},
        }
        self.lists = submit(steps(**sizes), **one)
        ends = {"values": ["go on", "diverge"]}
        self.sampled = submit(steps("tpe", trials=6, second_epoch=ends, **sizes), **one)
        rate = {"low": 1e-5, "high": 1e-3, "log": True, "default": 1e-3}
        self.halving = submit(
            "q2_neural_regression", epochs=9, strategy="tpe", trials=9, scheduler="asha",
            parameters={"learning_rate": rate}, confirm={"top": 2, "seeds": 3}, priority=2,
        )  # fmt: skip

    def _on_own_data(self, service: Service) -> str:
        """Add a data set, submit a job on it, and remove it: the job keeps its data."""
        datasets = "/api/v1/datasets"
        params = {"name": "flats", "target": "price"}
        added = service.http.post(datasets, params=params, content=table().encode())
        assert added.status_code == 201, added.text
        job = service.submit({
            "name": "flats", "trainable": "numpy_linear_regression", "dataset": "flats",
            "epochs": 5, "metric": "validation_rmse", "mode": "min", "strategy": "grid",
            "parameters": {"learning_rate": {"values": [0.01, 0.001], "default": 0.01}},
        }, max_concurrent_trials=1)  # fmt: skip
        assert service.http.delete(f"{datasets}/flats").status_code == 204
        return job


@pytest.fixture(scope="module")
def jobs(service: Service) -> Jobs:
    return Jobs(service)


def test_failed_trials_do_not_sink_the_job(service: Service, jobs: Jobs) -> None:
    job = service.wait(jobs.failures)
    assert job["state"] == "succeeded"
    assert job["best"]["trial"] == 0
    well, *failed = service.trials(jobs.failures)
    assert well["state"] == "succeeded"
    assert {trial["state"] for trial in failed} == {"failed"}
    raised, diverged, died, skipped, left, memory = failed
    assert raised["error"]["kind"] == "user_error"
    assert "too much" in raised["error"]["message"]
    assert "_misbehave" in raised["error"]["traceback"]
    assert raised["attempts"] == 2
    assert diverged["error"]["kind"] == "diverged"
    assert "score" in diverged["error"]["message"]
    assert diverged["attempts"] == 1
    assert died["error"]["kind"] == "worker_lost"
    # Once, max_failures and three times more, which begin again if it gave its slot to another job.
    assert died["attempts"] >= 5
    assert skipped["error"]["kind"] == "user_error"
    assert "reported epoch 3 after 1 of 3 epochs" in skipped["error"]["message"]
    assert (left["error"]["kind"], left["attempts"]) == ("user_error", 2)
    assert (memory["error"]["kind"], memory["attempts"]) == ("out_of_memory", 2)
    assert "smaller model" in memory["error"]["message"]
    assert [trial["epochs"] for trial in failed] == [1] * 6


def test_a_hanging_trial_is_ended_at_its_time_limit(service: Service, jobs: Jobs) -> None:
    assert service.wait(jobs.hanging)["state"] == "succeeded"
    well, hung = service.trials(jobs.hanging)
    assert (well["state"], hung["state"]) == ("succeeded", "failed")
    assert (hung["error"]["kind"], hung["attempts"]) == ("time_limit", 1)
    assert "8 s (time_limit_s)" in hung["error"]["message"]


def test_a_job_without_a_success_fails_with_the_reason(service: Service, jobs: Jobs) -> None:
    job = service.wait(jobs.raising)
    assert job["state"] == "failed"
    assert "too much" in job["error"]["message"]
    assert job["best"] is None


def test_linear_regression_gives_the_published_figures(service: Service, jobs: Jobs) -> None:
    job = service.wait(jobs.linear)
    assert job["state"] == "succeeded"
    metrics = job["best"]["metrics"]
    assert round(metrics["train_rmse"], 3) == 0.111
    assert round(metrics["test_rmse"], 3) == 0.238
    curve = service.get(f"{job['id']}/trials/0/curve")
    lowest = min(curve["test_rmse"])
    assert round(lowest, 3) == 0.195
    assert abs(curve["epoch"][curve["test_rmse"].index(lowest)] - 71) <= 2


def test_users_data_are_trained_on_also_after_their_name_was_removed(
    service: Service, jobs: Jobs
) -> None:
    job = service.wait(jobs.flats)
    assert job["state"] == "succeeded"
    assert [trial["state"] for trial in service.trials(jobs.flats)] == ["succeeded"] * 2
    assert 1_000 < job["best"]["metrics"]["validation_rmse"] < 100_000
    report = service.http.get(f"/api/v1/jobs/{jobs.flats}/report?format=md")
    assert job["spec"]["data"]["digest"] in report.text


def test_the_perceptron_gives_the_published_figures(service: Service, jobs: Jobs) -> None:
    job = service.wait(jobs.perceptron)
    assert job["best"]["metrics"]["validation_accuracy"] == 0.7126
    assert job["best"]["metrics"]["test_accuracy"] == 0.7013


def test_the_same_seed_gives_the_same_curve_also_beside_another_trial(
    service: Service, jobs: Jobs
) -> None:
    curves = {}
    for job_id in (jobs.alone, jobs.beside):
        assert service.wait(job_id)["state"] == "succeeded"
        curves[job_id] = service.get(f"{job_id}/curves")["items"]
    assert curves[jobs.alone] == curves[jobs.beside][:1]


def test_lists_conditions_and_names_with_dots_reach_the_trials(
    service: Service, jobs: Jobs
) -> None:
    grid = service.wait(jobs.lists)
    assert grid["best"]["parameters"] == {"x": 2.0, "model.sizes": [64, 64]}
    sampled = service.wait(jobs.sampled)
    assert (grid["state"], sampled["state"]) == ("succeeded", "succeeded")
    for job in (grid, sampled):
        for trial in service.trials(job["id"]):
            parameters = trial["parameters"]
            assert ("model.sizes" in parameters) == (parameters["x"] == 2)
            if trial["state"] == "succeeded":
                score = parameters["x"] + sum(parameters.get("model.sizes", []))
                assert trial["metrics"]["score"] == score


def test_a_sampler_searches_beside_trials_that_fail(service: Service, jobs: Jobs) -> None:
    job = service.wait(jobs.sampled)
    trials = service.trials(jobs.sampled)
    assert len(trials) == 6
    states = [trial["state"] for trial in trials]
    failing = [trial["parameters"]["second_epoch"] == "diverge" for trial in trials]
    assert states == ["failed" if fails else "succeeded" for fails in failing]
    good = [trial["metrics"]["score"] for trial in trials if trial["state"] == "succeeded"]
    assert job["best"]["value"] == max(good)


def test_each_trial_of_a_users_trainable_has_a_process_of_its_own(service: Service) -> None:
    """No state leaks from one trial to the next."""
    space = steps(epochs=2, x={"values": [float(n) for n in range(4)]}, second_epoch="pid")
    job_id = service.submit(space, max_concurrent_trials=2)
    assert service.wait(job_id)["state"] == "succeeded"
    pids = [trial["metrics"]["score"] for trial in service.trials(job_id)]
    assert len(set(pids)) == len(pids) == 4


def test_one_of_two_jobs_is_cancelled(service: Service) -> None:
    doomed = service.submit(steps(epochs=1000, x={"values": [1.0, 2.0]}, pause_s=0.2))
    service.wait_for_epochs(doomed, 2)
    other = service.submit("q2_linear_regression")
    driver = service.recorded_driver(doomed)
    assert processes.trial_processes(driver)
    service.ask(doomed, "cancel")
    job = service.wait(doomed)
    assert job["state"] == "cancelled"
    assert not processes.trial_processes(driver), "it is called so once they have gone"
    assert {trial["state"] for trial in service.trials(doomed)} == {"cancelled"}
    assert service.wait(other)["state"] == "succeeded"


@pytest.mark.long
def test_a_trial_that_fits_no_node_fails_its_job(service: Service) -> None:
    """After 30 s, in which a node might come."""
    job = service.wait(service.submit(steps(), resources_per_trial={"cpu": 1000}))
    assert job["state"] == "failed"
    assert job["error"]["kind"] == "infeasible"
    assert "1000 CPU" in job["error"]["message"]


def test_a_search_by_asha_promotes_the_best_and_confirms_its_winner(
    service: Service, jobs: Jobs
) -> None:
    job = service.wait(jobs.halving)
    assert job["state"] == "succeeded"
    trials = service.trials(jobs.halving)
    assert len(trials) == job["progress"]["trials"]
    searched = [trial for trial in trials if trial["purpose"] == "search"]
    confirming = [trial for trial in trials if trial["purpose"] == "confirm"]
    assert {trial["number"] for trial in searched} == set(range(9))
    epochs = [trial["epochs"] for trial in searched]
    assert set(epochs) == {1, 3, 9}, "the rungs; a trial goes on from its checkpoint"
    states = {trial["epochs"]: trial["state"] for trial in searched}
    assert states == {1: "stopped", 3: "stopped", 9: "succeeded"}
    by_first = sorted(searched, key=lambda t: service.get(f"{job['id']}/trials/{t['number']}/curve")
                      ["train_rmse"][0])  # fmt: skip
    assert by_first[0]["epochs"] > 1, "the best of all at the first rung was promoted"
    assert job["best"]["trial"] in [t["number"] for t in searched if t["epochs"] == 9]
    assert {trial["seed"] for trial in confirming} <= {43, 44, 45}
    assert all(trial["epochs"] == 9 for trial in confirming)
