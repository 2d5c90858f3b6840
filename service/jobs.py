"""Accepts, edits, extends, confirms and deletes jobs.

A job is accepted whether or not Ray is there: it is queued in the database, and runs when a
controller and a cluster can take it. Only the database and the disk can refuse it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace

import search_spaces
from results.errors import JobNotFound
from results.formatting import count
from results.records import Extended, JobRecord, NewTrial
from results.storage import Storage, StorageError
from results.store import Store
from search_spaces import (
    Budget,
    Code,
    Confirm,
    Library,
    Problem,
    SearchSpace,
    SearchSpaceError,
    without_winner,
)
from service.disk import disk_problem
from service.errors import InvalidRequest, Unavailable
from service.job_request import ConfirmRequest, EditRequest, ExtendRequest, JobRequest
from service.log_lines import log_state
from service.permit import Permit
from service.planning import Plan, Planner
from service.settings import Settings

logger = logging.getLogger(__name__)


class Jobs:
    """Turns requests into jobs of the store, edits, extends, confirms and deletes them."""

    def __init__(
        self, store: Store, library: Library, settings: Settings, permit: Permit | None = None
    ) -> None:
        self._store, self._settings = store, settings
        self._permit = permit or Permit.of_operator(settings)
        self._planner = Planner(store, library, settings, self._permit)
        self._storage = Storage(settings.storage_uri)

    def plan(self, request: JobRequest) -> Plan:
        """Return the complete job that ``request`` means.

        Raises :class:`InvalidRequest`, and :class:`NotAllowed` for a program that the client may
        not run.
        """
        return self._planner.plan(request)

    def submit(self, request: JobRequest, *, idempotency_key: str | None = None) -> JobRecord:
        """Accept a job; it is on disk when this returns, and queued until Ray can take it.

        With an ``idempotency_key`` seen before, return the job made then, whatever has become of
        the disk, the search space or this version since. Raises what :meth:`plan` raises,
        :class:`results.errors.IdempotencyClash` if the key came with another request, and
        :class:`Unavailable` if the disk is full.
        """
        digest = _digest(request)
        if idempotency_key is not None:
            made = self._store.job_of_key(idempotency_key, digest)
            if made is not None:
                return made
        plan = self.plan(request)
        full = disk_problem(self._settings)
        if full:
            raise Unavailable(full, retry_after_s=60)
        job = self._store.create_job(
            plan.spec,
            fingerprint=plan.fingerprint,
            trials=_listed_trials(plan),
            idempotency_key=idempotency_key,
            request_digest=digest,
            priority=request.priority,
        )
        log_state(logger, job.id, job.state)
        return job

    def extend(self, job_id: str, request: ExtendRequest) -> Extended:
        """Let a finished job go on to more trials or epochs; it is queued again.

        The request names totals, so a repeated one changes nothing; a cancelled job may go on to
        those that it has. Raises :class:`InvalidRequest`
        for totals that the job cannot have, :class:`results.errors.IllegalMove` for a job in
        another state, and :class:`Unavailable` if the disk is full.
        """
        job = self._store.job(job_id)
        _check_extendable(job.spec.space)
        trials, epochs = request.trials, request.epochs
        if trials is None and epochs is None:
            hint = f'for example "epochs": {2 * job.spec.space.epochs}'
            raise InvalidRequest([Problem("", "names neither trials nor epochs", "missing", hint)])
        if epochs is not None and job.spec.space.may_end_early:
            detail = "its program ends trials by itself, before the last epoch"
            hint = "submit the search again with more epochs, or leave epochs out"
            raise InvalidRequest([Problem("/epochs", detail, Code.NOT_APPLICABLE, hint)])
        if job.state.is_finished:
            # Before the space is: a smaller total may not go together with its other members.
            _check_larger(request, job)
        try:
            asked = job.spec.space.with_overrides(None, None, epochs, trials)
            asked = replace(asked, budget=Budget())  # the new totals stand for it
            checked = self._planner.checked(asked, job.spec.data, overridden=("/trials", "/epochs"))
        except SearchSpaceError as error:
            raise InvalidRequest(error.problems) from error
        full = disk_problem(self._settings)
        if full:
            raise Unavailable(full, retry_after_s=60)
        space = checked.space
        spec = replace(job.spec, space=space, trials=search_spaces.count(space) * space.repeats)
        extended = self._store.extend_job(
            job.id,
            trials=None if trials is None else spec.trials,
            epochs=epochs,
            fingerprint=spec.fingerprint(checked.schema),
        )
        log_state(logger, job.id, extended.job.state)
        return extended

    def confirm(self, job_id: str, request: ConfirmRequest) -> JobRecord:
        """Let a finished job run its best configurations again with further seeds; it is queued.

        A repeated request changes nothing while the job runs. Raises :class:`InvalidRequest` for a
        search that cannot be confirmed, and otherwise as :meth:`extend`.
        """
        job = self._store.job(job_id)
        _check_confirmable(job.spec.space)
        try:
            asked = job.spec.space.with_overrides(search={"confirm": request.model_dump()})
            checked = self._planner.checked(asked, job.spec.data, overridden=("/confirm",))
        except SearchSpaceError as error:
            raise InvalidRequest([replace(p, pointer="") for p in error.problems]) from error
        full = disk_problem(self._settings)
        if full:
            raise Unavailable(full, retry_after_s=60)
        confirmed = self._store.confirm_job(
            job.id,
            Confirm(request.top, request.seeds),
            fingerprint=replace(job.spec, space=checked.space).fingerprint(checked.schema),
        )
        log_state(logger, job.id, confirmed.state)
        return confirmed

    def edit(self, job_id: str, request: EditRequest) -> JobRecord:
        """Change a job's place in the queue, its priority, its tags or its notes.

        Idempotent. Raises :class:`InvalidRequest` for a request that changes nothing or names an
        unknown job to run before, and :class:`results.errors.IllegalMove` where the job's state
        does not allow it.
        """
        if not request.model_fields_set:
            hint = 'for example "notes": "the first try with augmentation"'
            raise InvalidRequest([Problem("", "names nothing to change", "missing", hint)])
        if request.before is not None:
            self._store.job(job_id)
            try:
                self._store.queue_before(job_id, request.before or None)
            except JobNotFound as error:
                hint = "GET /api/v1/jobs?state=queued&sort=queue lists the queue"
                raise InvalidRequest(
                    [Problem("/before", str(error), "unknown_job", hint)]
                ) from error
        return self._store.edit_job(
            job_id, priority=request.priority, tags=request.tags, notes=request.notes
        )

    def resume(self, job_id: str) -> JobRecord:
        """Let a paused job go on; raise :class:`NotAllowed` where its program may not be run."""
        self._permit.check_space(self._store.job(job_id).spec.space)
        return _moved(self._store.resume_job(job_id))

    def retry_failed(self, job_id: str) -> JobRecord:
        """Run the failed trials of a finished job again. Raises as :meth:`resume`."""
        self._permit.check_space(self._store.job(job_id).spec.space)
        return _moved(self._store.retry_failed(job_id))

    def delete(self, job_id: str) -> None:
        """Delete a finished job, its trials, reports, log, checkpoints and models.

        Files that cannot be deleted now are logged. Those in the storage are deleted later, by a
        controller's sweep.
        """
        job = self._store.job(job_id)
        self._store.delete_job(job.id)
        log_state(logger, job.id, "deleted")
        try:
            self._settings.log_file(job.id).unlink(missing_ok=True)
            if (folder := self._settings.trial_logs_dir(job.id)).exists():
                shutil.rmtree(folder)
        except OSError as error:
            # The job is deleted all the same, and a second request would not find it.
            logger.warning("logs of job %s are left behind: %s", job.id, error)
        try:
            self._storage.delete_folder(f"jobs/{job.id}")
        except StorageError as error:
            logger.warning("job %s: files in the storage are deleted later: %s", job.id, error)


def _moved(job: JobRecord) -> JobRecord:
    log_state(logger, job.id, job.state)
    return job


def _listed_trials(plan: Plan) -> list[NewTrial]:
    """Return the trials of a strategy that lists them: each configuration with all its seeds."""
    seed, repeats = plan.spec.seed, plan.spec.space.repeats
    return [
        NewTrial(first + again, parameters, (seed + again) % 2**32, configuration=first)
        for index, parameters in enumerate(plan.configurations or [])
        for first in (index * repeats,)
        for again in range(repeats)
    ]


def _check_extendable(space: SearchSpace) -> None:
    """Refuse a population: its trials are copies of each other, and none of them goes on alone."""
    if space.scheduler.is_population:
        name = space.scheduler.name
        detail = f"{name} trains its trials side by side: they cannot go on after their end"
        hint = "submit the search again with more epochs or a larger population"
        raise InvalidRequest([Problem("", detail, Code.NOT_APPLICABLE, hint)])


def _check_confirmable(space: SearchSpace) -> None:
    """Refuse what has no winner to run again, with what can be done about an existing job."""
    for reason in without_winner(space):
        raise InvalidRequest([Problem("", reason.detail, Code.NOT_APPLICABLE, reason.afterwards)])


def _check_larger(request: ExtendRequest, job: JobRecord) -> None:
    """Refuse totals that are not larger than the finished job's; equal ones where it lacks some."""
    space = job.spec.space
    problems: list[Problem] = []
    if request.trials is not None and space.trials is not None:
        problems += _trials_problems(request.trials, space.trials, job)
    least = space.epochs + (not job.lacks("epochs"))
    if request.epochs is not None and request.epochs < least:
        problems.append(_too_small("epochs", space.epochs, least))
    if problems:
        raise InvalidRequest(problems)


def _trials_problems(asked: int, now: int, job: JobRecord) -> Iterator[Problem]:
    """Yield why a search of ``now`` trials is not extended to ``asked``."""
    distinct = search_spaces.count_distinct(job.spec.space)
    has_all, lacks = distinct is not None and distinct <= now, job.lacks("trials")
    if has_all and (asked > now or not lacks):
        detail = f"there are only {count(distinct or 0, 'different configuration')}"
        hint = "leave trials out, or submit a search over more values"
        if lacks:
            hint = f"give {now}, the total that the job has: it runs what it has not run"
        else:
            detail += ": all have run"
        yield Problem("/trials", detail, Code.TOO_MANY_TRIALS, hint)
    elif asked < now + (not lacks):
        yield _too_small("trials", now, now + (not lacks))


def _too_small(name: str, now: int, least: int) -> Problem:
    detail = f"the job has {count(now, name.removesuffix('s'))} already"
    hint = f"give the new total, at least {least}, or leave {name} out"
    return Problem(f"/{name}", detail, Code.OUT_OF_RANGE, hint)


def _digest(request: JobRequest) -> str:
    """Return a digest of what the client sent; another version may have other defaults."""
    sent = request.model_dump(exclude_unset=True)
    canonical = json.dumps(sent, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
