"""Checks what a search is to learn from: jobs, and trials from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from results.errors import JobNotFound
from results.formatting import count
from results.store import Store
from search_spaces import Code, Problem, SearchSpace, SearchSpaceError, pointer_to
from service.search.history import History, convert, gather, of_job, of_space

#: So many reasons why trials do not fit are said.
_MOST_REASONS = 4


def read_warm_starts(store: Store, space: SearchSpace) -> History | None:
    """Return what ``warm_start`` and ``history`` tell a sampler of the space, None without both.

    Raises :class:`search_spaces.SearchSpaceError`, with pointers to the job's ids, for a job that
    there is not, that has not finished, or of which no trial fits the space; and at ``/history``
    where none of its trials fits.
    """
    if not space.warm_start and not space.history:
        return None
    problems = list(_problems(store, space))
    if problems:
        raise SearchSpaceError(problems)
    return gather(space, store.trials)


def _problems(store: Store, space: SearchSpace) -> Iterator[Problem]:
    for index, job_id in enumerate(space.warm_start):
        pointer = pointer_to("warm_start", index)
        try:
            job = store.job(job_id)
        except JobNotFound as error:
            yield Problem(pointer, str(error), Code.INVALID_VALUE, "list ids of finished jobs")
            continue
        if not job.state.is_finished:
            detail = f"job {job_id} is {job.state}"
            yield Problem(pointer, detail, Code.NOT_APPLICABLE, "wait until it has finished")
            continue
        found = convert(space, of_job(job_id, store.trials(job_id)))
        if not found.past:
            yield _unfit(pointer, f"job {job_id}", found)
    if space.history and not (found := convert(space, of_space(space))).past:
        yield _unfit("/history", "the history", found)


def _unfit(pointer: str, source: str, found: History) -> Problem:
    """Return the problem that nothing of a source fits; each reason says of how many trials."""
    reasons = [f"{left.reason} ({count(left.trials, 'trial')})" for left in found.left_out]
    more = len(reasons) - _MOST_REASONS
    said = [*reasons[:_MOST_REASONS], *([f"{count(more, 'more reason')}"] if more > 0 else [])]
    detail = f"no trial of {source} fits this space: {'; '.join(said) or 'it has no trials'}"
    hint = "leave it out, or declare the same parameters and metrics"
    return Problem(pointer, detail, Code.NOT_APPLICABLE, hint)
