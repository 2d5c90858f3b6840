"""Gives a converted space a strategy and a scheduler that can do what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from search_spaces import Problem, SearchSpace, SearchSpaceError, check

_MOST_TRIALS = 1_000_000


def problems(space: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return everything that is wrong with a space in JSON."""
    try:
        read = SearchSpace.from_json(space)
        schema = read.program.parameters_schema if read.program is not None else None
        metrics = [objective.metric for objective in read.objectives]
        metrics += [constraint.metric for constraint in read.constraints]
        check(
            read,
            schema=schema or {},
            metrics=dict.fromkeys(metrics, "none"),
            datasets=(read.dataset,),
            max_trials=_MOST_TRIALS,
        )
    except SearchSpaceError as error:
        return error.problems
    return ()


def fitted(members: Mapping[str, Any], note: Callable[[str], None]) -> dict[str, Any]:
    """Return the members with those replaced that do not go with the rest, each noted."""
    space = dict(members)
    for _ in range(3):
        wrong = {problem.pointer.split("/")[1]: problem for problem in problems(space)
                 if problem.pointer}  # fmt: skip
        if "scheduler" in wrong and "scheduler" in space:
            note(f"scheduler: left out, as {wrong['scheduler'].detail}")
            del space["scheduler"]
        elif "strategy" in wrong and space.get("strategy") not in ("auto", "single"):
            all_constant = wrong["strategy"].code == "nothing_to_vary"
            _replace(space, "single" if all_constant else "auto", wrong["strategy"].detail, note)
        elif space.get("strategy") == "grid" and any(
            problem.code == "not_listable" for problem in wrong.values()
        ):
            _replace(space, "auto", "a range without steps cannot be listed", note)
        else:
            break
    return space


def _replace(
    space: dict[str, Any], strategy: str, reason: str, note: Callable[[str], None]
) -> None:
    note(f"strategy: {strategy} instead of {space['strategy']}, as {reason}")
    space["strategy"] = strategy
    if strategy == "single":
        space.pop("trials", None)
