"""Routes that make, list, show, move, extend, confirm and delete jobs, and show their trials."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from results import export
from results.ranking import rank
from results.records import JobRecord
from results.states import JobState
from search_spaces import defaults
from service.cost import estimate
from service.http.dependencies import (
    ConfirmDep,
    ExtendDep,
    IdempotencyKey,
    JobId,
    JobRequestDep,
    JobsDep,
    PriorityDep,
    StoreDep,
    TrialNumber,
    Views,
    ViewsDep,
)
from service.http.openapi import (
    CONFIRM_BODY,
    EXTEND_BODY,
    JOB_BODY,
    PRIORITY_BODY,
    PROBLEMS,
    media,
)
from service.http.views import json_list, trial_view
from service.log_lines import log_state
from service.schemas import (
    Curve,
    EstimateView,
    ExtendedView,
    JobList,
    JobView,
    PlanView,
    TrialList,
    TrialView,
)

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=PROBLEMS)

TableFormat = Annotated[str, Query(alias="format", pattern="^(json|csv)$")]


@router.post(
    "",
    status_code=202,
    response_model=JobView,
    openapi_extra=JOB_BODY,
    responses={200: {"model": PlanView, "description": "the plan, with ?dry_run=true"}},
)
def submit(
    body: JobRequestDep,
    jobs: JobsDep,
    store: StoreDep,
    views: ViewsDep,
    response: Response,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - a query parameter, named in the URL
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Accept a search; with `dry_run`, answer what it would run instead."""
    if dry_run:
        planned = jobs.plan(body)
        plan = PlanView.model_validate(planned)
        plan.estimate = EstimateView.model_validate(estimate(store, planned.spec))
        return Response(plan.model_dump_json(), media_type="application/json")
    job = jobs.submit(body, idempotency_key=idempotency_key)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return views.of(job)


@router.get("")
def list_jobs(
    store: StoreDep,
    views: ViewsDep,
    state: JobState | None = None,
    fingerprint: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobList:
    """List jobs, newest first, a page at a time."""
    page = store.jobs(state=state, fingerprint=fingerprint, cursor=cursor, limit=limit)
    return JobList(items=views.of_all(page.items), next_cursor=page.next_cursor)


@router.get("/{job_id}")
def show_job(job_id: JobId, store: StoreDep, views: ViewsDep) -> JobView:
    """Show one job."""
    return views.of(store.job(job_id))


@router.delete("/{job_id}", status_code=204)
def delete_job(job_id: JobId, jobs: JobsDep) -> None:
    """Delete a finished job with its trials, curves and log."""
    jobs.delete(job_id)


@router.post("/{job_id}/cancel", status_code=202)
def cancel_job(job_id: JobId, store: StoreDep, views: ViewsDep) -> JobView:
    """Cancel a job: its trial processes are ended; finished trials are kept."""
    return _moved(store.request_cancel(job_id), views)


@router.post("/{job_id}/pause", status_code=202)
def pause_job(job_id: JobId, store: StoreDep, views: ViewsDep) -> JobView:
    """Pause a job: its running trials end at their next checkpoint, until it is resumed."""
    return _moved(store.request_pause(job_id), views)


@router.post("/{job_id}/resume", status_code=202)
def resume_job(job_id: JobId, jobs: JobsDep, views: ViewsDep) -> JobView:
    """Resume a paused job: it goes back to the queue."""
    return views.of(jobs.resume(job_id))


@router.post("/{job_id}/retry-failed", status_code=202)
def retry_failed(job_id: JobId, jobs: JobsDep, views: ViewsDep) -> JobView:
    """Run the failed trials of a finished job again; succeeded ones are kept as they are."""
    return views.of(jobs.retry_failed(job_id))


@router.post("/{job_id}/extend", status_code=202, openapi_extra=EXTEND_BODY)
def extend_job(job_id: JobId, body: ExtendDep, jobs: JobsDep, views: ViewsDep) -> ExtendedView:
    """Let a finished job go on to more trials or epochs: the totals that it shall have."""
    extended = jobs.extend(job_id, body)
    shown = views.of(extended.job)
    return ExtendedView.model_validate({**dict(shown), "restarts": extended.restarts})


@router.post("/{job_id}/confirm", status_code=202, openapi_extra=CONFIRM_BODY)
def confirm_job(job_id: JobId, body: ConfirmDep, jobs: JobsDep, views: ViewsDep) -> JobView:
    """Run the best configurations of a finished job again with further seeds."""
    return views.of(jobs.confirm(job_id, body))


@router.post("/{job_id}/priority", status_code=202, openapi_extra=PRIORITY_BODY)
def set_priority(job_id: JobId, body: PriorityDep, store: StoreDep, views: ViewsDep) -> JobView:
    """Give a job another weight in the shares of the cluster."""
    return views.of(store.set_priority(job_id, body.priority))


def _moved(job: JobRecord, views: Views) -> JobView:
    log_state(logger, job.id, job.state)
    return views.of(job)


@router.get("/{job_id}/trials", response_model=TrialList, responses=media("the trials", "text/csv"))
def list_trials(job_id: JobId, store: StoreDep, table_format: TableFormat = "json") -> Response:
    """List all trials of a job, as JSON or CSV."""
    trials = store.trials(job_id)
    ranking = rank(trials, store.job(job_id).spec.space)
    if table_format == "csv":
        return Response(export.trials_csv(trials, ranking), media_type="text/csv")
    items = (trial_view(trial, ranking) for trial in trials)
    return Response("".join(json_list(items)), media_type="application/json")


@router.get("/{job_id}/trials/{number}")
def show_trial(job_id: JobId, number: TrialNumber, store: StoreDep) -> TrialView:
    """Show one trial."""
    view = trial_view(store.trial(job_id, number), with_usage=True)
    view.defaults = dict(defaults(store.job(job_id).spec.space))
    return view


@router.get(
    "/{job_id}/trials/{number}/curve",
    response_model=Curve,
    responses=media("the curve", "text/csv"),
)
def show_curve(
    job_id: JobId, number: TrialNumber, store: StoreDep, table_format: TableFormat = "json"
) -> Any:
    """Show a trial's learning curve: a list per metric, and the epochs."""
    curve = store.curve(job_id, number)
    if table_format == "csv":
        text = "".join(export.curves_csv([curve], [*curve.metrics]))
        return Response(text, media_type="text/csv")
    return {**curve.metrics, "epoch": curve.epochs}
