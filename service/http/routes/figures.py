"""Routes for what a browser draws: a job's interactive figures, and jobs side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from search_spaces import Problem
from service.errors import InvalidRequest
from service.http.dependencies import MAX_JOB_ID, DrawingsDep, JobId, Name
from service.http.openapi import PROBLEMS
from service.http.views import comparison_view
from service.schemas import ComparisonView, FigureList, PlotlyView

router = APIRouter(prefix="/api/v1", tags=["results"], responses=PROBLEMS)

FEWEST_COMPARED, MOST_COMPARED = 2, 8
_MOST_NAMES = 16
_JOBS = Query(description="two to eight ids, with commas between them", max_length=1000)
_PARAMETERS = Query(description="the parameters to show, for figures of parameters",
                    max_length=_MOST_NAMES)  # fmt: skip


@router.get("/jobs/{job_id}/figures")
def list_figures(job_id: JobId, drawings: DrawingsDep) -> FigureList:
    """List the interactive figures: those that the job has now, and why it has no others."""
    return FigureList.model_validate({"items": drawings.figures(job_id)})


@router.get("/jobs/{job_id}/figures/{name}", response_model=PlotlyView)
def figure(
    job_id: JobId,
    name: Name,
    drawings: DrawingsDep,
    parameter: Annotated[list[str] | None, _PARAMETERS] = None,
) -> Response:
    """Return one figure as plotly's JSON; each point's `customdata` is the number of its trial."""
    drawn = drawings.figure(job_id, name, parameter or ())
    return Response(drawn, media_type="application/json")


@router.get("/compare")
def compare(jobs: Annotated[str, _JOBS], drawings: DrawingsDep) -> ComparisonView:
    """Return two to eight jobs side by side: how they went, what they found, how they differ."""
    ids = list(dict.fromkeys(filter(None, jobs.split(","))))
    if not FEWEST_COMPARED <= len(ids) <= MOST_COMPARED:
        detail = f"{len(ids)} different jobs are named; two to eight can be compared"
        hint = "give their ids with commas between them: ?jobs=A,B"
        raise InvalidRequest([Problem("/query/jobs", detail, "bad_jobs", hint)])
    if any(len(one) > MAX_JOB_ID for one in ids):
        detail = f"an id has at most {MAX_JOB_ID} characters"
        raise InvalidRequest([Problem("/query/jobs", detail, "bad_jobs", "GET /api/v1/jobs")])
    return comparison_view(drawings.compared(ids))
