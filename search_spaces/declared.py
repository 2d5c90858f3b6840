"""Reads and writes the members of a space that say how its search goes on and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.known import MOST_KNOWN, KnownTrial
from search_spaces.limits import Budget, Confirm
from search_spaces.members import read_list, whole_problems
from search_spaces.objectives import Constraint, Objective
from search_spaces.scheduling import AUTO_SCHEDULER, NO_SCHEDULER, PARAMETERS, Scheduler
from search_spaces.values import shown, text_problems, value_problems, wrong_type

MOST_OBJECTIVES = 4
MOST_CONSTRAINTS = 20
MOST_ENQUEUED = 1000
MOST_WARM_STARTS = 20
MOST_REPEATS = 100

#: The JSON keys that this module reads; each is written only where it is not at its default.
SEARCH_KEYS = (
    "objectives", "constraints", "scheduler", "budget", "enqueue", "warm_start", "history",
    "repeats", "confirm",
)  # fmt: skip

#: The keys whose members are lists of objects, and what these are.
_LISTED = (("objectives", Objective), ("constraints", Constraint), ("history", KnownTrial))


def read_search_members(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return a space's members by name for those of :data:`SEARCH_KEYS` that ``raw`` has.

    ``objectives`` gives ``metric``, ``mode`` and ``secondary``. Also return what is wrong; a key
    with a problem gives no member.
    """
    members: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, read in _READERS.items():
        if key in raw:
            try:
                members[key] = read(raw[key], f"/{key}")
            except SearchSpaceError as error:
                problems += error.problems
    if "objectives" in members:
        first, *others = members.pop("objectives")
        problems += _contradictions(raw, first)
        members |= {"metric": first.metric, "mode": first.mode, "secondary": tuple(others)}
    return members, problems


def implied_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scheduler and the confirmation of a space that says nothing of them.

    None, but where the strategy is ``auto``: there the plan chooses the scheduler, and the winner
    is confirmed if there is a single one that does not run with several seeds anyway.
    """
    is_auto = members.get("strategy") == "auto"
    scheduler = AUTO_SCHEDULER if is_auto else NO_SCHEDULER
    has_winner = not members.get("secondary") and members.get("repeats", 1) == 1
    confirm = Confirm() if is_auto and has_winner else None
    return {"scheduler": scheduler, "confirm": confirm}


def search_members_json(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of the members of :data:`SEARCH_KEYS` that are not as they would be unsaid.

    ``members`` are all of a space, by name.
    """
    said = {key: members[key] for key, value in implied_members(members).items()
            if members[key] != value}  # fmt: skip
    written: dict[str, Any] = {}
    if members["secondary"]:
        first = Objective(members["metric"], members["mode"])
        written["objectives"] = [each.to_json() for each in (first, *members["secondary"])]
    if members["constraints"]:
        written["constraints"] = [constraint.to_json() for constraint in members["constraints"]]
    if "scheduler" in said:
        written["scheduler"] = said["scheduler"].to_json()
    if not members["budget"].is_endless:
        written["budget"] = members["budget"].to_json()
    if members["enqueue"]:
        written["enqueue"] = [dict(configuration) for configuration in members["enqueue"]]
    if members["warm_start"]:
        written["warm_start"] = list(members["warm_start"])
    if members["history"]:
        written["history"] = [trial.to_json() for trial in members["history"]]
    if members["repeats"] != 1:
        written["repeats"] = members["repeats"]
    if "confirm" in said:
        written["confirm"] = False if said["confirm"] is None else said["confirm"].to_json()
    return written


def known_search_members(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of :data:`SEARCH_KEYS` without keys within that this version lacks."""

    def kept(value: Any, known: tuple[str, ...]) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: member for key, member in value.items() if key in known}

    members = {key: raw[key] for key in SEARCH_KEYS if key in raw}
    for key, kind in (("budget", Budget), ("confirm", Confirm)):
        if key in members:
            members[key] = kept(members[key], tuple(kind.__dataclass_fields__))
    for key, kinds in _LISTED:
        if key in members:
            known = tuple(kinds.__dataclass_fields__)
            members[key] = [kept(entry, known) for entry in members[key]]
    if isinstance(scheduler := members.get("scheduler"), Mapping):
        own = PARAMETERS.get(str(scheduler.get("name")), ())
        members["scheduler"] = kept(scheduler, ("name", *own))
    return members


def member_problems(members: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with those of the members, already read, that are given."""
    secondary, metric = members.get("secondary", ()), members.get("metric")
    metrics = [metric, *(objective.metric for objective in secondary)]
    for index, name in enumerate(metrics):
        if name in metrics[:index]:
            detail = f"the metric {shown(name)} is an objective before this one"
            pointer = f"/objectives/{index}/metric"
            yield Problem(pointer, detail, Code.DUPLICATE, "name each metric once")
    scheduler, epochs = members.get("scheduler"), members.get("epochs")
    if scheduler and isinstance(epochs, int) and 0 < epochs <= scheduler.first_rung:
        detail = f"{scheduler.name} compares trials before the last epoch, and there are {epochs}"
        hint = f"use more than {scheduler.first_rung} epochs, or scheduler none"
        yield Problem("/scheduler", detail, Code.NOT_APPLICABLE, hint)


def _contradictions(raw: Mapping[str, Any], first: Objective) -> Iterator[Problem]:
    """Yield where ``metric`` and ``mode`` are given beside the objectives, and differ."""
    for key, value in first.to_json().items():
        if key in raw and raw[key] != value:
            detail = f"{key} is not that of the first objective, which is {shown(value)}"
            hint = f"leave {key} out"
            yield Problem(f"/{key}", detail, Code.INVALID_VALUE, hint)


def _objectives(raw: object, pointer: str) -> tuple[Objective, ...]:
    wanted = 'a list of objectives: [{"metric": ..., "mode": ...}]'
    found = read_list(Objective.from_json, raw, pointer, MOST_OBJECTIVES, wanted)
    if not found:
        hint = "name at least one metric"
        raise SearchSpaceError([Problem(pointer, "the list is empty", Code.EMPTY, hint)])
    return found


def _constraints(raw: object, pointer: str) -> tuple[Constraint, ...]:
    wanted = 'a list of constraints: [{"metric": ..., "at_most": ...}]'
    return read_list(Constraint.from_json, raw, pointer, MOST_CONSTRAINTS, wanted)


def _enqueued(raw: object, pointer: str) -> tuple[dict[str, Any], ...]:
    wanted = "a list of configurations, each an object of parameter names and values"
    return read_list(_configuration, raw, pointer, MOST_ENQUEUED, wanted)


def _configuration(raw: object, pointer: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        wanted = "an object of parameter names and values"
        raise SearchSpaceError([wrong_type(pointer, raw, wanted)])
    raise_any(
        problem
        for name, value in raw.items()
        for problem in value_problems(value, pointer + pointer_to(name))
    )
    return dict(raw)


def _job_ids(raw: object, pointer: str) -> tuple[str, ...]:
    wanted = "a list of the ids of jobs"
    return read_list(_job_id, raw, pointer, MOST_WARM_STARTS, wanted)


def _job_id(raw: object, pointer: str) -> str:
    if not isinstance(raw, str):
        raise SearchSpaceError([wrong_type(pointer, raw, "the id of a job")])
    raise_any(text_problems(raw, pointer))
    return raw


def _history(raw: object, pointer: str) -> tuple[KnownTrial, ...]:
    wanted = 'a list of trials: [{"parameters": {...}, "values": [...]}]'
    return read_list(KnownTrial.from_json, raw, pointer, MOST_KNOWN, wanted)


def _repeats(raw: Any, pointer: str) -> int:
    raise_any(whole_problems(raw, pointer, 1, MOST_REPEATS))
    return int(raw)


def _confirm(raw: object, pointer: str) -> Confirm | None:
    if raw is None or raw is False:
        return None
    return Confirm.from_json({} if raw is True else raw, pointer)


def _budget(raw: object, pointer: str) -> Budget:
    return Budget.from_json({} if raw is None else raw, pointer)


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "objectives": _objectives,
    "constraints": _constraints,
    "scheduler": Scheduler.from_json,
    "budget": _budget,
    "enqueue": _enqueued,
    "warm_start": _job_ids,
    "history": _history,
    "repeats": _repeats,
    "confirm": _confirm,
}
