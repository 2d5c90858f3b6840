"""A job's results in formats for other programs: JSON, YAML, CSV and a shell command.

Numbers round-trip: floats are written with ``repr``. JSON has null for a value that is not finite.
CSV follows RFC 4180 (comma, CRLF, quotes where needed). A text that a spreadsheet would take for a
formula has an apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from results.errors import NoBestTrial
from results.formatting import FORMULA_MARKS
from results.ranking import NOTHING_RANKED, Ranking
from results.records import BestTrial, Curve, JobRecord, TrialRecord
from search_spaces.yaml_files import dump_yaml


def plain_json(value: Any) -> Any:
    """Return a value as JSON can hold it: non-finite floats as None, times in ISO 8601 UTC."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(member) for member in value]
    return value.isoformat() if isinstance(value, datetime) else value


def to_json(value: Any) -> str:
    """Write a value as indented JSON, UTF-8, without NaN."""
    return json.dumps(plain_json(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


# --- the best configuration -----------------------------------------------------------------


#: What the best configuration of a population is worth.
_AS_SCHEDULE = (
    "Parameters changed during training (pbt): these are the last ones, and trained with them alone"
    " the result is another. The report has the schedule."
)


def best_space(job: JobRecord) -> dict[str, Any]:
    """Return the best configuration as a search space that runs just it (strategy ``single``).

    Raises :class:`results.errors.NoBestTrial` while there is none, as all of this section do.
    """
    return job.spec.space.fixed_at(_best(job).parameters).to_json()


def best_yaml(job: JobRecord) -> str:
    """Write the best configuration as a search-space file, with its result in comments."""
    best = _best(job)
    comments = [
        f"# Best configuration of job {json.dumps(job.id)}: trial {best.trial},"
        f" {json.dumps(best.metric)} {best.value!r}.",
        f"# {_AS_SCHEDULE}"
        if job.spec.space.scheduler.is_population
        else f"# Run it with seed {job.spec.seed} to get the same result.",
    ]
    return "\n".join([*comments, dump_yaml(best_space(job))])


def best_request(job: JobRecord) -> dict[str, Any]:
    """Return the body of ``POST /api/v1/jobs`` that runs the best configuration again."""
    resources = {"cpu": job.spec.cpu, "gpu": job.spec.gpu}
    return {
        "search_space": best_space(job),
        "seed": job.spec.seed,
        "resources_per_trial": resources,
    }


def best_curl(job: JobRecord, base_url: str, *, with_token: bool) -> str:
    """Write the shell command that runs the best configuration again, ready to paste.

    ``base_url`` is the server's, with or without a slash at its end; ``with_token``: the command
    sends the token that the shell has in ARGBEST_TOKEN.
    """
    url = shlex.quote(f"{base_url.rstrip('/')}/api/v1/jobs")
    body = shlex.quote(json.dumps(plain_json(best_request(job)), indent=2))
    headers = ["'Content-Type: application/json'"]
    if with_token:
        headers.append('"Authorization: Bearer $ARGBEST_TOKEN"')
    options = [*(f"-H {header}" for header in headers), f"--data-raw {body}"]
    note = f"# {_AS_SCHEDULE}\n" if job.spec.space.scheduler.is_population else ""
    return note + " \\\n  ".join([f"curl --fail-with-body -X POST {url}", *options]) + "\n"


def _best(job: JobRecord) -> BestTrial:
    if job.best is None:
        raise NoBestTrial(f"job {job.id} has no best configuration yet: no trial has succeeded")
    return job.best


# --- trials and curves ----------------------------------------------------------------------


def trial_row(trial: TrialRecord) -> dict[str, Any]:
    """Return a trial as reports show it, without its traceback."""
    error = trial.error
    return {
        "number": trial.number,
        "state": trial.state.value,
        "parameters": dict(trial.parameters),
        "seed": trial.seed,
        "metrics": dict(trial.metrics),
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "node": trial.node,
        "attempts": trial.attempt,
        "error": None if error is None else {"kind": error.kind.value, "message": error.message},
        "engine": trial.engine,
        "purpose": trial.purpose.value,
        "configuration": trial.configuration,
        "model_bytes": trial.model_bytes,
        "parent": trial.parent,
        "start_epoch": trial.start_epoch,
    }


def trials_csv(trials: Sequence[TrialRecord], ranking: Ranking = NOTHING_RANKED) -> str:
    """Return the rows of :func:`trial_rows` under their columns.

    A cell is empty where the parameter did not apply or the metric was not reported; a parameter
    that is null is ``null``. ``rank``, ``mean``, ``standard_deviation`` and ``n`` are those of the
    trial's configuration in the ``ranking``, and ``violations`` the constraints that it breaks.
    A trial with a ``parent`` went on from that trial's state after ``start_epoch``.
    """
    columns, rows = trial_rows(trials, ranking)
    return _csv([columns, *rows])


def trial_rows(
    trials: Sequence[TrialRecord], ranking: Ranking = NOTHING_RANKED
) -> tuple[list[str], list[list[Any]]]:
    """Return the columns, ``parameters.<name>`` and ``metrics.<name>`` among them, and the rows.

    Absent values are None. Parameters that are neither numbers nor texts are JSON.
    """
    parameters = list(dict.fromkeys(name for trial in trials for name in trial.parameters))
    metrics = metric_names(trials)
    columns = [
        "number", "state", "seed", *(f"parameters.{name}" for name in parameters),
        *(f"metrics.{name}" for name in metrics), "epochs", "seconds", "node", "attempts",
        "error.kind", "error.message", "engine", "purpose", "configuration", "model_bytes",
        "rank", "mean", "standard_deviation", "n", "violations", "parent", "start_epoch",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for t in trials:
        error = (None, None) if t.error is None else (t.error.kind.value, t.error.message)
        values = [_cell(t.parameters[n]) if n in t.parameters else None for n in parameters]
        values += [t.metrics.get(name) for name in metrics]
        row = [t.number, t.state.value, t.seed, *values, t.epochs, t.seconds, t.node, t.attempt]
        rows.append([*row, *error, t.engine, t.purpose.value, t.configuration, t.model_bytes,
                     *_place(t, ranking), t.parent, t.start_epoch])  # fmt: skip
    return columns, rows


def _place(trial: TrialRecord, ranking: Ranking) -> list[Any]:
    """Return a trial's rank, its configuration's mean, standard deviation and n, violations."""
    number, one = trial.number, ranking.by_trial.get(trial.number)
    score = [None] * 3 if one is None else [one.value, one.standard_deviation, one.n]
    return [ranking.ranks.get(number), *score, "; ".join(ranking.violations.get(number, ()))]


def metric_names(trials: Iterable[TrialRecord]) -> list[str]:
    """Return the metrics that the trials reported, in the order in which they appear."""
    return list(dict.fromkeys(name for trial in trials for name in trial.metrics))


def curves_csv(curves: Iterable[Curve], metrics: Sequence[str]) -> Iterator[str]:
    """Yield a piece of CSV per curve: a row per trial and epoch, a column for each of ``metrics``.

    A cell is empty where the epoch did not report the metric. Other metrics are left out.
    """
    yield _csv([["trial", "epoch", *metrics]])
    for curve in curves:
        columns = [curve.metrics.get(name, repeat(None)) for name in metrics]
        # Not strict: an absent metric and the trial's number go on for ever.
        yield _csv(zip(repeat(curve.trial), curve.epochs, *columns, strict=False))


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(map(_inert, row) for row in rows)
    return buffer.getvalue()


def _inert(value: Any) -> Any:
    """Return a cell that a spreadsheet does not run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_MARKS) else value


def _cell(value: Any) -> Any:
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return value if is_plain else json.dumps(value)
