"""Routes that make, list, show, edit, move and delete jobs, and show their trials."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from results import export
from results.ranking import rank
from results.records import JobRecord
from results.states import JobState
from results.store import NEWEST_FIRST, SORTS
from search_spaces import Problem, defaults, unstorable
from search_spaces.yaml_files import dump_yaml
from service.again import request_of
from service.cost import estimate
from service.errors import InvalidRequest
from service.http.dependencies import (
    ConfirmDep,
    EditDep,
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
    EDIT_BODY,
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

States = Annotated[list[JobState], Query(max_length=20)]
Tags = Annotated[
    list[Annotated[str, Field(max_length=401)]],
    Query(max_length=20, description="a tag's name, or name=value"),
]
DryRun = Annotated[
    bool, Query(description="answer what the search would run, and run nothing of it")
]
# Clients of the released description may read the pattern, so it stays beside the names.
TableFormat = Annotated[
    Literal["json", "csv"],
    Query(alias="format", json_schema_extra={"pattern": "^(json|csv)$"}),
]
RequestFormat = Annotated[
    Literal["json", "yaml"],
    Query(alias="format", json_schema_extra={"pattern": "^(json|yaml)$"}),
]


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
    dry_run: DryRun = False,  # noqa: FBT002 - a query parameter, named in the URL
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
    state: States = [],  # noqa: B006 - FastAPI copies it
    tag: Tags = [],  # noqa: B006 - FastAPI copies it
    q: Annotated[str, Query(max_length=200, description="words that are looked for")] = "",
    sort: Annotated[str, Query(pattern=f"^-?({'|'.join(SORTS)})$")] = NEWEST_FIRST,
    history: bool = False,  # noqa: FBT001, FBT002 - a query parameter, named in the URL
    fingerprint: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobList:
    """List jobs, newest first, a page at a time.

    Only those in one of the states, with every `tag` (a name, or `name=value`) and every word of
    `q` in their name, notes, tags, search space or data set, or at the beginning of their id.
    `sort=queue` is the order in which queued jobs are taken. `history=true` adds each job's course
    of the best value.
    """
    page = store.jobs(
        state=state, words=_storable(q, "q"), tags=[_tag(one) for one in tag],
        sort=sort, fingerprint=fingerprint, cursor=cursor, limit=limit,
    )  # fmt: skip
    items = views.of_all(page.items, with_history=history)
    return JobList(items=items, next_cursor=page.next_cursor)


@router.get("/{job_id}")
def show_job(job_id: JobId, store: StoreDep, views: ViewsDep) -> JobView:
    """Show one job."""
    return views.of(store.job(job_id))


@router.get(
    "/{job_id}/request",
    response_model=dict[str, Any],
    responses=media("the request", "application/yaml"),
)
def show_request(
    job_id: JobId,
    store: StoreDep,
    text_format: RequestFormat = "json",
) -> Any:
    """Show the request that makes this job again, as JSON or YAML, to be changed and posted."""
    body = request_of(store.job(job_id))
    if text_format == "json":
        return body
    return Response(dump_yaml(body), media_type="application/yaml")


@router.patch("/{job_id}", openapi_extra=EDIT_BODY)
def edit_job(job_id: JobId, body: EditDep, jobs: JobsDep, views: ViewsDep) -> JobView:
    """Change a job's tags, notes or priority, or its place in the queue; what is left out stays."""
    return views.of(jobs.edit(job_id, body))


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


def _tag(text: str) -> tuple[str, str | None]:
    """Return the name and the value of a tag that is looked for, None for any value."""
    name, equals, value = _storable(text, "tag").partition("=")
    return name, value if equals else None


def _storable(text: str, name: str) -> str:
    """Return the value of a query parameter; refuse a character that no database holds."""
    if character := unstorable(text):
        detail = f"the text holds {character}"
        raise InvalidRequest([Problem(f"/query/{name}", detail, "bad_character", "leave it out")])
    return text


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
