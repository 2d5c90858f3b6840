"""Gathers everything that a report says: as plain JSON, and as text for the other formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from results.analysis import JobResults, summarize
from results.comparison import basis, describe_trial
from results.conclusion import conclusion
from results.explain import explain
from results.export import best_curl, best_request, best_yaml, plain_json, trial_row
from results.plots import available
from results.records import JobRecord
from results.replay import Replay
from results.report.stopping import replay_tables
from results.report.tables import Table, constants, curve_summaries, facts, tables
from results.report.winner import winner_tables

#: Where ``argbest serve`` listens unless told otherwise.
DEFAULT_BASE_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Report:
    """A report: ``content`` is the JSON report, ``facts`` are pairs of a label and a text."""

    content: dict[str, Any]
    facts: list[tuple[str, str]]
    tables: list[Table]


def build(
    results: JobResults,
    *,
    replay: Replay | None = None,
    base_url: str = DEFAULT_BASE_URL,
    with_token: bool = False,
    generated_at: datetime | None = None,
) -> Report:
    """Return the report of a job as it stands; None in it stands for what is not finite.

    ``replay`` is what early stopping would have cost, where that is known. ``base_url`` is the
    server that the command under ``reproduce`` posts to, ``with_token`` as for
    :func:`results.export.best_curl`; ``generated_at`` is now where it is not given. ``best`` and
    ``reproduce`` are None while no trial has succeeded; ``front`` is the Pareto front of several
    objectives. ``trials`` have a ``rank`` from 1 where they are ranked. Tables list the first
    ``shown`` of them, by rank, and ``curves`` are theirs.
    """
    job = results.job
    content = {
        "title": job.spec.space.title or job.name,
        "generated_at": generated_at or datetime.now(UTC),
        "job": _job(job),
        "metric": asdict(results.metric),
        "best": _best(results),
        "front": _front(results),
        "explanation": [*explain(results), *_left_out(results)],
        "summary": asdict(summarize(results)),
        **conclusion(results),
        "replay": replay and replay.to_json(),
        "trials": _trials(results),
        "shown": len(results.shown),
        "varied": list(results.varied),
        "constants": constants(results),
        "comparison": _comparison(results),
        "metrics": {name: asdict(results.info(name)) for name in results.metric_names},
        "plots": [asdict(plot) for plot in available(results)],
        "curves": _curves(results),
        "reproduce": _reproduce(job, base_url, with_token=with_token),
    }
    shown = [*winner_tables(results), *replay_tables(replay), *tables(results)]
    return Report(plain_json(content), facts(results), shown)


def _left_out(results: JobResults) -> list[str]:
    shown, trials = len(results.shown), len(results.trials)
    if shown == trials:
        return []
    return [
        f"Tables and plots show {shown} of the {trials} trials: the best, then those without a"
        " result. Counts and means are over all of them. The job's trials and curves, as JSON or"
        " CSV, have every number."
    ]


def _job(job: JobRecord) -> dict[str, Any]:
    space, error = job.spec.space, job.error
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state.value,
        "search_space": space.name,
        "trainable": space.trainable,
        "dataset": space.dataset,
        "program": None if space.program is None else space.program.to_json(),
        "source": job.spec.source,
        "strategy": space.strategy,
        "chosen": job.spec.chosen,
        "scheduler": space.scheduler.to_json(),
        "constraints": [limit.to_json() for limit in space.constraints],
        "budget": space.budget.to_json(),
        "warm_start": list(space.warm_start),
        "epochs": space.epochs,
        "seed": job.spec.seed,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "error": None if error is None else {"kind": error.kind.value, "message": error.message},
    }


def _best(results: JobResults) -> dict[str, Any] | None:
    best, trial = results.job.best, results.best
    if best is None:
        return None
    return {**asdict(best), "description": describe_trial(results, trial) if trial else ""}


def _trials(results: JobResults) -> list[dict[str, Any]]:
    return [{**trial_row(t), **_place(results, t.number)} for t in results.trials]


def _place(results: JobResults, number: int) -> dict[str, Any]:
    one = results.ranking.by_trial.get(number)
    return {
        "rank": results.ranks.get(number),
        "score": one
        and {"mean": one.value, "standard_deviation": one.standard_deviation, "n": one.n},
        "violations": results.ranking.violations.get(number, ()),
    }


def _front(results: JobResults) -> list[dict[str, Any]]:
    """Return the Pareto front, empty for one objective."""
    objectives = results.space.objectives
    return [
        {
            "trial": one.trial.number,
            "parameters": dict(one.trial.parameters),
            "objectives": {o.metric: v for o, v in zip(objectives, one.values, strict=True)},
        }
        for one in results.ranking.front
        if len(objectives) > 1
    ]


def _comparison(results: JobResults) -> list[dict[str, Any]]:
    return [
        {**asdict(each), "controlled": each.controlled, "basis": basis(results, each)}
        for each in results.comparisons.values()
        if each is not None
    ]


def _curves(results: JobResults) -> list[dict[str, Any]]:
    return [
        {
            "trial": summary.trial,
            "metric": summary.metric,
            "first": summary.first._asdict(),
            "best": summary.best and summary.best._asdict(),
            "last": summary.last._asdict(),
        }
        for _, _, summary in curve_summaries(results)
    ]


def _reproduce(job: JobRecord, base_url: str, *, with_token: bool) -> dict[str, Any] | None:
    if job.best is None:
        return None
    return {
        "request": best_request(job),
        "curl": best_curl(job, base_url, with_token=with_token),
        "search_space_yaml": best_yaml(job),
    }
