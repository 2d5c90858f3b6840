"""A job's life over the store: planned, accepted, looked at, paused, cancelled, deleted.

A job is accepted whether or not Ray is there: it is queued in the database, and runs when a
controller and a cluster can take it. Only the database and the disk can refuse it (503).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import search_spaces
from results.records import Curve, JobRecord, NewTrial, Page, TrialRecord
from results.spec import JobSpec
from results.states import JobState
from results.store import Store
from search_spaces import Library, SearchSpace, SearchSpaceError
from service import logs
from service.disk import disk_problem
from service.http.problems import FieldError, ProblemError, invalid, pointer, unavailable
from service.job_request import JobRequest
from service.log_lines import log_state
from service.settings import Settings
from service.version import version
from trainables import registry
from trainables.contract import UnknownTrainable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would run: its complete specification and, unless sampled, each trial."""

    spec: JobSpec
    schema: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """The digest that is equal for jobs that compute the same."""
        return self.spec.fingerprint(self.schema)

    def configurations(self) -> list[dict[str, Any]] | None:
        """Return the configurations in order, or None where a sampler suggests them."""
        space = self.spec.space
        return None if space.is_sampled else list(search_spaces.configurations(space))

    def sampling(self) -> dict[str, Any] | None:
        """Return how configurations are sampled, or None where they are listed."""
        space = self.spec.space
        if not space.is_sampled:
            return None
        return {"sampler": space.strategy, "seed": self.spec.seed, "trials": self.spec.trials}


class Jobs:
    """Everything the API does with jobs; holds no state but the store's."""

    def __init__(self, store: Store, library: Library, settings: Settings) -> None:
        self._store, self._library, self._settings = store, library, settings

    def plan(self, request: JobRequest) -> Plan:
        """Return the complete job that ``request`` means, or raise a 404 or 422 problem."""
        space = self._space(request)
        _check_device(request, space)
        spec = JobSpec(
            name=request.name or space.name,
            space=space,
            trials=search_spaces.count(space),
            seed=request.seed,
            max_concurrent_trials=request.max_concurrent_trials,
            cpu=request.resources_per_trial.cpu,
            gpu=request.resources_per_trial.gpu,
            time_limit_s=request.time_limit_s,
            max_failures=request.max_failures,
            tags=request.tags,
            version=version(),
        )
        return Plan(spec, registry.get(space.trainable).schema())

    def _space(self, request: JobRequest) -> SearchSpace:
        """Return the space with the request's overrides, checked against its trainable.

        Each problem's pointer is into the request: under ``/search_space`` for what an inline
        space declares, at the root for an override.
        """
        inline = isinstance(request.search_space, dict)
        try:
            if isinstance(request.search_space, str):
                space = self._library.get(request.search_space, pointer="/search_space")
            else:
                space = SearchSpace.from_json(request.search_space, pointer="/search_space")
            space = space.with_overrides(
                request.parameters, request.strategy, request.epochs, request.trials
            )
            root = "/search_space" if inline else ""
            trainable = _trainable(space, root)
            space = search_spaces.with_floats(space, trainable.schema())
            self._check(space, trainable, root, _overridden(request))
        except SearchSpaceError as error:
            raise invalid(
                [FieldError(p.pointer, p.detail, p.code, p.hint) for p in error.problems]
            ) from error
        return space

    def _check(
        self,
        space: SearchSpace,
        trainable: registry.Trainable,
        root: str,
        overridden: Sequence[str],
    ) -> None:
        search_spaces.check(
            space,
            schema=trainable.schema(),
            metrics={metric.name: metric.split for metric in trainable.metrics},
            datasets=trainable.datasets,
            max_trials=self._settings.max_trials,
            pointer=root,
            overridden=overridden,
        )

    def submit(self, request: JobRequest, *, idempotency_key: str | None = None) -> JobRecord:
        """Accept a job; it is on disk when this returns, and queued until Ray can take it.

        With an ``idempotency_key`` seen before, return the job made then, whatever has become of
        the disk, the search space or this version since; raise
        :class:`results.errors.IdempotencyClash` if it was another request.
        """
        digest = _digest(request)
        if idempotency_key is not None:
            made = self._store.job_of_key(idempotency_key, digest)
            if made is not None:
                return made
        plan = self.plan(request)
        full = disk_problem(self._settings)
        if full:
            raise unavailable(full, retry_after_s=60)
        listed = plan.configurations() or []
        job = self._store.create_job(
            plan.spec,
            fingerprint=plan.fingerprint,
            trials=[NewTrial(n, config, plan.spec.seed) for n, config in enumerate(listed)],
            idempotency_key=idempotency_key,
            request_digest=digest,
        )
        return _logged(job)

    def job(self, job_id: str) -> JobRecord:
        """Return the job; raise :class:`results.errors.JobNotFound`."""
        return self._store.job(job_id)

    def list(
        self,
        *,
        state: JobState | None,
        fingerprint: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Return a page of jobs, newest first."""
        return self._store.jobs(state=state, fingerprint=fingerprint, cursor=cursor, limit=limit)

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials by number."""
        return self._store.trials(job_id)

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """Return one trial."""
        return self._store.trial(job_id, number)

    def curve(self, job_id: str, number: int) -> Curve:
        """Return one trial's curve."""
        return self._store.curve(job_id, number)

    def curves(self, job_id: str) -> Iterator[Curve]:
        """Return the curves of all trials that have reported, read as they are asked for."""
        return self._store.curves(job_id)

    def best(self, job_id: str) -> JobRecord:
        """Return the job if it has a best trial; raise a 409 problem while it has none."""
        job = self._store.job(job_id)
        if job.best is None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                f"job {job.id} ({job.state}) has no best configuration: no trial has succeeded",
                hint="wait for a trial to succeed, or look at GET .../trials for their errors",
            )
        return job

    def cancel(self, job_id: str) -> JobRecord:
        """Cancel a queued job, or ask for a running one to be ended."""
        return _logged(self._store.request_cancel(job_id))

    def pause(self, job_id: str) -> JobRecord:
        """Pause a queued job, or let a running one start no more trials."""
        return _logged(self._store.request_pause(job_id))

    def resume(self, job_id: str) -> JobRecord:
        """Let a paused job go on."""
        return _logged(self._store.resume_job(job_id))

    def retry_failed(self, job_id: str) -> JobRecord:
        """Run the failed trials of a finished job again."""
        return _logged(self._store.retry_failed(job_id))

    def delete(self, job_id: str) -> None:
        """Delete a finished job, its trials, reports and log."""
        job = self._store.job(job_id)
        self._store.delete_job(job.id)
        log_state(logger, job.id, "deleted")
        try:
            self._settings.log_file(job.id).unlink(missing_ok=True)
        except OSError as error:
            # The job is gone all the same, and asking again would find none.
            logger.warning("the log of job %s is left behind: %s", job.id, error)

    def log_tail(self, job_id: str, lines: int) -> str:
        """Return the last lines of the job's log ("" before its driver has started).

        Raises a 503 problem where the file cannot be read.
        """
        path = self._settings.log_file(self._store.job(job_id).id)
        try:
            return logs.tail(path, lines)
        except OSError as error:
            raise unavailable(f"the log {path} cannot be read: {error.strerror}") from error


def _digest(request: JobRequest) -> str:
    """Return a digest of what the client sent: a default that it left out may change meanwhile."""
    sent = request.model_dump(exclude_unset=True)
    canonical = json.dumps(sent, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _logged(job: JobRecord) -> JobRecord:
    log_state(logger, job.id, job.state)
    return job


def _overridden(request: JobRequest) -> list[str]:
    """Return the pointers of what the request says over its search space."""
    given = [pointer(name) for name in ("strategy", "trials") if getattr(request, name) is not None]
    return [*given, *(pointer("parameters", name) for name in request.parameters)]


def _check_device(request: JobRequest, space: SearchSpace) -> None:
    """Refuse a search with trials on a GPU that they are not given: these could never train."""
    device = space.parameters.get("device")
    if device is None or request.resources_per_trial.gpu > 0:
        return
    if device.default == "cuda" if space.is_single else "cuda" in device:
        inline = isinstance(request.search_space, dict) and "device" not in request.parameters
        place = ("search_space",) if inline else ()
        hint = "give each trial a GPU: resources_per_trial.gpu (--gpus); or leave device out"
        detail = "device is cuda, and resources_per_trial.gpu is 0"
        where = pointer(*place, "parameters", "device")
        raise invalid([FieldError(where, detail, "not_applicable", hint)])


def _trainable(space: SearchSpace, root: str) -> registry.Trainable:
    try:
        return registry.get(space.trainable)
    except UnknownTrainable as error:
        hint = "GET /api/v1/trainables lists them"
        field = FieldError(f"{root}/trainable", str(error), "unknown_trainable", hint)
        raise invalid([field]) from error
