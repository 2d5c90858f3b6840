"""Plans jobs: what a request means, checked against its search space and its trainable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any

import search_spaces
from results.spec import DataRef, JobSpec
from results.store import Store
from search_spaces import (
    SEARCH_KEYS,
    Code,
    Library,
    Problem,
    SearchSpace,
    SearchSpaceError,
    pointer_to,
)
from service.datasets import check_kind, find_data, names_taken, parts_lacking
from service.errors import InvalidRequest
from service.job_request import JobRequest
from service.permit import Permit
from service.search.auto import choose
from service.search.history import History
from service.settings import Settings
from service.version import version
from service.warm_starts import read_warm_starts
from trainables import registry
from trainables.contract import UnknownTrainable
from trainables.programs import ProgramTrainable, trainable_of
from trainables.registry import Trainable


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would run.

    ``configurations`` is None where a sampler draws them; ``distinct`` is the number of different
    ones that it can draw, None where they are endless. ``chosen`` says why ``auto`` chose the
    sampler and the scheduler that they have, "" where it had no choice. ``known`` is what the
    sampler learns of trials from elsewhere.
    """

    spec: JobSpec
    fingerprint: str
    configurations: list[dict[str, Any]] | None
    distinct: int | None
    chosen: str = ""
    known: History | None = None

    @property
    def history(self) -> dict[str, Any] | None:
        """What the sampler is told of trials from elsewhere, None where there are none."""
        if self.known is None:
            return None
        left_out = [asdict(left) for left in self.known.left_out]
        return {"trials": len(self.known.past), "left_out": left_out}

    @property
    def trials(self) -> int:
        """The planned number of trials."""
        return self.spec.trials

    @property
    def sampling(self) -> dict[str, Any] | None:
        """How configurations are sampled, or None where they are listed."""
        if self.configurations is not None:
            return None
        sampler = self.spec.space.strategy
        return {"sampler": sampler, "seed": self.spec.seed, "trials": self.trials}


@dataclass(frozen=True, slots=True)
class Checked:
    """A space as it can be run, and why ``auto`` chose what it has.

    ``schema`` is that of its trainable's parameters, ``distinct`` the number of configurations that
    there are to draw, None where they are endless.
    """

    space: SearchSpace
    chosen: str
    schema: Mapping[str, Any]
    distinct: int | None


class Planner:
    """Turns requests into plans, by the declared spaces and the settings."""

    def __init__(self, store: Store, library: Library, settings: Settings, permit: Permit) -> None:
        self._store, self._library, self._settings = store, library, settings
        self._permit = permit

    def plan(self, request: JobRequest) -> Plan:
        """Return the complete job that ``request`` means.

        Raises :class:`InvalidRequest`, with pointers into the request: under ``/search_space`` for
        a member of an inline space, at the root for an override.
        """
        try:
            return self._plan(request)
        except SearchSpaceError as error:
            raise InvalidRequest(error.problems) from error

    def _plan(self, request: JobRequest) -> Plan:
        inline = isinstance(request.search_space, dict)
        root = "/search_space" if inline else ""
        overridden = _overridden(request)
        declared = self._declared(request)
        try:
            space = declared.with_overrides(
                request.parameters, request.strategy, request.epochs, request.trials,
                request.search,
            )  # fmt: skip
        except SearchSpaceError as error:
            raise InvalidRequest(search_spaces.located(error.problems, root, overridden)) from error
        _check_keep(request, self._settings.max_trials)
        data = find_data(self._store, space.dataset)
        checked = self.checked(space, data, root, overridden)
        space = checked.space
        _check_device(request, space)
        self._check_code(space, root)
        try:
            history = read_warm_starts(self._store, space)
        except SearchSpaceError as error:
            raise InvalidRequest(search_spaces.located(error.problems, root, overridden)) from error
        spec = replace(_spec(request, space, data), chosen=checked.chosen)
        fingerprint = spec.fingerprint(checked.schema)
        if space.is_sampled:
            return Plan(spec, fingerprint, None, checked.distinct, checked.chosen, history)
        listed = list(search_spaces.configurations(space))
        return Plan(spec, fingerprint, listed, len(listed), checked.chosen)

    def checked(
        self,
        space: SearchSpace,
        data: DataRef | None,
        root: str = "",
        overridden: Sequence[str] = (),
    ) -> Checked:
        """Return the space as it can be run, on ``data`` where these are a user's.

        A sampler draws no more trials than there are different configurations: the same one with
        the same seed would give the same numbers again. Raises
        :class:`search_spaces.SearchSpaceError`.
        """
        self._permit.check_space(space)
        trainable = _trainable(space, root)
        check_kind(trainable, space, data, root)
        schema = trainable.schema()
        space = search_spaces.with_floats(space, schema)
        search_spaces.check(
            space,
            schema=schema,
            metrics={metric.name: metric.split for metric in trainable.metrics},
            datasets=names_taken(self._store, trainable, space, data),
            max_trials=self._settings.max_trials,
            lacking=parts_lacking(trainable, space.dataset, data),
            resumes=trainable.resumes,
            changeable=trainable.changeable,
            pointer=root,
            overridden=overridden,
        )
        distinct = search_spaces.count_distinct(space)
        if space.trials is not None and distinct is not None:
            space = replace(space, trials=min(space.trials, distinct), checked=True)
        space = replace(space, enqueue=search_spaces.enqueued(space), checked=True)
        return Checked(*_resolved(space, trainable), schema, distinct)

    def _check_code(self, space: SearchSpace, root: str) -> None:
        """Refuse a program whose code has not been sent; only the client can read a folder."""
        if space.program is None or not space.program.code:
            return
        code, detail, kind = space.program.code, "", Code.MISSING
        if not space.program.is_packed:
            detail, kind = "code is the path of a folder, not a digest", Code.INVALID_VALUE
        elif self._store.code(code) is None:
            detail = f"no code has the digest {code}"
        if detail:
            hint = (
                "send it: POST /api/v1/code answers the digest, and `argbest submit` of a file "
                "with `code: .` does both"
            )
            raise InvalidRequest([Problem(f"{root}/code", detail, kind, hint)])

    def _declared(self, request: JobRequest) -> SearchSpace:
        if isinstance(request.search_space, str):
            return self._library.get(request.search_space, pointer="/search_space")
        return SearchSpace.from_json(request.search_space, pointer="/search_space")


def _spec(request: JobRequest, space: SearchSpace, data: DataRef | None) -> JobSpec:
    return JobSpec(
        name=request.name or space.name,
        space=space,
        trials=search_spaces.count(space) * space.repeats,
        seed=request.seed,
        max_concurrent_trials=request.max_concurrent_trials,
        cpu=request.resources_per_trial.cpu,
        gpu=request.resources_per_trial.gpu,
        time_limit_s=request.time_limit_s,
        max_failures=request.max_failures,
        keep=request.keep,
        tags=request.tags,
        source=request.source,
        version=version(),
        data=data,
    )


def _resolved(
    space: SearchSpace, trainable: Trainable | ProgramTrainable
) -> tuple[SearchSpace, str]:
    """Return the space with what ``auto`` stands for, and why.

    Where the trainable does not resume, the scheduler stops trials rather than pausing them. A
    population's scheduler names the parameters that change.
    """
    strategy, scheduler, reason = space.strategy, space.scheduler, ""
    resumes = trainable.resumes
    if "auto" in (strategy, scheduler.name):
        asked = None if scheduler.name == "auto" else scheduler
        choice = choose(space, can_resume=resumes, scheduler=asked)
        scheduler, reason = choice.scheduler, choice.reason
        strategy = choice.sampler if strategy == "auto" else strategy
    scheduler = scheduler.for_trainable(resumes=resumes)
    if scheduler.is_population:
        names = search_spaces.changing(space, trainable.changeable)
        scheduler = replace(scheduler, perturb=names)
    return replace(space, strategy=strategy, scheduler=scheduler), reason


def _check_keep(request: JobRequest, most: int) -> None:
    if request.keep > most:
        detail = f"a job has at most {most} trials"
        hint = f"give a number of at most {most}"
        raise InvalidRequest([Problem("/keep", detail, "less_than_equal", hint)])


def _overridden(request: JobRequest) -> Sequence[str]:
    """Return the pointers of the request's overrides of its search space."""
    names = ("strategy", "trials", "epochs", *SEARCH_KEYS)
    given = [pointer_to(name) for name in names if getattr(request, name) is not None]
    return [*given, *(pointer_to("parameters", name) for name in request.parameters)]


def _check_device(request: JobRequest, space: SearchSpace) -> None:
    """Refuse trials that train on a GPU and are given none: they would all fail."""
    device = space.parameters.get("device")
    if device is None or request.resources_per_trial.gpu > 0:
        return
    if device.default == "cuda" if space.is_single else "cuda" in device:
        inline = isinstance(request.search_space, dict) and "device" not in request.parameters
        place = ("search_space",) if inline else ()
        hint = "give each trial a GPU: resources_per_trial.gpu (--gpus); or leave device out"
        detail = "device is cuda, and resources_per_trial.gpu is 0"
        where = pointer_to(*place, "parameters", "device")
        raise InvalidRequest([Problem(where, detail, "not_applicable", hint)])


def _trainable(space: SearchSpace, root: str) -> Trainable | ProgramTrainable:
    try:
        return trainable_of(space)
    except UnknownTrainable as error:
        hint = _trainable_hint(space.trainable)
        problem = Problem(f"{root}/trainable", str(error), "unknown_trainable", hint)
        raise InvalidRequest([problem]) from error


def _trainable_hint(name: str) -> str:
    """Return a hint that names what is close to an unknown name; not of one that is left out."""
    listed = "GET /api/v1/trainables lists them"
    if any(one.entry_point.partition(" = ")[0] == name for one in registry.broken()):
        return listed
    close = get_close_matches(name[:100], registry.trainables(), n=3)
    return f"did you mean {' or '.join(close)}?" if close else listed
