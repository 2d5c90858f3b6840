"""Routes that answer all trials of a job, and their curves, in few bytes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from results.ranking import rank
from search_spaces import MOST_EPOCHS, Code, Problem
from service.errors import InvalidRequest
from service.http.blocks import in_blocks
from service.http.columns import columns, points
from service.http.dependencies import JobId, StoreDep
from service.http.openapi import PROBLEMS, media
from service.schemas import ColumnsView

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"], responses=PROBLEMS)

POINTS = "application/octet-stream"
#: Trials whose new epochs one request may ask for.
MOST_KNOWN = 500
_LARGEST = 2**31 - 1
Metrics = Annotated[list[str], Query(alias="metric", min_length=1, max_length=50)]


@router.get("/columns", response_model=ColumnsView)
def trial_columns(job_id: JobId, store: StoreDep) -> Response:
    """Return all trials of a job as columns, for tables and plots of very many trials."""
    last = store.last_event()  # before the trials: they hold it for sure
    trials = store.trials(job_id)
    ranking = rank(trials, store.job(job_id).spec.space)
    text = columns(trials, ranking, last).model_dump_json()
    return Response(text, media_type="application/json")


@router.get("/points", response_class=Response, responses=media("the points", POINTS))
def curve_points(
    job_id: JobId,
    store: StoreDep,
    metric: Metrics,
    every: Annotated[int, Query(ge=1, le=MOST_EPOCHS)] = 1,
    known: Annotated[str | None, Query(max_length=16_384)] = None,
) -> Response:
    """Return the curves of all trials as numbers of four bytes, the least significant first.

    Of each trial its number, its first epoch and the number n of its points, as whole numbers; then
    n floats for each `metric`, NaN where there is no value. The epochs are `every` apart. With
    `known`, `7:40,8:0` say, only what trial 7 has reported after epoch 40, and all of trial 8.
    """
    if known is not None:
        new = store.curves_after(job_id, _known(known))
        return Response(b"".join(points(new, metric, 1)), media_type=POINTS)
    found = points(store.curves(job_id, every=every), metric, every)
    return StreamingResponse(in_blocks(found), media_type=POINTS)


def _known(text: str) -> dict[int, int]:
    """Return the last known epoch of each trial; raise :class:`InvalidRequest`."""
    pairs = [part.partition(":") for part in text.split(",")] if text else []
    numbers = [(trial, epoch) for trial, _, epoch in pairs]
    if not all(n.isdecimal() and n.isascii() for pair in numbers for n in pair):
        problem = "it must be pairs of a trial and an epoch"
    elif len(numbers) > MOST_KNOWN:
        problem = f"it has {len(numbers)} trials, more than {MOST_KNOWN}"
    else:
        found = {int(trial): int(epoch) for trial, epoch in numbers}
        if max((*found, *found.values()), default=0) <= _LARGEST:
            return found
        problem = f"no number may be above {_LARGEST}"
    hint = "write known=7:40,8:0 for trial 7 after epoch 40 and all of trial 8"
    raise InvalidRequest([Problem("/query/known", problem, Code.INVALID_VALUE, hint)])
