"""The tool that makes our own table of a finished grid, with a service that answers from memory."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.searches.grid import METRIC, read
from results.spec import JobSpec
from results.store import open_store
from search_spaces import Library, SearchSpace
from search_spaces import configurations as listed
from service.job_request import JobRequest
from service.jobs import Jobs
from service.schemas import CurveView, JobView, PlanView, TrialView
from service.settings import Settings
from tests.service.client import fakes
from tools.grid_table import NoTable, further, table

SPACE = SearchSpace.from_json({
    "name": "small_grid", "trainable": "torch_feedforward", "dataset": "fashion_mnist",
    "epochs": 3, "metric": METRIC, "mode": "max", "strategy": "grid",
    "parameters": {
        "learning_rate": {"values": [0.01, 0.1]}, "optimizer": {"values": ["sgd", "adam"]},
        "batch_size": 1,
    },
})  # fmt: skip


def accuracy(parameters: Any, seed: int, epoch: int) -> float:
    """Small rates and sgd are best; seeds differ by a thousandth."""
    bonus = 0.2 * (parameters["learning_rate"] < 0.1) + 0.1 * (parameters["optimizer"] == "sgd")
    return float(0.1 * epoch + bonus + 0.001 * (seed - 42))


class Service:
    """A client of a service that has run the grid, and at once runs what is submitted."""

    def __init__(self) -> None:
        spec = JobSpec(name="small_grid", space=SPACE, trials=4, seed=42)
        self.ran: dict[str, list[tuple[Any, int]]] = {"grid": [(c, 42) for c in listed(SPACE)]}
        self.specs: dict[str, Any] = {"grid": spec.to_json()}
        self.bodies: list[Any] = []

    def job(self, job_id: str) -> JobView:
        changes = {"id": job_id, "spec": json.loads(json.dumps(self.specs[job_id]))}
        return JobView.model_validate({**fakes.job("succeeded"), **changes})

    def plan(self, body: Any) -> PlanView:
        return PlanView.model_validate(
            {"spec": {}, "fingerprint": json.dumps(body), "trials": 0, "configurations": None,
             "sampling": None}
        )  # fmt: skip

    def jobs(self, *, fingerprint: str, state: str, limit: int) -> Any:
        there = [self.job("more")] if state == "succeeded" and "more" in self.specs else []
        return type("Page", (), {"items": there})

    def submit(self, body: Any) -> JobView:
        self.bodies.append(body)
        self.specs["more"] = {**self.specs["grid"], "seed": body["seed"]}
        space = SearchSpace.from_json(body["search_space"])
        seeds = range(body["seed"], body["seed"] + space.repeats)
        self.ran["more"] = [(dict(c), seed) for c in space.enqueue for seed in seeds]
        return self.job("more")

    def wait(self, job_id: str) -> JobView:
        return self.job(job_id)

    def trials(self, job_id: str) -> list[TrialView]:
        return [
            TrialView.model_validate(
                {**fakes.trial(number), "state": "succeeded", "parameters": parameters,
                 "seed": seed}
            )
            for number, (parameters, seed) in enumerate(self.ran[job_id])
        ]  # fmt: skip

    def curves(self, job_id: str) -> list[CurveView]:
        return [
            CurveView.model_validate(
                {"trial": number, "epoch": [1, 2, 3], "odd": [None, 1.0, 1.0],
                 METRIC: [accuracy(parameters, seed, epoch) for epoch in (1, 2, 3)]}
            )
            for number, (parameters, seed) in enumerate(self.ran[job_id])
        ]  # fmt: skip


def test_the_best_run_again_with_further_seeds_once() -> None:
    service: Any = Service()
    content = table(service, "grid", top=2, seeds=3)
    found = read(content)
    assert len(found) == 4 + 2 * 2
    assert [(dict(one.parameters), one.seed) for one in found[4:]] == [
        ({"learning_rate": 0.01, "optimizer": optimizer, "batch_size": 1}, seed)
        for optimizer in ("sgd", "adam")
        for seed in (43, 44)
    ]
    assert found[0].metrics == {METRIC: [accuracy(found[0].parameters, 42, e) for e in (1, 2, 3)]}
    assert table(service, "grid", top=2, seeds=3) == content
    assert len(service.bodies) == 1


def test_the_service_accepts_the_second_job(tmp_path: Path) -> None:
    service = Service()
    best = [dict(one) for one, _ in service.ran["grid"][:3]]
    body = further(service.job("grid"), best, seeds=4)
    settings = Settings(data_dir=tmp_path, ray_address="127.0.0.1:1")
    store = open_store(settings.store_url)
    store.migrate()
    plan = Jobs(store, Library(), settings).plan(JobRequest.model_validate(body))
    store.close()
    assert plan.trials == 3 * 4
    assert [dict(one) for one in plan.spec.space.enqueue] == best
    assert (plan.spec.seed, plan.spec.space.repeats) == (43, 4)


@pytest.mark.parametrize("reported", [0, 2])
def test_a_training_that_diverged_has_no_value_for_what_it_did_not_report(reported: int) -> None:
    error = {"kind": "diverged", "message": "loss was nan", "traceback": None}

    class Diverged(Service):
        def trials(self, job_id: str) -> list[TrialView]:
            first, *others = super().trials(job_id)
            if job_id != "grid":
                return [first, *others]
            failed = {**first.model_dump(), "state": "failed", "error": error}
            return [TrialView.model_validate(failed), *others]

        def curves(self, job_id: str) -> list[CurveView]:
            first, *others = super().curves(job_id)
            if job_id != "grid":
                return [first, *others]
            values = {"trial": 0, "epoch": [1, 2], METRIC: [0.9, 0.9]}
            return [*([CurveView.model_validate(values)] if reported else []), *others]

    service: Any = Diverged()
    found = read(table(service, "grid", top=2, seeds=3))
    assert len(found) == 4 + 2 * 2
    values = found[0].metrics[METRIC]
    assert values[:reported] == [0.9] * reported
    assert all(math.isnan(value) for value in values[reported:])
    assert found[0].parameters not in [one.parameters for one in found[4:]]


def test_a_job_with_a_trial_that_failed_makes_no_table() -> None:
    class Failed(Service):
        def trials(self, job_id: str) -> list[TrialView]:
            first, *others = super().trials(job_id)
            return [first.model_copy(update={"state": "failed"}), *others]

    service: Any = Failed()
    with pytest.raises(NoTable, match="job grid: trial 0 is failed"):
        table(service, "grid", top=2, seeds=3)
