"""Jobs and trials in one line."""

from __future__ import annotations

from typing import Any

from service.cli.summary import (
    best_facts,
    best_line,
    failure,
    job_facts,
    job_line,
    progress_line,
    trial_line,
    trials_text,
)
from service.schemas import BestDetailView, JobView, TrialView
from tests.service.client import fakes

ERROR = {"kind": "diverged", "message": "train_loss is NaN", "traceback": None}
BEST = {
    "trial": 2,
    "parameters": {"dropout": None},
    "metric": "rmse",
    "value": 0.125,
    "metrics": {},
}


def job(**changes: Any) -> JobView:
    progress = {"trials": 7, "finished": 3, "failed": 1, "running": 2}
    counted = fakes.job()["progress"] | progress | {"epochs_done": 60, "epochs_total": 140}
    return JobView.model_validate(fakes.job("running") | {"progress": counted} | changes)


def test_progress() -> None:
    assert progress_line(job()) == "3/7 trials (1 failed, 2 running), 60/140 epochs"
    assert progress_line(JobView.model_validate(fakes.job())) == "0/0 trials, 0/0 epochs"


def test_job_with_its_best_trial_and_its_error() -> None:
    found = job(state="failed", best=BEST, error=ERROR)
    assert job_line(found) == (
        "job j failed; 3/7 trials (1 failed, 2 running), 60/140 epochs; "
        "best rmse=0.1250 (trial 2); diverged: train_loss is NaN"
    )
    assert ("parameters", "dropout=null") in job_facts(found)


def test_the_trials_that_confirm_are_counted_apart() -> None:
    assert trials_text(job(spec={"trials": 3})) == "7 trials"
    asked = {"trials": 1, "repeats": 2, "confirm": {"top": 1}}
    assert trials_text(job(spec=asked)) == (
        "2 trials, then at most 5 to confirm the best with further seeds"
    )


def test_the_best_comes_with_the_verdict_of_its_confirmation() -> None:
    best = BEST | {"confirmation": {"verdict": "It wins."}}
    found = best_facts(BestDetailView.model_validate(best))
    assert found == [("trial", "2"), ("selected by", "rmse"), ("dropout", "null"),
                     ("winner", "It wins.")]  # fmt: skip


def test_a_job_that_has_succeeded_without_a_best_trial_says_so() -> None:
    limited = job(state="succeeded", spec={"constraints": [{"metric": "rmse", "at_most": 0.1}]})
    assert job_line(limited).endswith(", 60/140 epochs; no trial meets the constraints")
    assert ("best", "no trial meets the constraints") in job_facts(limited)
    assert "no configuration is ranked" in job_line(job(state="succeeded"))
    assert "constraints" not in job_line(job(state="succeeded", best=BEST, spec=limited.spec))


def test_what_a_job_does_not_have_is_left_out() -> None:
    assert (best_line(None), failure(None)) == ("-", "")
    assert job_line(job()) == "job j running; 3/7 trials (1 failed, 2 running), 60/140 epochs"
    labels = [label for label, _ in job_facts(job())]
    assert labels == ["id", "name", "state", "priority", "progress", "best", "created"]


def test_a_jobs_share_of_the_cluster_and_why_it_waits() -> None:
    found = dict(job_facts(job(slots=0, priority=4, waiting="for its turn: 3 jobs share 2 slots")))
    assert (found["slots"], found["priority"]) == ("0", "4")
    assert found["waits"] == "for its turn: 3 jobs share 2 slots"


def test_trial() -> None:
    changes = {"state": "failed", "epochs": 1, "seconds": 125.0, "error": ERROR}
    found = TrialView.model_validate(fakes.trial(3) | changes)
    assert trial_line(found) == (
        "trial 3 failed after 1 epoch, 2 min 05 s; diverged: train_loss is NaN"
    )
