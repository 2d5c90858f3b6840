"""Routes of one trial: what happened to it, and the request that runs it again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from results.errors import IllegalMove
from results.lineage import AGAIN, why_not_again
from service.again import request_of_trial
from service.http.dependencies import JobId, StoreDep, TrialNumber
from service.http.openapi import PROBLEMS
from service.schemas import HistoryView

router = APIRouter(
    prefix="/api/v1/jobs/{job_id}/trials/{number}", tags=["jobs"], responses=PROBLEMS
)


@router.get("/history")
def trial_history(job_id: JobId, number: TrialNumber, store: StoreDep) -> HistoryView:
    """List the changes of a trial, oldest first: its attempts and segments, as far as kept."""
    last = store.last_event()  # before the changes: they hold it for sure
    store.trial(job_id, number)
    events = store.events(job_id=job_id, trial=number)
    return HistoryView.model_validate({"items": events, "last": last})


@router.get("/request")
def request_again(job_id: JobId, number: TrialNumber, store: StoreDep) -> dict[str, Any]:
    """Show the body of `POST /jobs` that runs this trial again, as `argbest reproduce` does.

    409 for a trial that went on from another one's state: it is part of a schedule.
    """
    trial, job = store.trial(job_id, number), store.job(job_id)
    if trial.parent is not None:
        reason = why_not_again(number, trial.parent, trial.start_epoch)
        raise IllegalMove(reason, hint=AGAIN)
    return request_of_trial(
        job.id, job.name, job.spec,
        number=number, parameters=trial.parameters, seed=trial.seed,
    )  # fmt: skip
