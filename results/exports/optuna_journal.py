"""A job's trials as a study of Optuna's, in the file of a journal storage.

``optuna.storages.journal.JournalFileBackend`` reads the file, and so does optuna-dashboard. A
database of Optuna's would take a transaction for each epoch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import TrialState as State
from optuna.trial import create_trial

from results.exports.source import Source
from results.ranking import value_of
from results.records import Curve, TrialRecord
from results.states import Purpose, TrialState
from results.study import drawn_again

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search_spaces import SearchSpace

_STATES = {
    TrialState.SUCCEEDED: State.COMPLETE,
    TrialState.STOPPED: State.PRUNED,
    TrialState.FAILED: State.FAIL,
    TrialState.CANCELLED: State.FAIL,
}


class _Lines(BaseJournalBackend):  # type: ignore[misc]
    """Writes each record of a journal as a line; its one reader gets each record once."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._unread: list[dict[str, Any]] = []

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self._unread += logs
        self._file.writelines(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - Optuna's
        unread, self._unread = self._unread, []
        return unread


def write(source: Source, path: Path) -> None:
    """Write the search's finished trials, by number; confirming trials are left out.

    The study is named after the job. A trial's intermediate values are the first objective's by
    epoch, its user attributes have the number, the seed, all metrics and the error. Parameters that
    the space cannot have drawn are among the attributes alone.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = source.job.spec.space
    directions = ["maximize" if o.mode == "max" else "minimize" for o in space.objectives]
    with path.open("w", encoding="utf-8") as file:
        storage = JournalStorage(_Lines(file))
        name = f"{source.job.spec.name} {source.job.id}"
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.set_user_attr("objectives", [one.metric for one in space.objectives])
        for trial, curve in source.with_curves():
            if trial.purpose is Purpose.SEARCH and trial.state in _STATES:
                study.add_trial(_frozen(space, trial, curve))


def _frozen(space: SearchSpace, trial: TrialRecord, curve: Curve) -> FrozenTrial:
    objectives = [one.metric for one in space.objectives]
    values = [value_of(trial, metric) for metric in objectives]
    state, known = _STATES[trial.state], [value for value in values if value is not None]
    if state is State.COMPLETE and len(known) < len(objectives):
        state = State.FAIL
    steps = zip(curve.epochs, curve.metrics.get(objectives[0], ()), strict=False)
    attributes = {
        "number": trial.number, "seed": trial.seed, "parameters": dict(trial.parameters),
        "metrics": dict(trial.metrics), "epochs": trial.epochs, "seconds": trial.seconds,
        **({"error": trial.error.message} if trial.error else {}),
    }  # fmt: skip
    try:
        fixed = drawn_again(space, trial.parameters)
        parameters, distributions = fixed.params, fixed.distributions
    except ValueError:  # a population changed them
        parameters, distributions = {}, {}
    frozen = create_trial(
        state=state,
        values=known if state is State.COMPLETE else None,
        params=parameters,
        distributions=distributions,
        user_attrs=attributes,
        intermediate_values={epoch: value for epoch, value in steps if value is not None},
    )
    frozen.datetime_start = _local(trial.started_at) or frozen.datetime_start
    frozen.datetime_complete = _local(trial.finished_at) or frozen.datetime_complete
    return frozen


def _local(moment: datetime | None) -> datetime | None:
    """Return a moment as Optuna has it: local time, without a zone."""
    return moment and moment.astimezone().replace(tzinfo=None)
